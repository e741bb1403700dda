"""The first three results: the gap to people, what closes it, and how near to the noise ceiling that comes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bgs._config import Settings
from bgs.experiments.chapters.agreement_tables import (
    centring,
    differences_figure,
    differences_table,
    gap_block,
    levels_table,
    published_blocks,
    shares_figure,
    shares_table,
)
from bgs.experiments.chapters.chapter import Chapter, Findings, NotApplicable
from bgs.experiments.chapters.context import Context, capital
from bgs.experiments.conditions import Condition
from bgs.experiments.results import ResultsTable
from bgs.experiments.tabulate import results_table
from bgs.reports import FigureBlock, ceiling_sentence, change_sentence, contrast_sentence, level_sentence

if TYPE_CHECKING:
    from bgs.experiments.experiment import Experiment


class GapSettings(Settings):
    """The results table: every condition of every model beside the noise ceiling and the captions."""


_BASE, _HYBRID = Condition.BASE.value, Condition.HYBRID.value
_CAPTIONS = "an embedding of the captions"


def _gap_analysis(experiment: Experiment, _: GapSettings) -> ResultsTable:
    return results_table(experiment)


def _gap(result: ResultsTable, context: Context) -> Findings:
    what, words = f"agreement with {context.words.judges}", list[str]()
    for model in context.having(_BASE):
        base = context.levels(model)[_BASE].metrics.rsa_spearman
        gap = context.headline.differences[model].get("base - captions")
        if gap is None:
            words.append(level_sentence(base, f"{what} of {context.base(model)} (Spearman)", 0.0))
        elif gap.rsa_spearman.low == gap.rsa_spearman.high == 0:
            words.append(f"{capital(context.base(model))} is {_CAPTIONS} itself: there is no gap to show.")
        else:
            words.append(contrast_sentence(gap.rsa_spearman, context.base(model), _CAPTIONS, what))
    return Findings(
        tuple(words),
        (gap_block(context, f"Models before training, and {_CAPTIONS}.", [_BASE]),),
        tuple(levels_table(context, name, [_BASE]) for name in result.protocols),
        notes=(centring(context),),
    )


def _closing(_: None, context: Context) -> Findings:
    words = [text for model in context.having(_BASE, _HYBRID) for text in _changes(context, model)]
    caption = f"Agreement with {context.words.judges}, and the most that any model can reach."
    differences = FigureBlock(differences_figure(context), "Paired differences between conditions.")
    tables = [
        make(context, name) for make in (levels_table, differences_table) for name in context.table.protocols
    ]
    figures = (gap_block(context, caption), differences, *published_blocks(context))
    return Findings(tuple(words), figures, tuple(tables), notes=(centring(context),))


def _changes(context: Context, model: str) -> list[str]:
    """What tuning changed, where that leaves the model beside captions, and what the controls say."""
    what, differences = f"agreement with {context.words.judges}", context.headline.differences[model]
    base, tuned = (context.levels(model)[name].metrics.rsa_spearman.value for name in (_BASE, _HYBRID))
    change = differences["hybrid - base"].rsa_spearman
    words = [change_sentence(change, base, tuned, f"{what} (Spearman)", context.cause(model))]
    if "hybrid - captions" in differences:
        beside = differences["hybrid - captions"].rsa_spearman
        words.append(contrast_sentence(beside, context.tuned(model), _CAPTIONS, what))
    return words + _controls(context, model)


def _controls(context: Context, model: str) -> list[str]:
    """Which controls the tuned model is ahead of, which ahead of it, and which differ by no evidence."""
    found = {
        pair.removeprefix("hybrid - "): figures.rsa_spearman
        for pair, figures in context.headline.differences[model].items()
        if pair.startswith("hybrid - ") and pair not in ("hybrid - base", "hybrid - captions")
    }
    ahead = [name for name, metric in found.items() if metric.low > 0]
    behind = [name for name, metric in found.items() if metric.high < 0]
    level = [name for name in found if name not in (*ahead, *behind)]
    name, parts = context.tuned(model), []
    if ahead:
        parts.append(f"the agreement of {name} is higher than that with {_among(ahead)}")
    if behind:
        parts.append(f"the agreement of {name} is lower than that with {_among(behind)}")
    if level:
        parts.append(
            f"there is no evidence that the agreement of {name} differs from that with {_among(level)}"
        )
    return [f"Controls: {'; '.join(parts)}."] if parts else []


def _among(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _nearness(_: None, context: Context) -> Findings:
    words, ceiling = list[str](), context.headline.ceilings.rsa_ceiling
    if ceiling is None:
        raise NotApplicable("no noise ceiling was computed")
    for model in context.having(_HYBRID):
        tuned = context.levels(model)[_HYBRID].metrics.rsa_spearman
        words.append(ceiling_sentence(tuned, ceiling, capital(context.tuned(model)), context.words.judges))
    return Findings(
        tuple(words),
        (FigureBlock(shares_figure(context), "Model over ceiling; 1 is the noise ceiling."),),
        tuple(shares_table(context, name) for name in context.table.protocols),
        notes=(
            centring(context),
            "A share leaves the ceiling's own uncertainty out; its interval stands in the table.",
        ),
    )


_MEASURED = (
    "Spearman correlation between model distances and the share of times {judges} did not keep two clips together, over "
    "pairs of clips that no model was trained on; odd one out is the share of their trials that the model answers alike.\n\n"
    "95 % intervals say how far figures would move with other clips and other {judges}. Differences are paired, and values are "
    "means over seeds."
)
GAP = Chapter(
    name="gap",
    title="The gap to {judges}",
    method=_MEASURED,
    settings=GapSettings,
    analyse=_gap_analysis,
    result=ResultsTable,
    present=_gap,
)
CLOSING = Chapter[Settings, None](
    name="conditions", title="What tuning on the choices of {judges} changes",
    present=_closing,
    method=(
        _MEASURED
        + "\n\nControls: parts of the objective alone (triplet-only, rsa-only), as many constraints without the matrix "
        "(budget-matched), the same training towards captions (language-distillation) or towards shuffled clips "
        "(shuffled)."
    ),
)  # fmt: skip
CEILING = Chapter[Settings, None](
    name="ceiling", title="How near to the noise ceiling",
    present=_nearness,
    method=(
        "The noise ceiling is the most that a fixed prediction of pairs can expect: what the share of times that a pair "
        "is kept, over all {judges} and third clips, would correlate with the shares seen here. It is found from "
        "judgments of one pair by different {judges} in different triplets, which have nothing in common but the pair. "
        "For odd one out only a range is known: predicting each answer from the other answers to the same triplet is too "
        "low, the share of the most frequent answer too high.\n\n"
        "A share is the model's correlation over the ceiling."
    ),
)  # fmt: skip
