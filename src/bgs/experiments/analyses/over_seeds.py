"""From one result a seed to means over seeds, model by model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from bgs.evaluation import Metric
from bgs.experiments.applicable import NotApplicable
from bgs.experiments.cells import Cell, message_of
from bgs.experiments.conditions import Condition
from bgs.experiments.experiment_data import ExperimentData
from bgs.experiments.results import SeedMean

T = TypeVar("T")


def by_model(
    data: ExperimentData, analyse: Callable[[ExperimentData, str], dict[str, Any]]
) -> dict[str, Any]:
    """``models``: name -> what ``analyse`` found, or why it does not apply.

    Raises:
        NotApplicable: it applies to no model.
    """
    found: dict[str, dict[str, Any]] = {}
    for model in data.config.models:
        try:
            found[model] = analyse(data, model)
        except NotApplicable as reason:
            found[model] = {"not_applicable": message_of(reason)}
    if all("not_applicable" in value for value in found.values()):
        raise NotApplicable("; ".join(dict.fromkeys(value["not_applicable"] for value in found.values())))
    return {"models": found}


def before_and_after(
    data: ExperimentData, model: str, make: Callable[[str, Cell], T]
) -> Iterator[tuple[int, T, T]]:
    """Seed, and what ``make`` makes of the references of base and tuned model; of a base that seeds share, once.

    Raises:
        NotApplicable: the model has no finished hybrid cell.
    """
    bases: dict[int, T] = {}
    for seed, cell in sorted(data.require(model, Condition.HYBRID).items()):
        base_seed = data.config.base_seed(model, seed)
        if base_seed not in bases:
            bases[base_seed] = make(cell.config.reference, cell)
        yield seed, bases[base_seed], make(f"run:{cell.folder.path}", cell)


def means(metrics: Mapping[int, Mapping[str, Metric]]) -> dict[str, SeedMean]:
    """Name -> mean over seeds, of the names that every seed has."""
    first = next(iter(metrics.values()))
    names = [name for name in first if all(name in found for found in metrics.values())]
    return {name: SeedMean.of({seed: found[name] for seed, found in metrics.items()}) for name in names}


def base_means(
    data: ExperimentData, model: str, metrics: Mapping[int, Mapping[str, Metric]]
) -> dict[str, SeedMean]:
    """The same for a base model, by the seed that it was made with: one, unless it depends on the seed."""
    return means({data.config.base_seed(model, seed): found for seed, found in metrics.items()})


def to_json(figures: Mapping[str, SeedMean]) -> dict[str, Any]:
    """Name -> figure as JSON types."""
    return {name: figure.to_json() for name, figure in figures.items()}


def from_json(figures: Mapping[str, Any]) -> dict[str, SeedMean]:
    """What :func:`to_json` wrote."""
    return {name: SeedMean.from_json(figure) for name, figure in figures.items()}
