"""Trials of held-out clips that tuning repaired (base errs, tuned agrees with people), and those that it broke."""

from __future__ import annotations

from typing import Any

import numpy as np

from bgs.embeddings import Embeddings
from bgs.evaluation import Disagreement, Disagreements, disagreements
from bgs.experiments.analyses.over_seeds import by_model
from bgs.experiments.applicable import NotApplicable
from bgs.experiments.experiment_data import ExperimentData
from bgs.judgments import Trials


def disagreement(data: ExperimentData) -> dict[str, Any]:
    """``models``: ``counts`` (seed -> triplets compared, repaired, broken, tied) and the examples of the first seed,
    ``repaired`` and ``broken``, each with the ``ids`` of its clips.

    Raises:
        NotApplicable: no trial shows three held-out clips.
    """
    inside = _held_out(data)
    if not len(inside):
        raise NotApplicable("no trial shows three held-out clips")
    return by_model(data, lambda data, model: _of_model(data, model, inside))


def _held_out(data: ExperimentData) -> Trials:
    mask = np.zeros(len(data.study.stimuli), dtype=bool)
    mask[data.evaluated] = True
    return data.study.trials.judgments.within(mask)


def _of_model(data: ExperimentData, model: str, inside: Trials) -> dict[str, Any]:
    found = {seed: _compare(data, inside, *pair) for seed, pair in sorted(data.pairs(model).items())}
    seed, first = next(iter(found.items()))
    examples = {
        kind: [_example(data, row) for row in getattr(first, kind)] for kind in ("repaired", "broken")
    }
    counts = {str(s): {k: v for k, v in r.to_json().items() if k.startswith("n_")} for s, r in found.items()}
    return {"counts": counts, "seed": seed, **examples}


def _compare(data: ExperimentData, inside: Trials, base: Embeddings, tuned: Embeddings) -> Disagreements:
    section = data.config.analyses.disagreement
    assert section is not None
    return disagreements(inside, data.distances(base), data.distances(tuned), most=section.examples)


def _example(data: ExperimentData, row: Disagreement) -> dict[str, Any]:
    return {**row.to_json(), "ids": [data.study.stimuli.ids[i] for i in row.stimuli]}
