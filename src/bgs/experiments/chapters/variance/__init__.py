"""Unique variance: what a model explains beyond captions, with unique and shared parts as bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bgs._numbers import plain
from bgs.experiments.chapters.chapter import Chapter, Findings
from bgs.experiments.chapters.context import Context, estimate, p_text, reasons, role
from bgs.experiments.chapters.variance.partitions import (
    BEYOND_BASE,
    LOW_LEVEL,
    Partition,
    RandomChange,
    Variance,
    VarianceSettings,
    analyse,
)
from bgs.experiments.conditions import Condition
from bgs.reports import FigureBlock, PartsFigure, PartsPanel, Table, beyond_sentence
from bgs.reports.page import Cell

_TITLES = {
    Condition.HYBRID.value: "Tuned model and captions",
    Condition.BASE.value: "Base model and captions",
    Condition.LANGUAGE_DISTILLATION.value: "Distilled model and captions",
    BEYOND_BASE: "Tuned and base model",
    LOW_LEVEL: "Tuned, captions, low-level",
}
_AND, _TOTAL = " & ", "total"
_RANDOM_P = "p against random changes of the base of the same size"
#: Random changes count as smaller than tuning where their distances correlate with the base's by this much more.
_SMALLER = 0.01


def present(result: Variance, context: Context) -> Findings:
    """Sentences on unique parts; all parts as bars and in tables."""
    notes = reasons(result.not_applicable)
    words, panels, tables = list[str](), list[PartsPanel](), list[Table]()
    for model, found in result.models.items():
        partitions = found.partitions
        words += [*_words(context, model, partitions), *_recovered(context, model, partitions)]
        panels += [_panel(context, model, name, parts) for name, parts in partitions.items()]
        tables += [_table(context, model, name, parts) for name, parts in partitions.items()]
        notes += tuple(
            f"{context.called(model, name)} was omitted: {why}." for name, why in found.skipped.items()
        )
    note = (
        "95 % intervals over clips. Shared parts can be negative through suppression, and all parts through "
        "cross-validation."
    )
    figure = FigureBlock(
        PartsFigure(tuple(panels), note),
        f"Variance of the dissimilarities of {context.words.judges}, by what explains it.",
    )
    return Findings(tuple(words), (figure,), tuple(tables), notes=notes)


def _words(context: Context, model: str, partitions: Mapping[str, Partition]) -> list[str]:
    what = f"variance of the dissimilarities of {context.words.judges}"
    sentences = []
    rated = [(name, context.tuned(model)) for name in partitions if name not in _TITLES]
    for partition, who in (
        (Condition.HYBRID.value, context.tuned(model)),
        (BEYOND_BASE, context.tuned(model)),
        (LOW_LEVEL, context.tuned(model)),
        (Condition.BASE.value, context.base(model)),
        *rated,
    ):
        if partition in partitions:
            found = partitions[partition]
            own, *others = found.predictors
            beside = _others(context, model, partition, others)
            sentences.append(beyond_sentence(found.cross_validated[own], who, beside, what))
            sentences += _random_words(context, model, beside, found.random_change)
    return sentences


def _title(partition: str) -> str:
    """Of a partition; those without a fixed title are named after the ratings in them."""
    return _TITLES.get(partition, f"Tuned model and {partition}")


def _others(context: Context, model: str, partition: str, others: Sequence[str]) -> str:
    if partition == LOW_LEVEL:
        return "captions and low-level models together" if "captions" in others else "low-level models"
    names = [context.base(model) if name == Condition.BASE.value else name for name in others]
    return names[0] if len(names) == 1 else f"{' and '.join(names)} together"


def _random_words(context: Context, model: str, beside: str, found: RandomChange | None) -> list[str]:
    """What random changes of the base explain beyond the same models, and the p of the tuned model among them."""
    if found is None:
        return []
    null = found.unique
    low, middle, high = (plain(value, 3) for value in (null.low, null.value, null.high))
    sentence = (
        f"Random changes of {context.base(model)} of the same size as tuning explain {middle} beyond {beside} (median; 95 % "
        f"of them {low} to {high}); {_RANDOM_P}: {p_text(null.p)}."
    )
    if found.reached - found.correlation <= _SMALLER:
        return [sentence]
    sizes = f"{plain(found.reached, 2)} instead of {plain(found.correlation, 2)}"
    return [
        sentence,
        f"These changes are smaller than those of tuning: correlation with the distances of the base {sizes}. This p is "
        "therefore too small.",
    ]


def _recovered(context: Context, model: str, partitions: Mapping[str, Partition]) -> list[str]:
    """Where the truth was planted: whether it was recovered."""
    if not all(parts.planted for parts in partitions.values()):
        return []
    inside = [
        part.low <= parts.planted[name] <= part.high
        for parts in partitions.values()
        if parts.planted
        for name, part in parts.cross_validated.items()
    ]
    whose = context.called(model, "Planted parts")
    return [
        f"{whose} (expected from infinitely many trials, attenuated by the noise of this many) lie within the intervals for "
        f"{sum(inside)} of {len(inside)} parts."
    ]


def _panel(context: Context, model: str, partition: str, found: Partition) -> PartsPanel:
    parts, predictors = found.cross_validated, found.predictors
    bars = [estimate(f"unique to {_called(name)}", parts[name], role(name)) for name in predictors]
    if len(predictors) == 2:
        bars.append(estimate("shared", parts[_AND.join(predictors)]))
    total = estimate("total", parts[_TOTAL])
    return PartsPanel(
        context.called(model, _title(partition)),
        "proportion of variance, held-out clips",
        tuple(bars),
        total,
    )


def _called(name: str) -> str:
    return {"hybrid": "tuned", Condition.LANGUAGE_DISTILLATION.value: "distilled"}.get(name, name)


def _table(context: Context, model: str, partition: str, found: Partition) -> Table:
    cross, planted, random = found.cross_validated, found.planted, found.random_change
    among = {found.predictors[0]: p_text(random.unique.p)} if random else {}
    columns: dict[str, list[Cell]] = {
        "part": [_part(name) for name in cross],
        "held-out clips": list(cross.values()),
        "p": [p_text(figure.p) for figure in cross.values()],
        _RANDOM_P: [among.get(name, "–") for name in cross],
        "in sample": [found.in_sample[name] for name in cross],
        "planted": [(planted or {}).get(name) for name in cross],
        "pairs": [figure.n for figure in cross.values()],
    }
    for name, figure in found.alone.items():
        cells = (f"{_called(name)} alone", figure, "–", "–", None, None, figure.n)
        for column, cell in zip(columns.values(), cells, strict=True):
            column.append(cell)
    left_out = {_RANDOM_P: random is None, "planted": planted is None}  # the truth about people is unknown
    kept = {name: column for name, column in columns.items() if not left_out.get(name)}
    caption = f"{context.called(model, _title(partition))}: {found.n_clips} clips, {found.folds} folds"
    rows = tuple(zip(*kept.values(), strict=True))
    return Table(caption, tuple(kept), rows, tuple(range(1, len(kept))))


def _part(name: str) -> str:
    names = name.split(_AND)
    return (
        "total"
        if name == _TOTAL
        else f"{'shared by' if len(names) > 1 else 'unique to'} {_AND.join(map(_called, names))}"
    )


VARIANCE = Chapter(
    name="variance",
    title="Variance explained beyond captions",
    method=(
        "Nested regressions of the ranks of the dissimilarities of {judges} on those of the models (commonality analysis), "
        "fitted on pairs of the training clips of a fold and evaluated on pairs of its held-out clips. Slopes are "
        "non-negative: a model explains variance only where its distances increase with the dissimilarities.\n\n"
        "Intervals resample clips. The p of a unique part is one-sided and permutes the clips of what the model has beyond "
        "the others (double semi-partialling). The p against random changes of the base of the same size is a stricter test: "
        "would any change of the base as large as that of tuning do as well? Over several seeds, p is twice the mean p."
    ),
    settings=VarianceSettings,
    analyse=analyse,
    result=Variance,
    present=present,
)
