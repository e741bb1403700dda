"""A description of a data set in JSON types: counts, ratings, first stimuli and trials, and terms of use."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from bgs.datasets.dataset import Dataset
from bgs.judgments import Trials
from bgs.stimuli import StimulusSet


def describe_dataset(dataset: Dataset, first: int = 5) -> dict[str, Any]:
    """Describe a data set in JSON types, as ``bgs data show --json`` writes it.

    Args:
        dataset: the data set.
        first: number of stimuli and trials to include.
    """
    stimuli, trials = dataset.stimuli, dataset.trials
    return {
        "name": dataset.name,
        "simulated": dataset.simulated,
        "stimuli": len(stimuli),
        "split": None if stimuli.split is None else dict(Counter(stimuli.split)),
        "captions": None if stimuli.captions is None else sum(map(len, stimuli.captions)),
        "clips": 0 if stimuli.videos is None else len(stimuli) - stimuli.videos.count(None),
        "labels": {name: dict(Counter(values)) for name, values in stimuli.labels.items()},
        "ratings": _ratings(stimuli),
        "trials": 0 if trials is None else len(trials),
        "participants": 0 if trials is None else len(set(trials.participant.tolist())),
        "first_stimuli": [_stimulus(stimuli, i) for i in range(min(first, len(stimuli)))],
        "first_trials": [] if trials is None else _trials(trials, stimuli, first),
        "folder": None if dataset.folder is None else str(dataset.folder),
        "hashes": dict(dataset.hashes),
        "licence": dataset.licence,
        "citation": dataset.citation,
        "notes": list(dataset.notes),
    }


@dataclass(frozen=True)
class RatingRange:
    """Number of rated stimuli, and minimum, mean and maximum rating; NaN if there are none."""

    known: int
    least: float
    mean: float
    greatest: float


def rating_ranges(stimuli: StimulusSet) -> dict[str, RatingRange]:
    """Rating -> its range."""
    found = {}
    for name, values in stimuli.ratings.items():
        known = values[~np.isnan(values)]
        figures = (known.min(), known.mean(), known.max()) if len(known) else (np.nan,) * 3
        found[name] = RatingRange(len(known), *map(float, figures))
    return found


def _ratings(stimuli: StimulusSet) -> dict[str, Any]:
    ranges = {name: asdict(of) for name, of in rating_ranges(stimuli).items()}
    return {
        name: {key: None if np.isnan(value) else value for key, value in of.items()}
        for name, of in ranges.items()
    }


def _stimulus(stimuli: StimulusSet, position: int) -> dict[str, Any]:
    return {
        "id": stimuli.ids[position],
        "split": stimuli.split[position] if stimuli.split else None,
        "captions": list(stimuli.captions[position]) if stimuli.captions else [],
        "labels": {name: values[position] for name, values in stimuli.labels.items()},
    }


def _trials(trials: Trials, stimuli: StimulusSet, first: int) -> list[dict[str, Any]]:
    shown = [[stimuli.ids[position] for position in trio] for trio in trials.stimuli[:first]]
    return [
        {"participant": str(trials.participant[i]), "stimuli": trio, "odd": trio[int(trials.odd[i])]}
        for i, trio in enumerate(shown)
    ]
