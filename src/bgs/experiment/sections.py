"""Sections of an experiment's configuration: simulated data, analyses, the report."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """Documented keys; others are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SimulateSettings(Section):
    """Data made before anything else, in ``data/`` of the experiment: simulated observers judge simulated clips."""

    clips: int = Field(240, ge=16)
    #: Render style, see ``bgs simulate clips``.
    style: str = "discs"
    #: Odd-one-out trials, attention checks included.
    trials: int = Field(20_000, ge=1)
    observers: int = Field(80, ge=1)
    #: Noise of their choices, in units of the distance that they judge by.
    temperature: float = Field(0.3, gt=0)
    seed: int = Field(0, ge=0)


class GapSettings(Section):
    """The results table: every condition of every model beside the noise ceiling and the captions."""


class VarianceSettings(Section):
    """Variance of people's dissimilarities that a model explains beyond captions and low-level models."""

    #: Model references whose distances are taken out first.
    low_level: tuple[str, ...] = ()


class ProbeSettings(Section):
    """Attributes read out linearly from base and tuned embeddings."""

    #: Rating columns of the data set.
    attributes: Literal["all"] | tuple[str, ...] = "all"


class TransferSettings(Section):
    """Base and tuned models on clips of another kind, without training on them."""

    #: Name of a data set, or a folder.
    data: str
    #: Rating columns that hold the counts or shares of each label.
    ratings: tuple[str, ...] = ()
    #: Column of the label to tell apart.
    label: str | None = None


class AttentionSettings(Section):
    """Where base and tuned models look."""

    method: Literal["rollout", "last"] = "rollout"
    #: Clips to look at: how many of the held-out ones, or which.
    clips: int | tuple[str, ...] = 12


class DimensionsSettings(Section):
    """What the dimensions along which tuning moved the clips have to do with the ratings."""

    #: Dimensions to look at, the largest first.
    dimensions: int = Field(8, ge=1)


class DisagreementSettings(Section):
    """Pairs and trials on which base, tuned and people disagree most."""

    #: How many of each are shown.
    examples: int = Field(6, ge=1)


class AnalysesSettings(Section):
    """One section an analysis; null leaves it out. Those that need more than the grid are left out until given."""

    gap: GapSettings | None = GapSettings()
    variance: VarianceSettings | None = VarianceSettings()
    probes: ProbeSettings | None = ProbeSettings()
    dimensions: DimensionsSettings | None = DimensionsSettings()
    disagreement: DisagreementSettings | None = DisagreementSettings()
    transfer: TransferSettings | None = None
    attention: AttentionSettings | None = None


class ReportSettings(Section):
    """The report on the experiment."""

    title: str | None = None
    #: Figures of others by protocol and name (squared Spearman), shown for comparison.
    published: dict[str, dict[str, float]] = {}
