"""From verbs to choices: agreement of each finished cell with people's choices among the 54 clips, and paired differences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from heider_simmel_grid import TWINS, is_repeated, state

from bgs._codec import JsonDataclass
from bgs._typing import Float64
from bgs.evaluation import select_protocol
from bgs.evaluation.comparison import Comparison
from bgs.experiments.conditions import Condition
from bgs.experiments.experiment import Experiment
from bgs.experiments.results import SeedMean

#: Differences of a table. Low-level models are controls as they are, and tuned like the encoder.
COLUMNS = ("frozen", "pixels", "tuned pixels", "motion", "tuned motion", "random twin")
_LOW_LEVEL = {"pixels": "pixels:grey", "motion": "motion:energy"}
_Rdm = Float64[np.ndarray, "m m"]


@dataclass(frozen=True)
class Line(JsonDataclass):
    """An encoder in one state: agreement with people, and paired differences from what :data:`COLUMNS` names."""

    encoder: str
    state: str
    rsa: SeedMean
    odd_one_out: SeedMean
    differences: dict[str, SeedMean]


def from_verbs(found: Sequence[Experiment]) -> list[Line]:
    """Every finished cell of the experiments, means over seeds."""
    controls = dict(low_level(found))
    return [
        line(experiment, model, condition, controls, twin_of(found, model, condition))
        for experiment in found
        for model in experiment.config.models
        for condition in Condition
        if experiment.find(model, condition) and not is_repeated(experiment.planned, model, condition)
    ]


def rdms(experiment: Experiment, model: str, condition: Condition) -> dict[int, _Rdm]:
    """Seed -> distances between the 54 clips."""
    found = experiment.base(model) if condition is Condition.BASE else experiment.tuned(model, condition)
    return {seed: experiment.held_out(one) for seed, one in found.items()}


def twin_of(found: Sequence[Experiment], model: str, condition: Condition) -> dict[int, _Rdm]:
    """Distances of the random twin, frozen or trained in the same way; empty where there is none."""
    of = [experiment for experiment in found if TWINS.get(model) in experiment.config.models]
    return rdms(of[0], TWINS[model], condition) if of else {}


def low_level(found: Sequence[Experiment]) -> Iterator[tuple[str, dict[int, _Rdm]]]:
    """Distances of the low-level models, as they are and, seed by seed, tuned."""
    for name, reference in _LOW_LEVEL.items():
        yield name, {0: found[0].held_out(found[0].low_level(reference))}
        for experiment in found:
            if name in experiment.config.models and (tuned := rdms(experiment, name, Condition.HYBRID)):
                yield f"tuned {name}", tuned


def of_seed(found: Mapping[int, _Rdm], seed: int) -> _Rdm:
    """Distances of the same seed, or of the first where that seed has none."""
    return found[seed] if seed in found else found[min(found)]


def line(
    experiment: Experiment,
    model: str,
    condition: Condition,
    controls: Mapping[str, Mapping[int, _Rdm]],
    twin: Mapping[int, _Rdm],
) -> Line:
    """One encoder under one condition."""
    bases, own = rdms(experiment, model, Condition.BASE), rdms(experiment, model, condition)
    first = next(iter(experiment.find(model, condition).values()))
    protocol = select_protocol("held-out-pairs", experiment.study.stimuli, experiment.study.trials)

    def beside(seed: int) -> dict[str, _Rdm]:
        given = {"frozen": bases, **controls, **({"random twin": twin} if twin else {})}
        same = {"frozen", model} if condition is Condition.BASE else {f"tuned {model}"}
        return {name: of_seed(found, seed) for name, found in given.items() if name not in same}

    compared = {
        seed: Comparison.of(protocol, np.stack([rdm, *beside(seed).values()])) for seed, rdm in own.items()
    }

    def mean(measure: str) -> SeedMean:
        return SeedMean.of({seed: one.metrics(0)[measure] for seed, one in compared.items()})

    differences = {
        name: SeedMean.of({seed: one.difference(0, k)["rsa_spearman"] for seed, one in compared.items()})
        for k, name in enumerate(beside(min(own)), 1)
    }
    return Line(model, state(first), mean("rsa_spearman"), mean("odd_one_out_3afc"), differences)
