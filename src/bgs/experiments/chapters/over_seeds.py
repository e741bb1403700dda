"""From one result per seed to means over seeds, for each model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from bgs._errors import message_of
from bgs.evaluation import Metric
from bgs.experiments.chapters.chapter import NotApplicable
from bgs.experiments.conditions import Condition
from bgs.experiments.results import SeedMean, with_q

if TYPE_CHECKING:
    from bgs.experiments.cells import Cell
    from bgs.experiments.experiment import Experiment

T = TypeVar("T")

#: Name (of a rating, region or measure) -> figure, and -> metric of one seed.
Figures = dict[str, SeedMean]
Metrics = Mapping[str, Metric]


def by_model(experiment: Experiment, analyse: Callable[[str], T]) -> tuple[dict[str, T], dict[str, str]]:
    """Model -> result of ``analyse``, and model -> why it does not apply.

    Raises:
        NotApplicable: it applies to no model.
    """
    found: dict[str, T] = {}
    reasons: dict[str, str] = {}
    for model in experiment.config.models:
        try:
            found[model] = analyse(model)
        except NotApplicable as reason:
            reasons[model] = message_of(reason)
    if not found:
        raise NotApplicable("; ".join(dict.fromkeys(reasons.values())))
    return found, reasons


def before_and_after(
    experiment: Experiment, model: str, make: Callable[[str, Cell], T]
) -> Iterator[tuple[int, T, T]]:
    """Seed, and the results of ``make`` for the references of base and tuned model; once for a base that seeds share.

    Raises:
        NotApplicable: the model has no finished hybrid cell.
    """
    bases: dict[int, T] = {}
    for seed, cell in sorted(experiment.require(model, Condition.HYBRID).items()):
        base_seed = experiment.config.base_seed(model, seed)
        if base_seed not in bases:
            bases[base_seed] = make(cell.config.reference, cell)
        yield seed, bases[base_seed], make(f"run:{cell.folder.path}", cell)


def means(metrics: Mapping[int, Metrics]) -> Figures:
    """Name -> mean over seeds, for names that all seeds have."""
    first = next(iter(metrics.values()))
    names = [name for name in first if all(name in found for found in metrics.values())]
    return {name: SeedMean.of({seed: found[name] for seed, found in metrics.items()}) for name in names}


def base_means(experiment: Experiment, model: str, metrics: Mapping[int, Metrics]) -> Figures:
    """The same for a base model, by the seed of its weights: a single one, unless it depends on the seed."""
    return means({experiment.config.base_seed(model, seed): found for seed, found in metrics.items()})


@dataclass(frozen=True)
class Change:
    """A figure for base and tuned model, and their paired difference."""

    base: SeedMean
    tuned: SeedMean
    difference: SeedMean


def changes(
    experiment: Experiment,
    model: str,
    found: Mapping[int, tuple[Metrics, Metrics, Metrics]],
    adjusted: bool = False,
) -> dict[str, Change]:
    """Name -> means over seeds of base, tuned and difference; ``adjusted``: each with q over the names."""
    base, tuned, difference = ({seed: one[k] for seed, one in found.items()} for k in range(3))
    tables = base_means(experiment, model, base), means(tuned), means(difference)
    columns = [with_q(table) for table in tables] if adjusted else tables
    return {name: Change(*(column[name] for column in columns)) for name in tables[2]}
