"""From verbs to choices: agreement of each finished cell with people's choices among the 54 clips, and paired differences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bgs._codec import JsonDataclass
from bgs._typing import Float64
from bgs.evaluation import Metric, select_protocol
from bgs.evaluation.comparison import Comparison
from bgs.experiments.cells import Cell
from bgs.experiments.conditions import Condition
from bgs.experiments.experiment import Experiment, open_experiment
from bgs.experiments.results import SeedMean

VERBS = Path("experiments/heider-simmel-verbs")
EXPERIMENTS = (
    VERBS,
    Path("experiments/heider-simmel-verbs-twins"),
    Path("experiments/heider-simmel-verbs-vit"),
)
#: Condition -> what was done to a model whose adapters are trained.
DONE = {
    Condition.BASE: "frozen",
    Condition.TRANSFORM_ONLY: "linear transform",
    Condition.HYBRID: "LoRA",
    Condition.TRIPLET_ONLY: "LoRA, trials only",
    Condition.RSA_ONLY: "LoRA, RDM only",
    Condition.SHUFFLED: "LoRA, shuffled names",
}
#: Differences of a table. Low-level models are controls as they are, and tuned like the encoder.
COLUMNS = ("frozen", "pixels", "tuned pixels", "motion", "tuned motion", "random twin")
#: Encoder -> the same network with random weights.
TWINS = {"tiny-videomae": "tiny-random", "vit-16": "vit-16-random"}
_Rdm = Float64[np.ndarray, "m m"]


@dataclass(frozen=True)
class Line(JsonDataclass):
    """An encoder in one state: agreement with people, and paired differences from what :data:`COLUMNS` names."""

    encoder: str
    state: str
    rsa: SeedMean
    odd_one_out: SeedMean
    differences: dict[str, SeedMean]


def from_verbs() -> tuple[list[Line], Metric]:
    """Every finished cell of the experiments, means over seeds, and the ceiling."""
    found = [open_experiment(path) for path in EXPERIMENTS if (path / "experiment.yaml").is_file()]
    first = found[0]
    controls = dict(low_level(first))
    lines = [
        line(experiment, model, condition, controls, twin_of(found, model, condition))
        for experiment in found
        for model in experiment.config.models
        for condition in DONE
        if trained_otherwise(experiment, model, condition)
    ]
    results = next(cell for cell in first.cells).results()
    return lines, results["held-out-pairs"].metrics["rsa_ceiling"]


def trained_otherwise(experiment: Experiment, model: str, condition: Condition) -> bool:
    """Whether the cells are there, and those of ``transform-only`` are not the same: some models have no adapters."""
    cells = experiment.find(model, condition)
    same = experiment.find(model, Condition.TRANSFORM_ONLY) and condition is not Condition.TRANSFORM_ONLY
    return bool(cells) and not (trains_transform(cells) and same)


def trains_transform(cells: Mapping[int, Cell]) -> bool:
    """Whether what is trained is a transform of frozen embeddings."""
    first = next(iter(cells.values()))
    return first.condition is not Condition.BASE and first.config.transform is not None


def state(cells: Mapping[int, Cell]) -> str:
    """What was done to the model."""
    first = next(iter(cells.values()))
    if trains_transform(cells):
        return DONE[Condition.TRANSFORM_ONLY]
    return (
        "trained"
        if first.config.lora is None and first.condition is Condition.HYBRID
        else DONE[first.condition]
    )


def rdms(experiment: Experiment, model: str, condition: Condition) -> dict[int, _Rdm]:
    """Seed -> distances between the 54 clips."""
    found = experiment.base(model) if condition is Condition.BASE else experiment.tuned(model, condition)
    return {seed: experiment.held_out(one) for seed, one in found.items()}


def twin_of(found: list[Experiment], model: str, condition: Condition) -> dict[int, _Rdm]:
    """Distances of the random twin, frozen or trained in the same way; empty where there is none."""
    of = [experiment for experiment in found if TWINS.get(model) in experiment.config.models]
    return rdms(of[0], TWINS[model], condition) if of else {}


def low_level(experiment: Experiment) -> Iterator[tuple[str, _Rdm]]:
    """Distances of the low-level models, as they are and tuned (a transform, under every condition)."""
    for name in ("pixels", "motion"):
        yield name, experiment.held_out(experiment.low_level(experiment.config.models[name].model))
        for tuned in list(rdms(experiment, name, Condition.HYBRID).values())[:1]:
            yield f"tuned {name}", tuned


def line(
    experiment: Experiment,
    model: str,
    condition: Condition,
    controls: Mapping[str, _Rdm],
    twin: Mapping[int, _Rdm],
) -> Line:
    """One encoder under one condition."""
    bases, own = rdms(experiment, model, Condition.BASE), rdms(experiment, model, condition)
    what = state(experiment.find(model, condition))
    protocol = select_protocol("held-out-pairs", experiment.study.stimuli, experiment.study.trials)

    def beside(seed: int) -> dict[str, _Rdm]:
        frozen = bases.get(seed, bases[min(bases)])
        twins = {"random twin": twin.get(seed, twin[min(twin)])} if twin else {}
        given = {"frozen": frozen, **controls, **twins}
        same = {"frozen", model} if condition is Condition.BASE else {f"tuned {model}"}
        return {name: rdm for name, rdm in given.items() if name not in same}

    compared = {
        seed: Comparison.of(protocol, np.stack([rdm, *beside(seed).values()])) for seed, rdm in own.items()
    }

    def mean(measure: str) -> SeedMean:
        return SeedMean.of({seed: one.metrics(0)[measure] for seed, one in compared.items()})

    differences = {
        name: SeedMean.of({seed: one.difference(0, k)["rsa_spearman"] for seed, one in compared.items()})
        for k, name in enumerate(beside(min(own)), 1)
    }
    return Line(model, what, mean("rsa_spearman"), mean("odd_one_out_3afc"), differences)
