"""The experiments of docs/heider-simmel.md: their folders, which cells and analyses are finished, and which are missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bgs._errors import BgsError
from bgs._progress import note
from bgs.experiments.cells import Cell, cells_of
from bgs.experiments.chapters import AnalysisFailed, Chapter, NotApplicable
from bgs.experiments.chapters.kept import read
from bgs.experiments.conditions import Condition
from bgs.experiments.config import ExperimentConfig, load_experiment
from bgs.experiments.experiment import Experiment, open_experiment

ROOT = Path(__file__).parents[1]
EXPERIMENTS = Path("experiments")
NAMES = (
    "heider-simmel-verbs",
    "heider-simmel-verbs-twins",
    "heider-simmel-verbs-vit",
    "heider-simmel-verbs-vit-lora",
)
#: Encoder -> the same network with random weights.
TWINS = {"tiny-videomae": "tiny-random", "vit-16": "vit-16-random"}
#: Condition -> what sets its training apart.
_CONTROLS = {
    Condition.TRIPLET_ONLY: ", trials only",
    Condition.RSA_ONLY: ", RDM only",
    Condition.SHUFFLED: ", shuffled names",
}


@dataclass(frozen=True)
class Missing:
    """A state of an encoder, with the seeds that are not finished; all of them, or some."""

    encoder: str
    state: str
    seeds: tuple[int, ...]
    all_seeds: bool


def configured() -> dict[str, ExperimentConfig]:
    """Name -> configuration, as it is in configs/."""
    return {name: load_experiment(ROOT / "configs" / f"{name}.yaml") for name in NAMES}


def opened() -> list[Experiment]:
    """The experiments that have finished cells; a note names the others.

    Raises:
        BgsError: there are none.
    """
    found = []
    for name in NAMES:
        path = EXPERIMENTS / name
        experiment = open_experiment(path) if (path / "experiment.yaml").is_file() else None
        if experiment is not None and experiment.cells:
            found.append(experiment)
        else:
            note(f"{path}: left out, no finished cells")
    if not found:
        raise BgsError(
            "no experiment with finished cells", where=EXPERIMENTS, hint="`make heider-simmel` runs them"
        )
    return found


def state(cell: Cell) -> str:
    """What was done to the model."""
    if cell.condition is Condition.BASE:
        return "frozen"
    how = (
        "linear transform"
        if cell.config.transform is not None
        else "LoRA"
        if cell.config.lora
        else "trained in full"
    )
    return how + _CONTROLS.get(cell.condition, "")


def is_repeated(planned: Sequence[Cell], model: str, condition: Condition) -> bool:
    """Whether a condition trains as ``hybrid`` does: ``transform-only`` of a model without adapters."""
    if condition is not Condition.TRANSFORM_ONLY:
        return False
    return any(
        cell.config.transform is not None
        for cell in planned
        if (cell.model, cell.condition) == (model, Condition.HYBRID)
    )


def missing_cells(planned: Sequence[Cell]) -> Iterator[Missing]:
    """States of encoders with cells that are planned and not finished."""
    states: dict[tuple[str, str], list[Cell]] = {}
    for cell in planned:
        if not is_repeated(planned, cell.model, cell.condition):
            states.setdefault((cell.model, state(cell)), []).append(cell)
    for (model, what), cells in states.items():
        left = tuple(cell.seed for cell in cells if not cell.marker.is_file())
        if left:
            yield Missing(model, what, left, len(left) == len(cells))


def all_missing_cells(configs: Mapping[str, ExperimentConfig]) -> list[Missing]:
    """Those of every configured experiment, whether its folder exists or not."""
    return [
        one
        for name, config in configs.items()
        for one in missing_cells(cells_of(config, EXPERIMENTS / name / "cells", str(config.data)))
    ]


def results_of(found: Sequence[Experiment], chapter: Chapter[Any, Any]) -> dict[str, tuple[Experiment, Any]]:
    """Model -> its experiment, and what the chapter found; notes tell what is left out."""
    results: dict[str, tuple[Experiment, Any]] = {}
    for experiment in found:
        try:
            result = read(experiment, chapter)
        except (NotApplicable, AnalysisFailed) as reason:
            note(f"{experiment.folder.path}, {chapter.name}: left out, {reason}")
            continue
        for model, reason in result.not_applicable.items():
            note(f"{experiment.folder.path}, {chapter.name} of {model}: left out, {reason}")
        results |= {model: (experiment, one) for model, one in result.models.items()}
    return results


def models_asked(configs: Mapping[str, ExperimentConfig], chapter: Chapter[Any, Any]) -> list[str]:
    """Models of the experiments whose configuration has the chapter."""
    return [
        model
        for config in configs.values()
        if config.analyses.of(chapter) is not None
        for model in config.models
    ]
