"""The behaviour-only reference: an ordinal embedding of half of the people, tested on the choices of the other half."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bgs._errors import DataError
from bgs._rng import generator
from bgs.benchmarks.measurement import KEPT, protocol_name
from bgs.benchmarks.origin import row_origin
from bgs.benchmarks.row import Measurement, Row
from bgs.benchmarks.tracks import TRACKS, Track, load_held_out
from bgs.datasets import Dataset
from bgs.evaluation import evaluate
from bgs.judgments import Trials, ordinal_embedding

#: The reference by which it is measured.
PEOPLE = "people:"


def measure_people(
    name: str = "people",
    *,
    tracks: Sequence[Track] = TRACKS,
    mirror: str | Path | None = None,
    seed: int = 0,
    dimensions: int | None = None,
) -> Row:
    """What other people's choices among the same clips predict: the reference for every encoder, which sees no people.

    Participants are split in halves at random. An ordinal embedding is fitted to the judgments of each half, on held-out clips
    too, and tested on the other half's; both directions are recorded. It says nothing about clips that nobody has judged, and
    it is tested on half of the judgments, so there are no paired differences to encoders.

    Args:
        name: of the row.
        tracks: the sets of held-out clips with odd-one-out choices are measured.
        mirror: as in :func:`bgs.load_dataset`.
        seed: of the halves and the embedding.
        dimensions: of the embedding; by default, chosen by cross-validation within the half it is fitted to.

    Raises:
        DataError: no data set with choices can be loaded.
    """
    measurements: list[Measurement] = []
    missing: dict[str, str] = {}
    hashes: dict[str, dict[str, str]] = {}
    for held_out in (one for track in tracks for one in track.held_out):
        if held_out.ratings:
            missing[held_out.data] = "ratings, not choices"
            continue
        data = load_held_out(held_out, mirror, None)
        hashes[data.name] = dict(data.hashes)
        halves = _halves(data.need_trials(), seed)
        for number, (fitted, tested) in enumerate((halves, halves[::-1])):
            measurements.append(_measure(held_out.data, data, fitted, tested, number, seed, dimensions))
    if not measurements:
        raise DataError("no data set with odd-one-out choices", where=PEOPLE)
    return Row(name, PEOPLE, "people", measurements, missing, {}, row_origin(PEOPLE, [seed], hashes))


def _halves(trials: Trials, seed: int) -> tuple[Trials, Trials]:
    people = np.unique(trials.participant)
    first = generator(seed, "benchmark", "halves").permutation(people)[: len(people) // 2]
    inside = np.isin(trials.participant, first)
    return trials.where(inside), trials.where(~inside)


def _measure(
    name: str, data: Dataset, fitted: Trials, tested: Trials, number: int, seed: int, dimensions: int | None
) -> Measurement:
    embeddings = ordinal_embedding(fitted, data.stimuli.ids, seed=seed, dimensions=dimensions).embeddings()
    result = evaluate(
        embeddings, data.stimuli, tested, protocol=protocol_name(data), distance="euclidean", center=False, permutations=0
    )  # fmt: skip
    metrics = {key: result.metrics[key] for key in KEPT[:2] if key in result.metrics}
    return Measurement(name, "frozen", metrics, seed=number)
