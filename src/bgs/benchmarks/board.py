"""Rows beside each other: sorted, with paired differences to the best, to the frozen encoder and to its random twin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bgs._codec import JsonDataclass
from bgs._errors import DataError
from bgs.benchmarks.measurement import protocol_name
from bgs.benchmarks.row import Measurement, Row, State, unpacked
from bgs.benchmarks.tracks import TRACKS, HeldOut, Track, load_held_out
from bgs.evaluation import Comparison, Metric, mean_metric, select_protocol
from bgs.evaluation.against_rdm import clip_reach
from bgs.evaluation.designs import bounded

#: Mean over the seeds of one encoder minus that of another, paired.
Difference = Callable[[Sequence[Measurement], Sequence[Measurement]], Metric]


@dataclass(frozen=True)
class Entry(JsonDataclass):
    """An encoder in one state on one data set; means over seeds.

    Attributes:
        name, kind, twin_of: of its row.
        state: frozen or tuned.
        metrics: ``rsa_spearman``, and for choices ``odd_one_out_3afc``.
        seeds: RSA of each seed.
        to_best: minus the best entry, paired; None for the best itself and for people.
        to_frozen: tuned minus frozen.
        to_twin: minus the random twin in the same state.
    """

    name: str
    kind: str
    state: State
    metrics: dict[str, Metric]
    seeds: list[float]
    twin_of: str | None = None
    to_best: Metric | None = None
    to_frozen: Metric | None = None
    to_twin: Metric | None = None

    @property
    def rsa(self) -> Metric:
        """Spearman correlation with people."""
        return self.metrics["rsa_spearman"]


@dataclass(frozen=True)
class Board(JsonDataclass):
    """All encoders on one set of held-out clips, the best first.

    Attributes:
        data: name of the data set.
        entries: sorted by RSA.
        ceilings: ``rsa_ceiling`` and, for choices, the range of the best possible odd-one-out accuracy.
    """

    data: str
    entries: list[Entry]
    ceilings: dict[str, Metric]


def compare(
    rows: Sequence[Row], tracks: Sequence[Track] = TRACKS, mirror: str | Path | None = None
) -> list[Board]:
    """A board for every data set that some row has measured.

    Rows hold distances between clips, not embeddings: with the public judgments these suffice for paired differences between
    encoders that were measured on different machines.

    Raises:
        DataError: distances of a row do not give its recorded value: it was measured on other judgments.
    """
    boards = []
    for held_out in (one for track in tracks for one in track.held_out):
        measured = [m for row in rows for m in row.measurements if m.data == held_out.data]
        if measured:
            boards.append(_board(rows, held_out, _pairing(held_out, measured, mirror)))
    return boards


def _board(rows: Sequence[Row], held_out: HeldOut, difference: Difference) -> Board:
    states: tuple[State, ...] = ("frozen", "tuned")
    found = {
        (row.name, state): (row, row.of(held_out.data, state))
        for row in rows
        for state in states
        if row.of(held_out.data, state)
    }
    scores = {
        key: mean_metric([m.metrics["rsa_spearman"] for m in ms]).value for key, (_, ms) in found.items()
    }
    encoders = [key for key, (row, _) in found.items() if row.kind != "people"]
    best = max(encoders, key=lambda key: scores[key], default=None)
    twins = {row.twin_of: row.name for row in rows if row.twin_of}

    def minus(key: tuple[str, State], other: tuple[str | None, State] | None) -> Metric | None:
        if other is None or other == key or other not in encoders or key not in encoders:
            return None
        (_, first), (_, second) = found[key], found[other]
        return difference(first, second)

    entries = [
        Entry(
            name, row.kind, state, _means(ms), [m.metrics["rsa_spearman"].value for m in ms], row.twin_of,
            to_best=minus((name, state), best), to_twin=minus((name, state), (twins.get(name), state)),
            to_frozen=minus((name, state), (name, "frozen")),
        )
        for (name, state), (row, ms) in found.items()
    ]  # fmt: skip
    ceilings = next((_ceilings(ms) for row, ms in found.values() if row.kind != "people"), {})
    return Board(held_out.data, sorted(entries, key=lambda entry: -entry.rsa.value), ceilings)


def _means(measurements: Sequence[Measurement]) -> dict[str, Metric]:
    names = [name for name in ("rsa_spearman", "odd_one_out_3afc") if name in measurements[0].metrics]
    return {name: mean_metric([m.metrics[name] for m in measurements]) for name in names}


def _ceilings(measurements: Sequence[Measurement]) -> dict[str, Metric]:
    return {name: metric for name, metric in measurements[0].metrics.items() if "ceiling" in name}


def _pairing(held_out: HeldOut, measured: Sequence[Measurement], mirror: str | Path | None) -> Difference:
    if held_out.ratings or not any(m.distances for m in measured):
        return _of_clips
    return _of_choices(held_out, measured, mirror)


def _of_clips(first: Sequence[Measurement], second: Sequence[Measurement]) -> Metric:
    """For ratings: the jackknife over clips of the difference."""
    one, other = _means(first)["rsa_spearman"], _means(second)["rsa_spearman"]
    without = [np.mean([m.without_each for m in several], axis=0) for several in (first, second)]
    value, reach = one.value - other.value, clip_reach(without[0] - without[1])
    return Metric(value, *bounded(value, reach, (-2.0, 2.0)), one.n, one.unit)


def _of_choices(held_out: HeldOut, measured: Sequence[Measurement], mirror: str | Path | None) -> Difference:
    """For choices: differences over clips and people, see :class:`bgs.evaluation.Comparison`."""
    known = [m for m in measured if m.distances]
    data = load_held_out(held_out, mirror, None)
    protocol = select_protocol(protocol_name(data), data.stimuli, data.need_trials())
    rdms = np.stack([unpacked(m.distances, len(protocol.positions)) for m in known])
    comparison = Comparison.of(protocol, rdms)
    _require_same_values(held_out.data, known, comparison)
    place = {m.distances: k for k, m in enumerate(known)}

    def difference(first: Sequence[Measurement], second: Sequence[Measurement]) -> Metric:
        weights = dict.fromkeys(place.values(), 0.0)
        for several, sign in ((first, 1.0), (second, -1.0)):
            for m in several:
                weights[place[m.distances]] += sign / len(several)
        return comparison.contrast("rsa_spearman", {k: weight for k, weight in weights.items() if weight})

    return difference


def _require_same_values(data: str, known: Sequence[Measurement], comparison: Comparison) -> None:
    for m, value in zip(known, comparison.values[0], strict=True):
        recorded = m.metrics["rsa_spearman"].value
        if not np.isclose(value, recorded, atol=1e-4):
            raise DataError(
                "distances do not give the recorded value", where=f"{data}, {m.state}", expected=f"{recorded:.4f}",
                got=f"{value:.4f}", hint="measure it again: the judgments or the code have changed",
            )  # fmt: skip
