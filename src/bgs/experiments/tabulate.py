"""From finished cells to the results table, with paired comparisons between the cells of one model and seed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bgs._codec import from_json, to_json
from bgs._files import damage_as_error, read_json, sha256_of, write_json
from bgs.embeddings import Embeddings
from bgs.evaluation import Metric, Result, contrasts, evaluate
from bgs.experiments.conditions import Condition
from bgs.experiments.results import Ceilings, Level, ProtocolResults, ResultsTable, Row

if TYPE_CHECKING:
    from bgs.experiments.experiment import Experiment

_AGAIN = "delete it, then `bgs experiment` makes it anew"

#: Name of the captions where a condition is expected.
CAPTIONS = "captions"

#: ``"hybrid - shuffled"`` and the like -> measure -> difference.
Differences = dict[str, dict[str, Metric]]


def results_table(experiment: Experiment) -> ResultsTable:
    """Means over seeds, differences and ceilings of all finished cells.

    Paired comparisons and the evaluation of the captions are computed when first needed and stored.
    """
    captions, results = _caption_results(experiment), [cell.results() for cell in experiment.cells]
    compared = {model: _compared(experiment, model) for model in experiment.config.models}
    protocols: dict[str, ProtocolResults] = {}
    for protocol in experiment.config.evaluation.protocols:
        ceilings = Ceilings.of([found[protocol] for found in (*results, captions) if found])
        protocols[protocol] = ProtocolResults(
            ceilings=ceilings,
            models={
                model: _levels(experiment, model, protocol, ceilings) for model in experiment.config.models
            },
            differences={
                model: _differences_to_base(experiment, model, protocol)
                | _means_by_pair({seed: found[protocol] for seed, found in by_seed.items()})
                for model, by_seed in compared.items()
            },
            captions=Level.of(Row.single(captions[protocol].metrics), ceilings) if captions else None,
        )
    return ResultsTable(protocols)


def _levels(experiment: Experiment, model: str, protocol: str, ceilings: Ceilings) -> dict[str, Level]:
    levels = {}
    for condition in experiment.config.conditions:
        cells = experiment.find(model, condition)
        if cells:
            found = {seed: cell.results()[protocol].metrics for seed, cell in cells.items()}
            levels[condition.value] = Level.of(Row.means(found), ceilings)
    return levels


def _differences_to_base(experiment: Experiment, model: str, protocol: str) -> dict[str, Row]:
    rows = {}
    for condition in experiment.config.trained:
        cells = experiment.find(model, condition)
        if cells:
            found = {seed: cell.results()[protocol].differences for seed, cell in cells.items()}
            rows[f"{condition} - {Condition.BASE}"] = Row.means(found)
    return rows


def _means_by_pair(found: Mapping[int, Differences]) -> dict[str, Row]:
    pairs = dict.fromkeys(pair for of_seed in found.values() for pair in of_seed)
    return {
        pair: Row.means({seed: of_seed[pair] for seed, of_seed in found.items() if pair in of_seed})
        for pair in pairs
    }


def _compared(experiment: Experiment, model: str) -> dict[int, dict[str, Differences]]:
    """Seed -> protocol -> pair -> differences, among what is finished of a model."""
    base = experiment.base(model)
    tuned = {condition.value: experiment.tuned(model, condition) for condition in experiment.config.trained}
    found = {}
    for seed in experiment.config.seeds:
        of_base = base.get(experiment.config.base_seed(model, seed))
        there: dict[str, Embeddings | None] = {Condition.BASE.value: of_base, CAPTIONS: experiment.captions}
        there |= {name: vectors.get(seed) for name, vectors in tuned.items()}
        known = {name: vectors for name, vectors in there.items() if vectors is not None}
        found[seed] = compare(experiment, model, seed, known)
    return found


def compared_pairs(names: Collection[str]) -> list[tuple[str, str]]:
    """Pairs to compare among the finished conditions: hybrid with each control, base and hybrid with captions."""
    hybrid = Condition.HYBRID.value
    controls = [name for name in names if name not in (hybrid, Condition.BASE, CAPTIONS)]
    wanted = [(hybrid, control) for control in controls]
    wanted += [(Condition.BASE.value, CAPTIONS), (hybrid, CAPTIONS)]
    return [pair for pair in wanted if set(pair) <= set(names)]


@dataclass(frozen=True)
class _Comparisons:
    """Stored comparisons of one model and seed: protocol -> pair -> differences, and the hash of their inputs."""

    key: str
    protocols: dict[str, Differences]


def compare(
    experiment: Experiment, model: str, seed: int, embeddings: Mapping[str, Embeddings]
) -> dict[str, Differences]:
    """Differences between the conditions of a model with one seed, stored in ``comparisons/``.

    Args:
        experiment: whose cells they are.
        model, seed: which cells.
        embeddings: condition (or ``captions``) -> embeddings.

    Returns:
        Protocol -> ``"hybrid - shuffled"`` and the like -> measure -> difference.
    """
    path = experiment.folder.comparisons / model / f"seed-{seed}.json"
    pairs, settings, study = compared_pairs(embeddings), experiment.config.evaluation, experiment.study
    key = sha256_of(
        *(f"{name} {vectors.hash()}" for name, vectors in embeddings.items()), settings.model_dump_json()
    )
    if path.is_file():
        with damage_as_error(path, _AGAIN):
            kept = from_json(_Comparisons, read_json(path))
        if kept.key == key:
            return kept.protocols
    found: dict[str, Differences] = {}
    for protocol in settings.protocols:
        differences = contrasts(
            embeddings, pairs, study.stimuli, study.trials, protocol=protocol, distance=settings.distance,
            center=settings.center,
        )  # fmt: skip
        found[protocol] = {f"{a} - {b}": metrics for (a, b), metrics in zip(pairs, differences, strict=True)}
    write_json(path, to_json(_Comparisons(key, found)))
    return found


def _caption_results(experiment: Experiment) -> dict[str, Result]:
    """Protocol -> evaluation of the captions; empty without a caption encoder."""
    if experiment.captions is None:
        return {}
    path, settings = experiment.folder.shared / "captions.json", experiment.config.evaluation
    if path.is_file():
        with damage_as_error(path, _AGAIN):
            return {protocol: Result.from_json(value) for protocol, value in read_json(path).items()}
    found: dict[str, Result] = {
        protocol: evaluate(
            experiment.captions, experiment.study.stimuli, experiment.study.trials, protocol=protocol,
            distance=settings.distance, center=settings.center, permutations=settings.permutations,
            seed=experiment.config.seeds[0],
        )
        for protocol in settings.protocols
    }  # fmt: skip
    write_json(path, {protocol: result.to_json() for protocol, result in found.items()})
    return found
