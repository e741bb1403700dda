"""Unique variance: what a model explains beyond captions, as bars of unique and shared parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bgs.experiment.analyses.over_seeds import from_json
from bgs.experiment.analyses.variance import LOW_LEVEL
from bgs.experiment.conditions import Condition
from bgs.experiment.page.chapter import Chapter, Findings
from bgs.experiment.page.source import Source, estimate, p_text, role
from bgs.report import Estimate, FigureBlock, PartsFigure, PartsPanel, Table, beyond_sentence
from bgs.report.page import Cell

_TITLES = {
    Condition.HYBRID.value: "Tuned model and captions",
    Condition.BASE.value: "Base model and captions",
    Condition.LANGUAGE_DISTILLATION.value: "Distilled model and captions",
    LOW_LEVEL: "Tuned, captions, low-level",
}
_AND = " & "


def _variance(source: Source) -> Findings:
    models, notes = source.by_model(source.result("variance"))
    words, panels, tables = list[str](), list[PartsPanel](), list[Table]()
    for model, found in models.items():
        partitions = found["partitions"]
        words += [*_words(source, model, partitions), *_recovered(source, model, partitions)]
        panels += [_panel(source, model, name, parts) for name, parts in partitions.items()]
        tables += [_table(source, model, name, parts) for name, parts in partitions.items()]
        notes += tuple(
            f"{source.called(model, name)}: left out, {why}." for name, why in found["skipped"].items()
        )
    note = "95 % intervals over clips. Parts may lie below 0: shared ones by suppression, all by cross-validation."
    figure = FigureBlock(
        PartsFigure(tuple(panels), note), f"Variance of the dissimilarities of {source.words.judges}."
    )
    return Findings(tuple(words), (figure,), tuple(tables), notes=notes)


def _words(source: Source, model: str, partitions: Mapping[str, Any]) -> list[str]:
    what = f"the variance of the dissimilarities of {source.words.judges}"
    sentences = []
    for partition, who, others in (
        (Condition.HYBRID.value, source.tuned(model), "captions"),
        (LOW_LEVEL, source.tuned(model), "captions and low-level models together"),
        (Condition.BASE.value, source.base(model), "captions"),
    ):
        if partition in partitions:
            parts = from_json(partitions[partition]["cross_validated"])
            own = parts[partitions[partition]["predictors"][0]]
            sentences.append(beyond_sentence(own.mean, who, others, what))
    return sentences


def _recovered(source: Source, model: str, partitions: Mapping[str, Any]) -> list[str]:
    """Where the truth was planted: whether it came back."""
    if not all(parts["planted"] for parts in partitions.values()):
        return []
    inside = [
        metric.low <= parts["planted"][name] <= metric.high
        for parts in partitions.values()
        for name, metric in ((key, one.mean) for key, one in from_json(parts["cross_validated"]).items())
    ]
    whose = source.called(model, "Planted parts")
    return [
        f"{whose} (those of infinitely many trials, beside the noise of this many) lie within the intervals of "
        f"{sum(inside)} of {len(inside)} parts."
    ]


def _panel(source: Source, model: str, partition: str, found: Mapping[str, Any]) -> PartsPanel:
    parts, predictors = from_json(found["cross_validated"]), found["predictors"]
    bars = [estimate(f"only {_called(name)}", parts[name], role(name)) for name in predictors]
    if len(predictors) == 2:
        bars.append(estimate("shared", parts[_AND.join(predictors)]))
    total: Estimate = estimate("all together", parts["total"])
    return PartsPanel(
        source.called(model, _TITLES[partition]), "proportion of variance, held-out clips", tuple(bars), total
    )


def _called(name: str) -> str:
    return {"hybrid": "tuned", Condition.LANGUAGE_DISTILLATION.value: "distilled"}.get(name, name)


def _table(source: Source, model: str, partition: str, found: Mapping[str, Any]) -> Table:
    cross, sample = (from_json(found[key]) for key in ("cross_validated", "in_sample"))
    planted = found["planted"] or {}
    lines: list[tuple[Cell, ...]] = [
        (_part(name), figure.mean, p_text(figure.mean.p), sample[name].mean, planted.get(name), figure.mean.n)
        for name, figure in cross.items()
    ]
    lines += [
        (f"{_called(name)} by itself", figure.mean, "–", None, None, figure.mean.n)
        for name, figure in from_json(found["alone"]).items()
    ]
    caption = f"{source.called(model, _TITLES[partition])}: {found['n_clips']} clips, {found['folds']} folds"
    head: tuple[str, ...] = ("part", "held-out clips", "p", "in sample", "planted", "pairs")
    if not planted:  # people judged: nothing is known
        head, lines = (*head[:4], *head[5:]), [(*line[:4], *line[5:]) for line in lines]
    return Table(caption, head, tuple(lines), tuple(range(1, len(head))))


def _part(name: str) -> str:
    names = name.split(_AND)
    return (
        "all together"
        if name == "total"
        else f"{'shared by' if len(names) > 1 else 'only'} {_AND.join(map(_called, names))}"
    )


VARIANCE = Chapter(
    "variance", "What is explained beyond captions",
    "Nested regressions of the ranks of the dissimilarities of {judges} on those of the models (commonality analysis). They are "
    "fitted on pairs of training clips of a fold and measured on pairs of its held-out clips.\n\n"
    "Intervals resample clips. p of a unique part relabels what the model has beyond the others (double semi-partialling); over "
    "several seeds it is twice the mean p.",
    _variance,
)  # fmt: skip
