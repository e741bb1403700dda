"""Attributes: which ratings become readable though nobody trained on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bgs.experiments.analyses.over_seeds import from_json
from bgs.experiments.conditions import Condition
from bgs.experiments.page.chapter import Chapter, Findings
from bgs.experiments.page.source import Source, estimate, p_text
from bgs.experiments.results import SeedMean
from bgs.reports import FigureBlock, ForestFigure, ForestPanel, ForestRow, Table
from bgs.reports.page import Cell

_HYBRID, _DISTILLED = Condition.HYBRID.value, Condition.LANGUAGE_DISTILLATION.value
_PROTOCOLS = {
    "held-out": "held-out clips",
    "k-fold": "all clips, each held out once",
    "few-shot": "held-out clips, from {shots} of them at a time",
}
_CALLED = 0.05

_Scores = dict[str, SeedMean]


def _attributes(source: Source) -> Findings:
    result = source.result("probes")
    models, notes = source.by_model(result)
    words, figures, tables = list[str](), list[FigureBlock](), list[Table]()
    for model, found in models.items():
        for protocol, conditions in found["protocols"].items():
            words.append(_words(source, model, protocol, conditions, result["drivers"]))
            figures.append(_figure(source, model, protocol, conditions, result["drivers"]))
            tables += [_table(source, model, protocol, name, scores) for name, scores in conditions.items()]
        notes += tuple(f"{name} was left out: {why}." for name, why in found["skipped"].items())
    return Findings(tuple(words), tuple(figures), tuple(tables), notes=notes)


def _clips(source: Source, protocol: str) -> str:
    """Which clips are read off."""
    section = source.data.config.analyses.probes
    assert section is not None
    return _PROTOCOLS[protocol].format(shots=section.shots)


def _words(
    source: Source, model: str, protocol: str, conditions: Mapping[str, Any], drivers: Sequence[str] | None
) -> str:
    """How many ratings are read better, and worse, by the tuned model; drivers of observers and others apart."""
    change = from_json(conditions[_HYBRID]["pearson"]["difference"])
    n = next(iter(change.values())).mean.n
    where = f"On {_clips(source, protocol)} ({n:,})"
    if drivers is None:
        return f"{where}, {_counts(change, 'ratings')} by {source.tuned(model)}."
    groups = {
        f"of what {source.words.judges} go by": {k: v for k, v in change.items() if k in drivers},
        "of what they do not go by": {k: v for k, v in change.items() if k not in drivers},
    }
    parts = [f"{which}, {_counts(group, 'ratings')}" for which, group in groups.items() if group]
    return f"{where}, by {source.tuned(model)}: {'; '.join(parts)}."


def _counts(change: Mapping[str, SeedMean], what: str) -> str:
    """``3 of 5 ratings (valence, …) are read off better than before``; without any, that there is no evidence."""
    better = [name for name, figure in change.items() if _is_called(figure) and figure.mean.low > 0]
    worse = [name for name, figure in change.items() if _is_called(figure) and figure.mean.high < 0]
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
    source: Source, model: str, protocol: str, conditions: Mapping[str, Any], drivers: Sequence[str] | None
) -> FigureBlock:
    series = _series(conditions)
    names = list(next(iter(series.values()))[0])
    groups = {"Ratings": names}
    if drivers is not None:
        groups = {
            f"What {source.words.judges} go by": [name for name in names if name in drivers],
            "What they do not go by": [name for name in names if name not in drivers],
        }
    panels = tuple(_panel(title, group, series) for title, group in groups.items() if group)
    note = "95 % intervals over clips. The line is no correlation at all."
    return FigureBlock(
        ForestFigure(panels, note),
        source.called(model, f"How well each rating can be read off, {_clips(source, protocol)}."),
    )


def _series(conditions: Mapping[str, Any]) -> dict[str, tuple[_Scores, Any]]:
    """Label -> scores by attribute, and the role of its colour."""
    pearson = conditions[_HYBRID]["pearson"]
    series: dict[str, tuple[_Scores, Any]] = {
        "base": (from_json(pearson["base"]), "base"),
        "tuned": (from_json(pearson["tuned"]), "tuned"),
    }
    if _DISTILLED in conditions:
        series["distilled from captions"] = (from_json(conditions[_DISTILLED]["pearson"]["tuned"]), "control")
    return series


def _panel(title: str, names: Sequence[str], series: Mapping[str, tuple[_Scores, Any]]) -> ForestPanel:
    rows = tuple(
        ForestRow(
            name.replace("_", " "),
            tuple(estimate(label, scores[name], role) for label, (scores, role) in series.items()),
        )
        for name in names
    )
    return ForestPanel(title, "Pearson correlation of rating and read-out", rows, 0.0, "")


def _table(source: Source, model: str, protocol: str, condition: str, scores: Mapping[str, Any]) -> Table:
    base, tuned, change = (from_json(scores["pearson"][name]) for name in ("base", "tuned", "difference"))
    squared = from_json(scores["r_squared"]["tuned"])
    lines: list[tuple[Cell, ...]] = [
        (
            name, base[name].mean, tuned[name].mean, change[name].mean, p_text(change[name].mean.p),
            p_text(change[name].q), squared[name].mean, change[name].mean.n,
        )
        for name in change
    ]  # fmt: skip
    header = ("rating", "base, r", "after, r", "difference", "p", "q", "after, R²", "clips")
    caption = f"{source.called(model, source.label(condition))}: {_clips(source, protocol)}"
    return Table(caption, header, tuple(lines), tuple(range(1, 8)))


ATTRIBUTES = Chapter(
    "attributes", "What can be read off without being trained",
    "Ridge regression from embeddings to each rating; features are standardised and the penalty is chosen within the training "
    "clips. Held-out: trained on the clips that the model was trained on, tested on the others. k-fold: every clip is predicted "
    "once by a probe that never saw it. A few at a time, where asked for: groups of so many held-out clips train a probe each, "
    "scored on the other held-out clips; scores are means over groups.\n\n"
    "Intervals resample clips (and groups); p of a difference comes from the paired bootstrap, q adjusts it for the number of "
    "ratings (Benjamini and Hochberg). A rating counts as read off better where q ≤ .05.",
    _attributes,
)  # fmt: skip
