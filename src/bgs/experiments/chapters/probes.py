"""Attributes: which ratings can be decoded linearly before and after tuning, although no model was trained on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from bgs._config import Settings
from bgs.embeddings import Embeddings
from bgs.evaluation import PROBE_PROTOCOLS, Probes, ProbeScore, probe
from bgs.experiments.chapters.chapter import Chapter, Findings, NotApplicable
from bgs.experiments.chapters.context import Context, estimate, p_text, reasons
from bgs.experiments.chapters.over_seeds import Change, Metrics, by_model, changes
from bgs.experiments.chapters.planted import drivers
from bgs.experiments.conditions import Condition
from bgs.experiments.results import SeedMean
from bgs.reports import FigureBlock, ForestFigure, ForestPanel, ForestRow, Table
from bgs.reports.page import Cell

if TYPE_CHECKING:
    from bgs.experiments.experiment import Experiment

_HYBRID, _DISTILLED = Condition.HYBRID.value, Condition.LANGUAGE_DISTILLATION.value
_PROTOCOLS = {
    "held-out": "held-out clips",
    "k-fold": "all clips, each held out once",
    "few-shot": "held-out clips, by probes trained on {shots} of them",
}
#: Largest q at which a rating counts as decoded better or worse.
_CALLED = 0.05


class ProbeSettings(Settings):
    """Linear decoding of attributes from base and tuned embeddings."""

    attributes: Literal["all"] | tuple[str, ...] = "all"
    """Rating columns of the data set."""
    folds: int = Field(5, ge=2)
    """Number of folds of the clips, each held out once."""
    shots: int | None = Field(None, ge=3)
    """Also decode each rating with probes trained on this many held-out clips."""


@dataclass(frozen=True)
class Readings:
    """Attribute -> decoding score of a model trained under one condition; q adjusts Pearson's r over attributes."""

    pearson: dict[str, Change]
    r_squared: dict[str, Change]


@dataclass(frozen=True)
class ModelProbes:
    """One model.

    Attributes:
        protocols: ``held-out``, ``k-fold``, ``few-shot`` -> condition -> readings.
        skipped: attribute -> why it was omitted.
    """

    protocols: dict[str, dict[str, Readings]]
    skipped: dict[str, str]


@dataclass(frozen=True)
class Attributes:
    """Scores of each model, and model -> why the analysis does not apply to it.

    Attributes:
        drivers: attributes that simulated observers rely on; None where people judged.
        shots: training clips of each few-shot probe.
    """

    models: dict[str, ModelProbes]
    not_applicable: dict[str, str]
    drivers: tuple[str, ...] | None = None
    shots: int | None = None


def analyse(experiment: Experiment, settings: ProbeSettings) -> Attributes:
    """Scores of each model, beside its base."""
    if not experiment.study.stimuli.ratings:
        raise NotApplicable("the data set has no ratings")
    models, left_out = by_model(experiment, lambda model: _of_model(experiment, model, settings))
    return Attributes(models, left_out, drivers(experiment.study), settings.shots)


def _of_model(experiment: Experiment, model: str, settings: ProbeSettings) -> ModelProbes:
    applies = {"held-out": bool(experiment.study.stimuli.test.any()), "few-shot": settings.shots is not None}
    distilled = experiment.find(model, Condition.LANGUAGE_DISTILLATION)
    conditions = [Condition.HYBRID, *([Condition.LANGUAGE_DISTILLATION] if distilled else [])]
    found: dict[str, dict[str, Readings]] = {}
    skipped: dict[str, str] = {}
    for protocol in PROBE_PROTOCOLS:
        if not applies.get(protocol, True):
            continue
        found[protocol] = {}
        for condition in conditions:
            pairs = experiment.pairs(model, condition)
            results = {seed: _probe(experiment, settings, protocol, *pair) for seed, pair in pairs.items()}
            found[protocol][condition.value] = _readings(experiment, model, results)
            skipped |= {name: why for result in results.values() for name, why in result.skipped.items()}
    return ModelProbes(found, skipped)


def _probe(
    experiment: Experiment, settings: ProbeSettings, protocol: str, base: Embeddings, tuned: Embeddings
) -> Probes:
    measured = experiment.config.evaluation
    sizes = {"folds": settings.folds} | ({"shots": settings.shots} if settings.shots else {})
    return probe(
        tuned, experiment.study.stimuli, attributes=None if settings.attributes == "all" else settings.attributes,
        against=base, protocol=protocol, **sizes, resamples=measured.resamples,
        permutations=measured.permutations, seed=experiment.config.seeds[0],
    )  # fmt: skip


def _readings(experiment: Experiment, model: str, results: Mapping[int, Probes]) -> Readings:
    def scores(kind: Literal["pearson", "r_squared"], adjusted: bool) -> dict[str, Change]:
        def of(table: Mapping[str, ProbeScore]) -> Metrics:
            return {name: getattr(score, kind) for name, score in table.items()}

        found = {s: (of(r.against_scores), of(r.scores), of(r.differences)) for s, r in results.items()}
        return changes(experiment, model, found, adjusted)

    return Readings(scores("pearson", adjusted=True), scores("r_squared", adjusted=False))


