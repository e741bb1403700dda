"""Everything that docs/heider-simmel.md tells of tuning, as docs/results/heider_simmel.json keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from heider_simmel_chapters import Beyond, Moved, transfers, variances
from heider_simmel_choices import WANTED, Choice, from_choices
from heider_simmel_grid import Missing, all_missing_cells, configured, models_asked, opened
from heider_simmel_verbs import Line, from_verbs

from bgs._codec import JsonDataclass
from bgs.evaluation import Metric
from bgs.experiments.chapters.transfer import TRANSFER
from bgs.experiments.chapters.variance import VARIANCE
from bgs.experiments.config import ExperimentConfig


@dataclass(frozen=True)
class Absent(JsonDataclass):
    """What was planned and is not measured.

    Attributes:
        cells: states of encoders, with seeds.
        transfer, variance: encoders without the analysis.
        choices: (encoder, state) without cross-validation.
    """

    cells: list[Missing]
    transfer: list[str]
    variance: list[str]
    choices: list[tuple[str, str]]


@dataclass(frozen=True)
class Measured(JsonDataclass):
    """Results; ``features_only``: encoders whose embeddings of other clips are not known."""

    verbs: list[Line]
    ceiling: Metric
    choices: list[Choice]
    transfer: list[Moved]
    variance: list[Beyond]
    absent: Absent
    features_only: list[str]


def measure() -> Measured:
    """Read the experiments, and cross-validate what is not cross-validated yet."""
    found, configs = opened(), configured()
    ceiling = found[0].cells[0].results()["held-out-pairs"].metrics["rsa_ceiling"]
    lines, choices = from_verbs(found), from_choices()
    moved, beyond = transfers(found), variances(found)
    absent = Absent(
        all_missing_cells(configs),
        [name for name in models_asked(configs, TRANSFER) if name not in {one.encoder for one in moved}],
        [name for name in models_asked(configs, VARIANCE) if name not in {one.encoder for one in beyond}],
        sorted({(one.encoder, one.state) for one in WANTED} - {(one.encoder, one.state) for one in choices}),
    )
    return Measured(lines, ceiling, choices, moved, beyond, absent, features_only(configs))


def features_only(configs: Mapping[str, ExperimentConfig]) -> list[str]:
    """Encoders that are known by their embeddings of these clips alone."""
    return [
        name
        for config in configs.values()
        for name, model in config.models.items()
        if model.model.startswith("features:")
    ]
