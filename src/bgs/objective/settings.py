"""Settings of the objective and its presets; unknown and conflicting keys are refused."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from bgs._config import Settings, changed_keys

#: Of 0.3 to 15 the one whose gradient raises the Spearman correlation most, over geometries, sizes and steps
#: (`benchmarks/soft_rank.py`, docs/training.md). At 1 most ranks are hard already and have no gradient.
SOFTNESS = 3.0

PRESETS: dict[str, dict[str, Any]] = {
    # Local and global together: the method of the paper, over all trials and pairs at once.
    "hybrid": {},
    # The paper's loss to the letter (v1): observed pairs count alike, however often they were seen.
    "paper-v1": {"weighting": "mask"},
    "triplet-only": {"beta": {"start": 0.0, "step": 0.0, "maximum": 0.0}},
    "rsa-only": {"alpha": 0.0},
    # As many extra hard constraints per epoch as the RSA term adds in the paper (738).
    "budget-matched": {"beta": {"start": 0.0, "step": 0.0, "maximum": 0.0}, "hard_negatives": 738},
}


class BetaSchedule(Settings):
    """Weight of the RSA term at epoch e (from 0): ``min(maximum, start + step · e)``."""

    start: float = Field(0.3, ge=0)
    """At epoch 0."""
    step: float = Field(0.1, ge=0)
    """Added each epoch."""
    maximum: float = Field(0.7, ge=0)
    """Never more."""

    def at(self, epoch: int) -> float:
        """The weight at an epoch, counted from 0."""
        return min(self.maximum, self.start + self.step * epoch)


class ObjectiveSettings(Settings):
    """Loss = alpha · local + beta(epoch) · (−RSA correlation). Defaults are the paper's (v1)."""

    preset: Literal["hybrid", "triplet-only", "rsa-only", "budget-matched", "paper-v1"] = "hybrid"
    """Where other keys of the objective take their values from."""
    local: Literal["hinge", "choice"] = "hinge"
    """Loss of a trial: ``hinge`` on both anchors, or the ``choice`` likelihood."""
    margin: float = Field(0.2, ge=0)
    """Hinge margin, in cosine distance."""
    temperature: float = Field(0.1, gt=0)
    """Softmax temperature of the choice likelihood, in cosine similarity."""
    hard_negatives: int = Field(0, ge=0)
    """Most violated hinge constraints that are counted twice."""
    target: Literal["shares", "choice-model", "ordinal"] = "shares"
    """Human dissimilarities of the RSA term: ``shares`` kept together, distances of the ``choice-model``, or of the
    ``ordinal`` embedding, which fills in pairs that were not shown. From judgments among the clips trained on."""
    rsa: Literal["pearson", "spearman"] = "pearson"
    """Correlation of the RSA term."""
    softness: float = Field(SOFTNESS, gt=0)
    """Softness of the ranks of a Spearman RSA term; 3 gives the best direction (`benchmarks/soft_rank.py`)."""
    weighting: Literal["counts", "mask"] = "counts"
    """Whether pairs count by their number of observations, or all observed pairs alike."""
    alpha: float = Field(0.7, ge=0)
    """Weight of the local term."""
    beta: BetaSchedule = BetaSchedule()
    """Weight of the global term over epochs."""

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
            ("hard_negatives", self.alpha == 0, "alpha: 0 switches the trials off"),
        ]
        changed = changed_keys(self)
        for key, conflict, reason in conflicts:
            if key in changed and conflict:
                raise ValueError(f"{key} conflicts with another key: {reason}")
        if self.alpha == 0 and self.beta.maximum == 0:
            raise ValueError("alpha and beta are both 0: nothing to learn from")
        return self
