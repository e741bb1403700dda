"""Language distillation: the same training on answers derived from captions, beside training on those of the judges."""

from __future__ import annotations

from bgs._config import Settings
from bgs.experiments.chapters.agreement_tables import differences_table, gap_block
from bgs.experiments.chapters.chapter import AnalysisFailed, Chapter, Findings, NotApplicable
from bgs.experiments.chapters.context import Context
from bgs.experiments.chapters.kept import read
from bgs.experiments.chapters.variance import VARIANCE
from bgs.experiments.conditions import Condition
from bgs.reports import Table, change_sentence, contrast_sentence
from bgs.reports.page import Cell

_BASE, _HYBRID, _DISTILLED = (
    condition.value for condition in (Condition.BASE, Condition.HYBRID, Condition.LANGUAGE_DISTILLATION)
)
_PAIRS = (f"{_DISTILLED} - {_BASE}", f"{_HYBRID} - {_BASE}", f"{_HYBRID} - {_DISTILLED}")


def _distillation(_: None, context: Context) -> Findings:
    if Condition.LANGUAGE_DISTILLATION not in context.experiment.config.conditions:
        raise NotApplicable(f"the experiment has no condition {_DISTILLED}")
    words = [text for model in context.having(_BASE, _DISTILLED, _HYBRID) for text in _words(context, model)]
    caption = "The same clips, trials and objective; only the source of the answers differs."
    tables = [differences_table(context, name, _PAIRS) for name in context.table.protocols]
    figure = gap_block(context, caption, [_BASE, _DISTILLED, _HYBRID])
    return Findings(tuple(words), (figure,), (*tables, *_unique(context)))


def _words(context: Context, model: str) -> list[str]:
    what, differences = f"agreement with {context.words.judges}", context.headline.differences[model]
    base, after = (context.levels(model)[name].metrics.rsa_spearman.value for name in (_BASE, _DISTILLED))
    against = differences[f"{_HYBRID} - {_DISTILLED}"].rsa_spearman
    change = differences[f"{_DISTILLED} - {_BASE}"].rsa_spearman
    tuned = f"{context.tuned(model)} (on {context.words.judges})"
    return [
        contrast_sentence(against, tuned, "one distilled from captions", what),
        change_sentence(change, base, after, f"{what} (Spearman)", _cause(context, model)),
    ]


def _cause(context: Context, model: str) -> str:
    return "Distillation from captions" + ("" if len(context.models) == 1 else f" ({model})")


def _unique(context: Context) -> list[Table]:
    """Unique variance beyond captions for all three models, where it was analysed."""
    try:
        result = read(context.experiment, VARIANCE)
    except (NotApplicable, AnalysisFailed):  # the chapter itself says why
        return []
    lines: list[tuple[Cell, ...]] = []
    for model, found in result.models.items():
        for name in (_BASE, _DISTILLED, _HYBRID):
            if name in found.partitions:
                part = found.partitions[name].cross_validated[name]
                lines.append((context.called(model, context.label(name)), part, part.n))
    header = ("", "proportion of variance", "pairs")
    return [Table("Variance not explained by captions", header, tuple(lines), (1, 2))] if lines else []


DISTILLATION = Chapter[Settings, None](
    name="distillation", title="Does tuning on captions do as well?", present=_distillation,
    method=(
        "Language distillation uses the same clips, trials, observed pairs and objective, but the odd one out of each trial "
        "and the target matrix come from a caption encoder.\n\n"
        "If the choices of {judges} conveyed only what captions say, both models would agree with {judges} equally well. "
        "Intervals resample clips and {judges}; differences are paired, and values are means over seeds."
    ),
)  # fmt: skip
