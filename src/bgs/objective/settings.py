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
    step: float = Field(0.1, ge=0)
    maximum: float = Field(0.7, ge=0)

    def at(self, epoch: int) -> float:
        """The weight at an epoch, counted from 0."""
        return min(self.maximum, self.start + self.step * epoch)


class ObjectiveSettings(Settings):
    """Loss = alpha · local + beta(epoch) · (−RSA correlation). Defaults are the paper's (v1)."""

    preset: Literal["hybrid", "triplet-only", "rsa-only", "budget-matched", "paper-v1"] = "hybrid"
    #: Loss of a trial: ``hinge`` on both anchors, or the ``choice`` likelihood.
    local: Literal["hinge", "choice"] = "hinge"
    #: Hinge margin, in cosine distance.
    margin: float = Field(0.2, ge=0)
    #: Softmax temperature of the choice likelihood, in cosine similarity.
    temperature: float = Field(0.1, gt=0)
    #: Most violated hinge constraints that are counted twice.
    hard_negatives: int = Field(0, ge=0)
    #: Human dissimilarities of the RSA term: ``shares`` kept together, distances of the ``choice-model``, or of the
    #: ``ordinal`` embedding, which fills in pairs that were not shown. From judgments among the clips trained on.
    target: Literal["shares", "choice-model", "ordinal"] = "shares"
    #: Correlation of the RSA term.
    rsa: Literal["pearson", "spearman"] = "pearson"
    #: Softness of the ranks of a Spearman RSA term; 3 gives the best direction (`benchmarks/soft_rank.py`).
    softness: float = Field(SOFTNESS, gt=0)
    #: Whether pairs count by their number of observations, or all observed pairs alike.
    weighting: Literal["counts", "mask"] = "counts"
    #: Weight of the local term.
    alpha: float = Field(0.7, ge=0)
    #: Weight of the global term over epochs.
    beta: BetaSchedule = BetaSchedule()

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
