"""Paired comparisons between the cells of one model and seed, and with the captions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bgs._files import legible, read_json, sha256_of, write_json
from bgs.embeddings import Embeddings
from bgs.evaluation import Metric, contrasts
from bgs.experiments.conditions import Condition
from bgs.experiments.config import ExperimentConfig
from bgs.experiments.folder import ExperimentFolder
from bgs.runs.study import Study

#: ``"hybrid - shuffled"`` and the like -> measure -> difference.
Differences = dict[str, dict[str, Metric]]

#: How captions are called where a condition could stand.
CAPTIONS = "captions"


def compared_pairs(names: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Which two are compared, of those that are there: hybrid with each control, base and hybrid with captions."""
    hybrid = Condition.HYBRID.value
    controls = [name for name in names if name not in (hybrid, Condition.BASE, CAPTIONS)]
    wanted = [(hybrid, control) for control in controls]
    wanted += [(Condition.BASE.value, CAPTIONS), (hybrid, CAPTIONS)]
    return [pair for pair in wanted if set(pair) <= set(names)]


def compare(
    config: ExperimentConfig,
    folder: ExperimentFolder,
    study: Study,
    model: str,
    seed: int,
    embeddings: Mapping[str, Embeddings],
) -> dict[str, Differences]:
    """Differences between what a model became with one seed, kept in ``comparisons/``.

    Args:
        config, folder, study: of the experiment.
        model, seed: which cells.
        embeddings: condition (or ``captions``) -> embeddings.

    Returns:
        Protocol -> ``"hybrid - shuffled"`` and the like -> measure -> difference.
    """
    path, pairs = folder.comparisons / model / f"seed-{seed}.json", compared_pairs(embeddings)
    settings = config.evaluation
    key = sha256_of(
        *(f"{name} {vectors.hash()}" for name, vectors in embeddings.items()), settings.model_dump_json()
    )
    if path.is_file():
        with legible(path, "delete it, then `bgs experiment` makes it anew"):
            kept = read_json(path)
            if kept["key"] == key:
                return _from_json(kept["protocols"])
    found: dict[str, Differences] = {}
    for protocol in settings.protocols:
        differences = contrasts(
            embeddings, pairs, study.stimuli, study.trials, protocol=protocol, distance=settings.distance,
            center=settings.center,
        )  # fmt: skip
        found[protocol] = {f"{a} - {b}": metrics for (a, b), metrics in zip(pairs, differences, strict=True)}
    write_json(path, {"key": key, "protocols": _to_json(found)})
    return found


def _to_json(found: dict[str, Differences]) -> dict[str, Any]:
    return {
        protocol: {
            pair: {name: metric.to_json() for name, metric in metrics.items()}
            for pair, metrics in pairs.items()
        }
        for protocol, pairs in found.items()
    }


def _from_json(found: Mapping[str, Any]) -> dict[str, Differences]:
    return {
        protocol: {
            pair: {name: Metric.from_json(metric) for name, metric in metrics.items()}
            for pair, metrics in pairs.items()
        }
        for protocol, pairs in found.items()
    }
