"""Learning curves of a finished experiment, for `bgs design`."""

from __future__ import annotations

from pathlib import Path

from bgs._errors import BgsError, DataError
from bgs.collection.forecast import FoundCurve, FoundPoint, Range
from bgs.evaluation import Metric
from bgs.experiments.chapters.kept import read
from bgs.experiments.chapters.learning_curve import LEARNING_CURVE
from bgs.experiments.chapters.learning_curve.curves import ModelCurves
from bgs.experiments.experiment import Experiment, open_experiment
from bgs.experiments.results import SeedMean


def found_curves(folder: str | Path, mirror: str | Path | None = None) -> tuple[FoundCurve, ...]:
    """The curves by number of trials of each model in the chapter ``learning_curve`` of an experiment.

    Raises:
        BgsError: there is no finished experiment, or it has no such curves of judgments.
    """
    experiment = open_experiment(folder, mirror)
    try:
        curves = read(experiment, LEARNING_CURVE)
    except DataError:
        raise
    except BgsError as error:
        raise _without_curves(folder, str(error)) from error
    with_trials = {name: one for name, one in curves.models.items() if "trials" in one.curves}
    if curves.judged != "judgments":
        raise _without_curves(folder, f"{curves.judged} were left out there, not judgments")
    if not with_trials:
        raise _without_curves(folder, "no model has one by number of trials")
    return tuple(_found(experiment, name, one) for name, one in with_trials.items())


def _found(experiment: Experiment, name: str, curves: ModelCurves) -> FoundCurve:
    points = tuple(
        FoundPoint(one.judgments, _range(one.rsa), _range(one.gain)) for one in curves.curves["trials"]
    )
    ceiling = None if curves.ceiling is None else _range(curves.ceiling)
    enough = curves.enough["trials"].judgments
    return FoundCurve(name, experiment.study.dataset.name, experiment.simulated, ceiling, points, enough)


def _range(found: Metric | SeedMean) -> Range:
    return Range(found.value, found.low, found.high)


def _without_curves(folder: str | Path, why: str) -> BgsError:
    return BgsError(
        f"no learning curves of judgments: {why}", where=folder, expected="an experiment with the chapter learning_curve",
        hint="configs/learning-curve-minilm.yaml is one",
    )  # fmt: skip
