"""Sections of an experiment's configuration: simulated data, analyses, the report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from bgs._config import Settings


class SimulateSettings(Settings):
    """Data made before anything else, in ``data/`` of the experiment: simulated observers judge simulated clips."""

    clips: int = Field(240, ge=16)
    style: str = "discs"
    """Render style, see ``bgs simulate clips``."""
    trials: int = Field(20_000, ge=1)
    """Odd-one-out trials, attention checks included."""
    observers: int = Field(80, ge=1)
    temperature: float = Field(0.3, gt=0)
    """Noise of their choices, in units of the distance that they judge by."""
    seed: int = Field(0, ge=0)


class GapSettings(Settings):
    """The results table: every condition of every model beside the noise ceiling and the captions."""


class VarianceSettings(Settings):
    """Variance of people's dissimilarities that a model explains beyond captions and low-level models."""

    low_level: Annotated[tuple[str, ...], Field(max_length=3)] = ()
    """Model references whose distances are taken out as well, such as ``motion:energy``; they need clips."""
    folds: int = Field(5, ge=2)
    """Parts of the held-out clips, each held out once from the regressions."""


class ProbeSettings(Settings):
    """Attributes read out linearly from base and tuned embeddings."""

    attributes: Literal["all"] | tuple[str, ...] = "all"
    """Rating columns of the data set."""
    folds: int = Field(5, ge=2)
    """Parts of the clips, each held out once."""
    shots: int | None = Field(None, ge=3)
    """Read each rating off so few held-out clips too."""


class TransferSettings(Settings):
    """Base and tuned models on clips of another kind, without training on them."""

    data: str
    """Name of a data set, or a folder."""
    table: Path | None = None
    """For ``phase-genset``, a table of how many people chose each relation."""
    ratings: tuple[str, ...] = Field(min_length=1)
    """Rating columns that make its dissimilarities."""
    target: Literal["hellinger", "euclidean"] = "hellinger"
    """``hellinger``: they hold counts or shares of labels; ``euclidean``: each is a scale."""
    label: str | None = None
    """Column of the label to tell apart."""
    raters: str | None = None
    """Rating column of the number of raters, for what people among themselves reach."""
    allow_overlap: bool = False
    """Measure although clips were trained on."""


class AttentionSettings(Settings):
    """Where base and tuned models look."""

    method: Literal["rollout", "last-layer", "gradient"] = "rollout"
    clips: Annotated[int, Field(ge=1)] | tuple[str, ...] = 60
    """Clips to look at: how many of the held-out ones, or which."""
    masks: Path | None = None
    """Folder that holds ``masks/``; null: the data set's own."""
    boxes: Path | None = None
    """COCO-style JSON of boxes or run-length masks, instead of masks."""
    regions: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Regions of the masks that count as one: ``{agents: [agent A, agent B]}``; others keep their names."""
    strips: int = Field(3, ge=0)
    """Clips whose frames are shown."""


class DimensionsSettings(Settings):
    """Non-negative sparse dimensions of people's and models' similarities, and what they have to do with the ratings."""

    dimensions: int = Field(8, ge=1)
    """The most dimensions to choose from."""
    starts: int = Field(3, ge=1)
    """Random starts of every fit."""


class DisagreementSettings(Settings):
    """Trials on which exactly one of base and tuned agrees with people."""

    examples: int = Field(6, ge=1)
    """How many of each kind are shown."""


class AnalysesSettings(Settings):
    """One section an analysis; null leaves it out. Those that need more than the grid are left out until given.

    Analyses that others register (see :func:`bgs.experiments.analyses.register`) have sections of any keys.
    """

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)
    __pydantic_extra__: dict[str, dict[str, Any] | None]

    gap: GapSettings | None = GapSettings()
    variance: VarianceSettings | None = VarianceSettings()
    probes: ProbeSettings | None = ProbeSettings()
    dimensions: DimensionsSettings | None = DimensionsSettings()
    disagreement: DisagreementSettings | None = DisagreementSettings()
    transfer: TransferSettings | None = None
    attention: AttentionSettings | None = None

    def of(self, name: str) -> Settings | dict[str, Any] | None:
        """The section of an analysis by name, {} where none is given of one that others registered; None: left out."""
        if name in type(self).model_fields:
            section: Settings | None = getattr(self, name)
            return section
        own: dict[str, dict[str, Any] | None] = self.model_extra or {}
        return own.get(name, {})


class ReportSettings(Settings):
    """The report on the experiment."""

    title: str | None = None
    """Heading of the page; null makes one."""
    lead: str | None = None
    """What was done, in a few sentences; paragraphs are separated by blank lines. Null makes it from the data."""
    rerun: str | None = None
    """Command that makes everything again; null: this experiment's."""
    published: dict[str, dict[str, float]] = Field(default_factory=dict)
    """Figures of others by protocol and name (squared Spearman), shown for comparison."""
