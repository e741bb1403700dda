"""Everything that docs/heider-simmel.md tells of tuning, as docs/results/heider_simmel.json keeps it.

The experiments take hours and their folders are not in the repository. What was measured in a folder that is no longer here is
therefore kept from docs/results/heider_simmel.json.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from heider_simmel_chapters import Beyond, Moved, transfers, variances
from heider_simmel_choices import WANTED, Choice, from_choices
from heider_simmel_grid import Missing, all_missing_cells, configured, models_asked, opened
from heider_simmel_verbs import Line, from_verbs

from bgs._codec import JsonDataclass
from bgs.evaluation import Metric
from bgs.experiments.chapters.transfer import TRANSFER
from bgs.experiments.chapters.variance import VARIANCE
from bgs.experiments.config import ExperimentConfig
from bgs.experiments.results import SeedMean


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


_Of = TypeVar("_Of", Choice, Moved, Beyond)


def measure(kept: Measured | None = None) -> Measured:
    """Read the experiments, and cross-validate what is not cross-validated yet.

    Args:
        kept: what was measured before; it stands where the experiments that are here do not say as much.
    """
    found, configs = opened(), configured()
    ceiling = found[0].cells[0].results()["held-out-pairs"].metrics["rsa_ceiling"]
    lines = merged_lines(from_verbs(found), kept.verbs if kept else [])
    before = kept.choices if kept else []
    choices = merged(from_choices({(one.encoder, one.state) for one in before}), before)
    moved = merged(transfers(found), kept.transfer if kept else [])
    beyond = merged(variances(found), kept.variance if kept else [])
    absent = Absent(
        still_missing(all_missing_cells(configs), lines),
        [name for name in models_asked(configs, TRANSFER) if name not in {one.encoder for one in moved}],
        [name for name in models_asked(configs, VARIANCE) if name not in {one.encoder for one in beyond}],
        sorted({(one.encoder, one.state) for one in WANTED} - {(one.encoder, one.state) for one in choices}),
    )
    return Measured(lines, ceiling, choices, moved, beyond, absent, features_only(configs))


def merged(new: Sequence[_Of], kept: Sequence[_Of]) -> list[_Of]:
    """What is new, and what is kept of other encoders and states."""
    found = {(one.encoder, one.state): one for one in kept}
    return list((found | {(one.encoder, one.state): one for one in new}).values())


def merged_lines(new: Sequence[Line], kept: Sequence[Line]) -> list[Line]:
    """Of each encoder and state the mean over all its seeds; seeds that are measured again replace all that is kept."""
    found = {(one.encoder, one.state): one for one in kept}
    for one in new:
        before = found.get((one.encoder, one.state))
        found[one.encoder, one.state] = one if before is None else _merged_line(one, before)
    return list(found.values())


def _merged_line(new: Line, kept: Line) -> Line:
    """Differences from models that are not here any more stay."""
    if set(new.rsa.seeds) < set(kept.rsa.seeds):
        return kept
    both = {name: over_seeds(new.differences[name], kept.differences[name])
            for name in new.differences.keys() & kept.differences.keys()}  # fmt: skip
    return Line(new.encoder, new.state, over_seeds(new.rsa, kept.rsa), over_seeds(new.odd_one_out, kept.odd_one_out),
                kept.differences | new.differences | both)  # fmt: skip


def over_seeds(new: SeedMean, kept: SeedMean) -> SeedMean:
    """The mean over the seeds of both, as :meth:`SeedMean.of` takes it; the new one where they share seeds."""
    if new.seeds.keys() & kept.seeds.keys():
        return new
    share = len(new.seeds) / (len(new.seeds) + len(kept.seeds))

    def mean(name: str) -> float:
        return share * getattr(new, name) + (1 - share) * getattr(kept, name)

    return replace(
        new, value=mean("value"), low=mean("low"), high=mean("high"), p=None, seeds=kept.seeds | new.seeds
    )


def still_missing(cells: Sequence[Missing], lines: Sequence[Line]) -> list[Missing]:
    """Without the seeds that a line has."""
    seeds = {(line.encoder, line.state): set(line.rsa.seeds) for line in lines}
    left = []
    for one in cells:
        lacking = tuple(seed for seed in one.seeds if seed not in seeds.get((one.encoder, one.state), ()))
        if lacking:
            left.append(replace(one, seeds=lacking, all_seeds=one.all_seeds and lacking == one.seeds))
    return left


def features_only(configs: Mapping[str, ExperimentConfig]) -> list[str]:
    """Encoders that are known by their embeddings of these clips alone."""
    return [
        name
        for config in configs.values()
        for name, model in config.models.items()
        if model.model.startswith("features:")
    ]
