"""Unique variance: what a model explains beyond captions, as bars of unique and shared parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bgs._numbers import plain
from bgs.experiments.analyses.over_seeds import from_json
from bgs.experiments.analyses.variance import BEYOND_BASE, LOW_LEVEL
from bgs.experiments.conditions import Condition
from bgs.experiments.page.chapter import Chapter, Findings
from bgs.experiments.page.source import Source, estimate, p_text, role
from bgs.experiments.results import SeedMean
from bgs.reports import Estimate, FigureBlock, PartsFigure, PartsPanel, Table, beyond_sentence
from bgs.reports.page import Cell

_TITLES = {
    Condition.HYBRID.value: "Tuned model and captions",
    Condition.BASE.value: "Base model and captions",
    Condition.LANGUAGE_DISTILLATION.value: "Distilled model and captions",
    BEYOND_BASE: "Tuned and base model",
    LOW_LEVEL: "Tuned, captions, low-level",
}
_AND = " & "
_RANDOM_P = "p against random changes of the base of the same size"
#: Random changes whose distances correlate with the base's more than the tuned ones do by this much are smaller.
_SMALLER = 0.01


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
    for partition, who in (
        (Condition.HYBRID.value, source.tuned(model)),
        (BEYOND_BASE, source.tuned(model)),
        (LOW_LEVEL, source.tuned(model)),
        (Condition.BASE.value, source.base(model)),
    ):
        if partition in partitions:
            found = partitions[partition]
            own, *others = found["predictors"]
            part = from_json(found["cross_validated"])[own]
            beside = _others(source, model, partition, others)
            sentences.append(beyond_sentence(part.mean, who, beside, what))
            sentences += _random_words(source, model, beside, found["random_change"])
    return sentences


def _others(source: Source, model: str, partition: str, others: list[str]) -> str:
    if partition == LOW_LEVEL:
        return "captions and low-level models together" if "captions" in others else "low-level models"
    names = [source.base(model) if name == Condition.BASE.value else name for name in others]
    return names[0] if len(names) == 1 else f"{' and '.join(names)} together"


def _random_words(source: Source, model: str, beside: str, found: Mapping[str, Any] | None) -> list[str]:
    """What random changes of the base explain beyond the same models, and p of the tuned model among them."""
    if found is None:
        return []
    null = SeedMean.from_json(found["unique"]).mean
    low, middle, high = (plain(value, 3) for value in (null.low, null.value, null.high))
    sentence = (
        f"Random changes of {source.base(model)} that alter distances as much as tuning did explain {middle} beyond {beside} "
        f"(median; 95 % of them {low} to {high}); {_RANDOM_P}: {p_text(null.p)}."
    )
    if found["reached"] - found["correlation"] <= _SMALLER:
        return [sentence]
    sizes = f"{plain(found['reached'], 2)} where tuned ones do {plain(found['correlation'], 2)}"
    return [
        sentence, f"They are smaller changes: their distances correlate with the base's {sizes}, so this p is too small."
    ]  # fmt: skip


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
    planted, random = found["planted"], found["random_change"]
    own = found["predictors"][0]
    among = {own: p_text(SeedMean.from_json(random["unique"]).mean.p)} if random else {}
    columns: dict[str, list[Cell]] = {
        "part": [_part(name) for name in cross],
        "held-out clips": [figure.mean for figure in cross.values()],
        "p": [p_text(figure.mean.p) for figure in cross.values()],
        _RANDOM_P: [among.get(name, "–") for name in cross],
        "in sample": [sample[name].mean for name in cross],
        "planted": [(planted or {}).get(name) for name in cross],
        "pairs": [figure.mean.n for figure in cross.values()],
    }
    for name, figure in from_json(found["alone"]).items():
        cells = (f"{_called(name)} by itself", figure.mean, "–", "–", None, None, figure.mean.n)
        for column, cell in zip(columns.values(), cells, strict=True):
            column.append(cell)
    left_out = {_RANDOM_P: random is None, "planted": planted is None}  # people judged: nothing is known
    kept = {name: column for name, column in columns.items() if not left_out.get(name)}
    caption = f"{source.called(model, _TITLES[partition])}: {found['n_clips']} clips, {found['folds']} folds"
    rows = tuple(zip(*kept.values(), strict=True))
    return Table(caption, tuple(kept), rows, tuple(range(1, len(kept))))


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
    "fitted on pairs of training clips of a fold and measured on pairs of its held-out clips. No slope is below 0: a model "
    "explains {judges} only where its distances go with theirs.\n\n"
    "Intervals resample clips. p of a unique part is one-sided and relabels what the model has beyond the others (double "
    "semi-partialling): would clips in a random order go with {judges} as well? p against random changes of the base of the "
    "same size asks more: would any change of the base as large as tuning's do as well? Over seeds a p is twice the mean p.",
    _variance,
)  # fmt: skip
