"""Attributes: which ratings can be read off linearly, before and after, though nobody trained on them."""

from __future__ import annotations

from typing import Any

from bgs.evaluation import PROBE_PROTOCOLS, Metric, Probes, ProbeScore, probe
from bgs.experiments.analyses.over_seeds import base_means, by_model, means, to_json
from bgs.experiments.analyses.planted import drivers
from bgs.experiments.applicable import NotApplicable
from bgs.experiments.conditions import Condition
from bgs.experiments.experiment_data import ExperimentData
from bgs.experiments.results import with_q

#: What is probed beside base.
_PROBED = (Condition.HYBRID, Condition.LANGUAGE_DISTILLATION)
SCORES = ("pearson", "r_squared")


def probes(data: ExperimentData) -> dict[str, Any]:
    """Scores of each model.

    ``protocols``: ``held-out``, ``k-fold``, ``few-shot`` -> condition -> ``pearson``, ``r_squared`` -> ``base``, ``tuned``,
    ``difference`` -> attribute -> mean over seeds, with p and q over attributes (of Pearson's r). ``skipped``: attribute ->
    why. ``drivers``: what simulated observers go by; null where nobody knows.
    """
    if not data.study.stimuli.ratings:
        raise NotApplicable("the data set has no ratings")
    return {**by_model(data, _of_model), "drivers": drivers(data.study)}


def _of_model(data: ExperimentData, model: str) -> dict[str, Any]:
    section = data.config.analyses.probes
    assert section is not None
    applies = {"held-out": bool(data.study.stimuli.test.any()), "few-shot": section.shots is not None}
    protocols = [name for name in PROBE_PROTOCOLS if applies.get(name, True)]
    conditions = [c for c in _PROBED if c is Condition.HYBRID or data.find(model, c)]
    skipped: dict[str, str] = {}
    found: dict[str, dict[str, Any]] = {name: {} for name in protocols}
    for protocol in protocols:
        for condition in conditions:
            results = {s: _probe(data, protocol, *pair) for s, pair in data.pairs(model, condition).items()}
            found[protocol][condition.value] = _scores(data, model, results)
            skipped |= {name: why for result in results.values() for name, why in result.skipped.items()}
    return {"protocols": found, "skipped": skipped}


def _probe(data: ExperimentData, protocol: str, base: Any, tuned: Any) -> Probes:
    section, settings = data.config.analyses.probes, data.config.evaluation
    assert section is not None
    sizes = {"folds": section.folds} | ({"shots": section.shots} if section.shots else {})
    return probe(
        tuned, data.study.stimuli, attributes=None if section.attributes == "all" else section.attributes,
        against=base, protocol=protocol, **sizes, resamples=settings.resamples,
        permutations=settings.permutations, seed=data.config.seeds[0],
    )  # fmt: skip


def _scores(data: ExperimentData, model: str, results: dict[int, Probes]) -> dict[str, Any]:
    found = {}
    for kind in SCORES:

        def of(table: str, kind: str = kind) -> dict[int, dict[str, Metric]]:
            return {seed: _metrics(getattr(result, table), kind) for seed, result in results.items()}

        tables = {
            "base": base_means(data, model, of("against_scores")),
            "tuned": means(of("scores")),
            "difference": means(of("differences")),
        }
        found[kind] = {
            name: to_json(with_q(table) if kind == "pearson" else table) for name, table in tables.items()
        }
    return found


def _metrics(scores: dict[str, ProbeScore], kind: str) -> dict[str, Metric]:
    return {name: getattr(score, kind) for name, score in scores.items()}