def present(result: Attributes, context: Context) -> Findings:
    """How many ratings are decoded better, with a figure and tables for each protocol."""
    words, figures, tables = list[str](), list[FigureBlock](), list[Table]()
    notes = reasons(result.not_applicable)
    for model, found in result.models.items():
        for protocol, conditions in found.protocols.items():
            clips = _PROTOCOLS[protocol].format(shots=result.shots)
            words.append(_words(context, model, clips, conditions, result.drivers))
            figures.append(_figure(context, model, clips, conditions, result.drivers))
            tables += [_table(context, model, clips, name, scores) for name, scores in conditions.items()]
        notes += tuple(f"{name} was omitted: {why}." for name, why in found.skipped.items())
    return Findings(tuple(words), tuple(figures), tuple(tables), notes=notes)


def _words(
    context: Context,
    model: str,
    clips: str,
    conditions: Mapping[str, Readings],
    drivers: Sequence[str] | None,
) -> str:
    """How many ratings are decoded better, and worse, after tuning; attributes that observers rely on apart."""
    change = {name: one.difference for name, one in conditions[_HYBRID].pearson.items()}
    n = next(iter(change.values())).n
    where = f"On {clips} (n = {n:,})" + ("" if len(context.models) == 1 else f", for {model}")
    if drivers is None:
        return f"{where}, {_counts(change, 'ratings')}."
    groups = {
        f"attributes that {context.words.judges} rely on": {k: v for k, v in change.items() if k in drivers},
        "other attributes": {k: v for k, v in change.items() if k not in drivers},
    }
    return f"{where}, {'; '.join(_counts(group, which) for which, group in groups.items() if group)}."


def _counts(change: Mapping[str, SeedMean], what: str) -> str:
    """``3 of 5 ratings (valence, …) are decoded better after tuning``; where none is, that there is no evidence."""
    better = [name for name, figure in change.items() if _is_called(figure) and figure.low > 0]
    worse = [name for name, figure in change.items() if _is_called(figure) and figure.high < 0]
    if not better and not worse:
        return f"there is no evidence that tuning changed the decoding of any of {len(change)} {what}"
    parts = [
        f"{len(names)} of {len(change)} {what} ({', '.join(names)}) {'is' if len(names) == 1 else 'are'} decoded {how}"
        for how, names in (("better", better), ("worse", worse))
        if names
    ]
    return f"{' and '.join(parts)} after tuning"


def _is_called(figure: SeedMean) -> bool:
    return figure.q is not None and figure.q <= _CALLED


def _figure(
    context: Context,
    model: str,
    clips: str,
    conditions: Mapping[str, Readings],
    drivers: Sequence[str] | None,
) -> FigureBlock:
    names = list(conditions[_HYBRID].pearson)
    groups = {"Ratings": names}
    if drivers is not None:
        groups = {
            f"Attributes that {context.words.judges} rely on": [name for name in names if name in drivers],
            "Other attributes": [name for name in names if name not in drivers],
        }
    panels = tuple(_panel(title, group, conditions) for title, group in groups.items() if group)
    note = "95 % intervals over clips. The line marks a correlation of 0."
    return FigureBlock(
        ForestFigure(panels, note),
        context.called(model, f"Correlation of each rating with its prediction: {clips}."),
    )


def _panel(title: str, names: Sequence[str], conditions: Mapping[str, Readings]) -> ForestPanel:
    rows = []
    for name in names:
        hybrid = conditions[_HYBRID].pearson[name]
        found = [estimate("base", hybrid.base, "base"), estimate("tuned", hybrid.tuned, "tuned")]
        if _DISTILLED in conditions:
            distilled = conditions[_DISTILLED].pearson[name].tuned
            found.append(estimate("distilled from captions", distilled, "control"))
        rows.append(ForestRow(name.replace("_", " "), tuple(found)))
    return ForestPanel(title, "Pearson correlation of rating and prediction", tuple(rows), 0.0, "")


def _table(context: Context, model: str, clips: str, condition: str, scores: Readings) -> Table:
    lines: list[tuple[Cell, ...]] = []
    for name, score in scores.pearson.items():
        change, squared = score.difference, scores.r_squared[name].tuned
        q = p_text(change.q)
        lines.append((name, score.base, score.tuned, change, p_text(change.p), q, squared, change.n))
    header = ("rating", "base, r", "after, r", "difference", "p", "q", "after, R²", "clips")
    caption = f"{context.called(model, context.label(condition))}: {clips}"
    return Table(caption, header, tuple(lines), tuple(range(1, 8)))


PROBES = Chapter(
    name="probes",
    address="attributes",
    title="Attributes decoded without training on them",
    method=(
        "Ridge regression from embeddings to each rating, with standardised features and the penalty chosen within the "
        "training clips. Held-out: probes are trained on the clips on which the model was trained and tested on the others. "
        "k-fold: each clip is predicted once, by a probe that was not trained on it. Few-shot, where requested: each small "
        "group of held-out clips trains a probe, which is tested on the other held-out clips; scores are means over groups."
        "\n\n"
        "Intervals resample clips (and groups); the p of a difference comes from the paired bootstrap, and q adjusts it for "
        "the number of ratings (Benjamini–Hochberg). A rating counts as decoded better or worse where q ≤ .05."
    ),
    settings=ProbeSettings,
    analyse=analyse,
    result=Attributes,
    present=present,
)
