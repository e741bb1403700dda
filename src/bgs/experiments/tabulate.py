"""From finished cells to the results table."""

from __future__ import annotations

from bgs._files import legible, read_json, write_json
from bgs.embeddings import Embeddings
from bgs.evaluation import Result, evaluate
from bgs.experiments.comparisons import CAPTIONS, Differences, compare
from bgs.experiments.conditions import Condition
from bgs.experiments.experiment_data import ExperimentData
from bgs.experiments.results import ProtocolResults, ResultsTable, Row, ceilings_of, mean_rows, single_row

_AGAIN = "delete it, then `bgs experiment` makes it anew"


def results_table(data: ExperimentData) -> ResultsTable:
    """Means over seeds, differences and ceilings of everything that is finished.

    Paired comparisons and the captions' evaluation are computed when first needed and kept.
    """
    captions, results = _caption_results(data), [cell.results() for cell in data.cells]
    compared = {model: _compared(data, model) for model in data.config.models}
    protocols: dict[str, ProtocolResults] = {}
    for protocol in data.config.evaluation.protocols:
        differences = {
            model: _differences_to_base(data, model, protocol)
            | _means_by_pair({seed: found[protocol] for seed, found in compared[model].items()})
            for model in data.config.models
        }
        protocols[protocol] = ProtocolResults(
            ceilings=ceilings_of([found[protocol] for found in (*results, captions) if found]),
            captions=single_row(captions[protocol].metrics) if captions else {},
            models={model: _rows(data, model, protocol) for model in data.config.models},
            differences=differences,
        )
    return ResultsTable(protocols)


def _rows(data: ExperimentData, model: str, protocol: str) -> dict[str, Row]:
    rows = {}
    for condition in data.config.conditions:
        cells = data.find(model, condition)
        if cells:
            found = {seed: cell.results()[protocol].metrics for seed, cell in cells.items()}
            rows[condition.value] = mean_rows(found)
    return rows


def _differences_to_base(data: ExperimentData, model: str, protocol: str) -> dict[str, Row]:
    rows = {}
    for condition in data.config.trained:
        cells = data.find(model, condition)
        if cells:
            found = {seed: cell.results()[protocol].differences for seed, cell in cells.items()}
            rows[f"{condition} - {Condition.BASE}"] = mean_rows(found)
    return rows


def _compared(data: ExperimentData, model: str) -> dict[int, dict[str, Differences]]:
    """Seed -> protocol -> pair -> differences, among what is finished of a model."""
    base = data.base(model)
    tuned = {condition.value: data.tuned(model, condition) for condition in data.config.trained}
    found = {}
    for seed in data.config.seeds:
        of_base = base.get(data.config.base_seed(model, seed))
        there: dict[str, Embeddings | None] = {Condition.BASE.value: of_base, CAPTIONS: data.captions}
        there |= {name: vectors.get(seed) for name, vectors in tuned.items()}
        known = {name: vectors for name, vectors in there.items() if vectors is not None}
        found[seed] = compare(data.config, data.folder, data.study, model, seed, known)
    return found


def _caption_results(data: ExperimentData) -> dict[str, Result]:
    """Protocol -> evaluation of the captions; empty without a caption encoder."""
    if data.captions is None:
        return {}
    path, settings = data.folder.shared / "captions.json", data.config.evaluation
    if path.is_file():
        with legible(path, _AGAIN):
            return {protocol: Result.from_json(value) for protocol, value in read_json(path).items()}
    found: dict[str, Result] = {
        protocol: evaluate(
            data.captions, data.study.stimuli, data.study.trials, protocol=protocol, distance=settings.distance,
            center=settings.center, permutations=settings.permutations,
            seed=data.config.seeds[0],
        )
        for protocol in settings.protocols
    }  # fmt: skip
    write_json(path, {protocol: result.to_json() for protocol, result in found.items()})
    return found


def _means_by_pair(found: dict[int, Differences]) -> dict[str, Row]:
    pairs = dict.fromkeys(pair for of_seed in found.values() for pair in of_seed)
    return {
        pair: mean_rows({seed: of_seed[pair] for seed, of_seed in found.items() if pair in of_seed})
        for pair in pairs
    }
