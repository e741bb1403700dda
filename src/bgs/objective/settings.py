"""Settings of the objective and its presets; unknown and conflicting keys are errors."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from bgs._config import Settings, changed_keys

#: Of values from 0.3 to 15, the one whose gradient increases the Spearman correlation most, over geometries, sizes and steps
#: (`benchmarks/soft_rank.py`, docs/training.md). At 1, most ranks are already hard and have no gradient.
SOFTNESS = 3.0

PRESETS: dict[str, dict[str, Any]] = {
    # Local and global loss combined: the method of the paper, over all trials and pairs at once.
    "hybrid": {},
    # The paper's exact loss (v1): all observed pairs have equal weight, however often they were shown.
    "paper-v1": {"weighting": "mask"},
    "triplet-only": {"beta": {"start": 0.0, "step": 0.0, "maximum": 0.0}},
    "rsa-only": {"alpha": 0.0},
    # As many extra hard constraints per epoch as the RSA term adds in the paper (738).
    "budget-matched": {"beta": {"start": 0.0, "step": 0.0, "maximum": 0.0}, "hard_negatives": 738},
}


class BetaSchedule(Settings):
    """Weight of the RSA term at epoch e (from 0): ``min(maximum, start + step · e)``."""

    start: float = Field(0.3, ge=0)
    """Weight at epoch 0."""
    step: float = Field(0.1, ge=0)
    """Increment per epoch."""
    maximum: float = Field(0.7, ge=0)
    """Never more."""

    def at(self, epoch: int) -> float:
        """The weight at an epoch, counted from 0."""
        return min(self.maximum, self.start + self.step * epoch)


class ObjectiveSettings(Settings):
    """Loss = alpha · local + beta(epoch) · (−RSA correlation). Defaults are the paper's (v1)."""

    preset: Literal["hybrid", "triplet-only", "rsa-only", "budget-matched", "paper-v1"] = "hybrid"
    """Source of default values for the other keys of the objective."""
    local: Literal["hinge", "choice"] = "hinge"
    """Loss on trials: ``hinge`` on both anchors, or the ``choice`` likelihood."""
    margin: float = Field(0.2, ge=0)
    """Hinge margin, in cosine distance."""
    temperature: float = Field(0.1, gt=0)
    """Softmax temperature of the choice likelihood, in cosine similarity."""
    hard_negatives: int = Field(0, ge=0)
    """Number of the most violated hinge constraints that are counted twice."""
    target: Literal["shares", "choice-model", "ordinal"] = "shares"
    """Human dissimilarities of the RSA term: from ``shares`` (how often a pair was kept together), the ``choice-model`` or the
    ``ordinal`` embedding, which also estimates pairs that were not shown. Only judgments among the training clips are used."""
    rsa: Literal["pearson", "spearman"] = "pearson"
    """Type of correlation in the RSA term."""
    softness: float = Field(SOFTNESS, gt=0)
    """Softness of the ranks of a Spearman RSA term; 3 gives the best gradient (`benchmarks/soft_rank.py`)."""
    weighting: Literal["counts", "mask"] = "counts"
    """Whether pairs are weighted by their number of observations, or all observed pairs equally."""
    alpha: float = Field(0.7, ge=0)
    """Weight of the local term."""
    beta: BetaSchedule = BetaSchedule()
    """Weight of the global term, as a function of the epoch."""

    @model_validator(mode="before")
    @classmethod
    def _expand_preset(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("preset", "hybrid") in PRESETS:
            return {**PRESETS[given.get("preset", "hybrid")], **given}
        return given

    @model_validator(mode="after")
    def _refuse_conflicts(self) -> ObjectiveSettings:
        conflicts = [
            ("margin", self.local == "choice", "local: choice has no margin"),
            ("temperature", self.local == "hinge", "local: hinge has no temperature"),
            ("softness", self.rsa == "pearson", "rsa: pearson has no softness"),
            ("hard_negatives", self.local == "choice", "local: choice has no hinge"),
            ("hard_negatives", self.alpha == 0, "alpha: 0 disables the loss on trials"),
        ]
        changed = changed_keys(self)
        for key, conflict, reason in conflicts:
            if key in changed and conflict:
                raise ValueError(f"{key} conflicts with another key: {reason}")
        if self.alpha == 0 and self.beta.maximum == 0:
            raise ValueError("alpha and beta are both 0, so there is nothing to learn")
        return self
