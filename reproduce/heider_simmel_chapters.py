"""Chapters of the experiments, of every encoder: transfer to PHASE, and variance beyond verbs and low-level models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from heider_simmel_grid import results_of, state

from bgs._codec import JsonDataclass
from bgs.evaluation import Metric
from bgs.experiments.chapters.over_seeds import Change
from bgs.experiments.chapters.transfer import TRANSFER
from bgs.experiments.chapters.variance import VARIANCE
from bgs.experiments.chapters.variance.partitions import BEYOND_BASE, LOW_LEVEL
from bgs.experiments.conditions import Condition
from bgs.experiments.experiment import Experiment
from bgs.experiments.results import SeedMean

#: Of a transfer, and what each is called.
MEASURES = {"rsa_spearman": "RSA, Spearman", "balanced_accuracy": "decoding, balanced accuracy"}
#: Partition of the variance -> what the tuned encoder explains more than.
BEYOND = {"verbs": "verbs", LOW_LEVEL: "pixels and motion", BEYOND_BASE: "itself frozen"}


@dataclass(frozen=True)
class Moved(JsonDataclass):
    """An encoder on PHASE, frozen and tuned: measure -> change, and reference levels of decoding."""

    encoder: str
    state: str
    changes: dict[str, Change]
    references: dict[str, Metric]


@dataclass(frozen=True)
class Beyond(JsonDataclass):
    """Proportions of variance that a tuned encoder explains: alone, and beyond what :data:`BEYOND` names.

    Attributes:
        verbs: what verbs explain beyond the encoder; None where they were not partialled out.
    """

    encoder: str
    state: str
    alone: SeedMean
    beyond: dict[str, SeedMean]
    verbs: SeedMean | None = None


def transfers(found: Sequence[Experiment]) -> list[Moved]:
    """Of every encoder whose experiment has the chapter."""
    return [
        Moved(model, _state(experiment, model), {name: one.changes[name] for name in MEASURES if name in one.changes},
              one.references)
        for model, (experiment, one) in results_of(found, TRANSFER).items()
    ]  # fmt: skip


def variances(found: Sequence[Experiment]) -> list[Beyond]:
    """Of every encoder whose experiment has the chapter; parts on held-out clips."""
    lines = []
    for model, (experiment, one) in results_of(found, VARIANCE).items():
        parts = {name: one.partitions[name] for name in BEYOND if name in one.partitions}
        if not parts:
            continue
        own = Condition.HYBRID.value
        alone = next(iter(parts.values())).alone[own]
        verbs = parts["verbs"].cross_validated["verbs"] if "verbs" in parts else None
        beyond = {name: part.cross_validated[own] for name, part in parts.items()}
        lines.append(Beyond(model, _state(experiment, model), alone, beyond, verbs))
    return lines


def _state(experiment: Experiment, model: str) -> str:
    """How the tuned model of the chapters was tuned."""
    return state(next(iter(experiment.require(model, Condition.HYBRID).values())))
