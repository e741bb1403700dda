"""Attributes: which ratings can be read off linearly, before and after, though nobody trained on them."""

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
    "few-shot": "held-out clips, from {shots} of them at a time",
}
#: A rating is called read off better or worse up to this q.
_CALLED = 0.05


class ProbeSettings(Settings):
    """Attributes read out linearly from base and tuned embeddings."""

    attributes: Literal["all"] | tuple[str, ...] = "all"
    """Rating columns of the data set."""
    folds: int = Field(5, ge=2)
    """Parts of the clips, each held out once."""
    shots: int | None = Field(None, ge=3)
    """Read each rating off so few held-out clips too."""


@dataclass(frozen=True)
class Readings:
    """Attribute -> how well it is read off a model trained under one condition; q over attributes is of Pearson's r."""

    pearson: dict[str, Change]
    r_squared: dict[str, Change]


@dataclass(frozen=True)
class ModelProbes:
    """One model.

    Attributes:
        protocols: ``held-out``, ``k-fold``, ``few-shot`` -> condition -> readings.
        skipped: attribute -> why it was left out.
    """

    protocols: dict[str, dict[str, Readings]]
    skipped: dict[str, str]


@dataclass(frozen=True)
class Attributes:
    """Every model, or why it does not apply to it.

    Attributes:
        drivers: what simulated observers go by; None where nobody knows.
        shots: of the few-shot protocol.
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
    """How many ratings are read off better, a figure and tables of each protocol."""
    words, figures, tables = list[str](), list[FigureBlock](), list[Table]()
    notes = reasons(result.not_applicable)
    for model, found in result.models.items():
        for protocol, conditions in found.protocols.items():
            clips = _PROTOCOLS[protocol].format(shots=result.shots)
            words.append(_words(context, model, clips, conditions, result.drivers))
            figures.append(_figure(context, model, clips, conditions, result.drivers))
            tables += [_table(context, model, clips, name, scores) for name, scores in conditions.items()]
        notes += tuple(f"{name} was left out: {why}." for name, why in found.skipped.items())
    return Findings(tuple(words), tuple(figures), tuple(tables), notes=notes)


def _words(
    context: Context,
    model: str,
    clips: str,
    conditions: Mapping[str, Readings],
    drivers: Sequence[str] | None,
) -> str:
    """How many ratings are read better, and worse, by the tuned model; drivers of observers and others apart."""
    change = {name: one.difference for name, one in conditions[_HYBRID].pearson.items()}
    n = next(iter(change.values())).n
    where = f"On {clips} ({n:,})"
    if drivers is None:
        return f"{where}, {_counts(change, 'ratings')} by {context.tuned(model)}."
    groups = {
        f"of what {context.words.judges} go by": {k: v for k, v in change.items() if k in drivers},
        "of what they do not go by": {k: v for k, v in change.items() if k not in drivers},
    }
    parts = [f"{which}, {_counts(group, 'ratings')}" for which, group in groups.items() if group]
    return f"{where}, by {context.tuned(model)}: {'; '.join(parts)}."


def _counts(change: Mapping[str, SeedMean], what: str) -> str:
    """``3 of 5 ratings (valence, …) are read off better than before``; without any, that there is no evidence."""
    better = [name for name, figure in change.items() if _is_called(figure) and figure.low > 0]
    worse = [name for name, figure in change.items() if _is_called(figure) and figure.high < 0]
    parts = []
    if better:
        parts.append(
            f"{len(better)} of {len(change)} {what} ({', '.join(better)}) are read off better than before"
        )
    if worse:
        parts.append(f"{len(worse)} of {len(change)} ({', '.join(worse)}) worse")
    return (
        " and ".join(parts)
        or f"there is no evidence that any of {len(change)} {what} is read off better or worse"
    )


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
            f"What {context.words.judges} go by": [name for name in names if name in drivers],
            "What they do not go by": [name for name in names if name not in drivers],
        }
    panels = tuple(_panel(title, group, conditions) for title, group in groups.items() if group)
    note = "95 % intervals over clips. The line is no correlation at all."
    return FigureBlock(
        ForestFigure(panels, note),
        context.called(model, f"How well each rating can be read off, {clips}."),
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
    return ForestPanel(title, "Pearson correlation of rating and read-out", tuple(rows), 0.0, "")


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
    title="What can be read off without being trained",
    method=(
        "Ridge regression from embeddings to each rating; features are standardised and the penalty is chosen within the "
        "training clips. Held-out: trained on the clips that the model was trained on, tested on the others. k-fold: "
        "every clip is predicted once by a probe that never saw it. A few at a time, where asked for: groups of so many "
        "held-out clips train a probe each, scored on the other held-out clips; scores are means over groups.\n\n"
        "Intervals resample clips (and groups); p of a difference comes from the paired bootstrap, q adjusts it for the "
        "number of ratings (Benjamini and Hochberg). A rating counts as read off better where q ≤ .05."
    ),
    settings=ProbeSettings,
    analyse=analyse,
    result=Attributes,
    present=present,
)
