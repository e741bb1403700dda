"""The first three results: the gap to people, what closes it, and how close to the noise ceiling that comes."""

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
            words.append(f"{capital(context.base(model))} is itself {_CAPTIONS}, so there is no gap to show.")
        else:
            words.append(contrast_sentence(gap.rsa_spearman, context.base(model), _CAPTIONS, what))
    return Findings(
        tuple(words),
        (gap_block(context, f"Models before tuning, and {_CAPTIONS}.", [_BASE]),),
        tuple(levels_table(context, name, [_BASE]) for name in result.protocols),
        notes=(centring(context),),
    )


def _closing(_: None, context: Context) -> Findings:
    words = [text for model in context.having(_BASE, _HYBRID) for text in _changes(context, model)]
    caption = f"Agreement with {context.words.judges}, beside the noise ceiling."
    differences = FigureBlock(differences_figure(context), "Paired differences between conditions.")
    tables = [
        make(context, name) for make in (levels_table, differences_table) for name in context.table.protocols
    ]
    figures = (gap_block(context, caption), differences, *published_blocks(context))
    return Findings(tuple(words), figures, tuple(tables), notes=(centring(context),))


def _changes(context: Context, model: str) -> list[str]:
    """What tuning changed, and how the tuned model compares with captions and with the controls."""
    what, differences = f"agreement with {context.words.judges}", context.headline.differences[model]
    base, tuned = (context.levels(model)[name].metrics.rsa_spearman.value for name in (_BASE, _HYBRID))
    change = differences["hybrid - base"].rsa_spearman
    words = [change_sentence(change, base, tuned, f"{what} (Spearman)", context.cause(model))]
    if "hybrid - captions" in differences:
        beside = differences["hybrid - captions"].rsa_spearman
        words.append(contrast_sentence(beside, context.tuned(model), _CAPTIONS, what))
    return words + _controls(context, model)


def _controls(context: Context, model: str) -> list[str]:
    """Which controls agree less than the tuned model, which agree more, and which show no evidence of a difference."""
    found = {
        pair.removeprefix("hybrid - "): figures.rsa_spearman
        for pair, figures in context.headline.differences[model].items()
        if pair.startswith("hybrid - ") and pair not in ("hybrid - base", "hybrid - captions")
    }
    lower = [name for name, metric in found.items() if metric.low > 0]
    higher = [name for name, metric in found.items() if metric.high < 0]
    undecided = [name for name in found if name not in (*lower, *higher)]
    who, parts = context.tuned(model), []
    if lower:
        parts.append(f"agreement is higher for {who} than for {_among(lower)}")
    if higher:
        parts.append(f"agreement is lower for {who} than for {_among(higher)}")
    if undecided:
        parts.append(f"there is no evidence of a difference from {_among(undecided)}")
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
        (FigureBlock(shares_figure(context), "Agreement as a share of the noise ceiling (1)."),),
        tuple(shares_table(context, name) for name in context.table.protocols),
        notes=(
            centring(context),
            "Shares ignore the uncertainty of the ceiling, whose interval is in the table.",
        ),
    )


_MEASURED = (
    "RSA: Spearman correlation between model distances and the proportion of presentations in which {judges} did not keep two "
    "clips together, over pairs of clips on which no model was trained. Odd one out: proportion of trials on which the model "
    "chooses as {judges} did.\n\n"
    "95 % intervals reflect the sampling of clips and {judges}. Differences are paired; values are means over seeds."
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
    name="conditions", title="The effect of tuning on the choices of {judges}",
    present=_closing,
    method=(
        _MEASURED
        + "\n\nControls: each part of the objective alone (triplet-only, rsa-only), the same number of constraints without "
        "the matrix (budget-matched), the same training on answers derived from captions (language-distillation) or on "
        "shuffled clips (shuffled), and a transform of the frozen model's embeddings instead of adapters (transform-only)."
    ),
)  # fmt: skip
CEILING = Chapter[Settings, None](
    name="ceiling", title="How close to the noise ceiling",
    present=_nearness,
    method=(
        "The noise ceiling is the highest correlation that a fixed prediction of all pairs can be expected to reach: that "
        "between the proportions expected over all {judges} and third clips and the proportions observed here. It is "
        "estimated from judgments of the same pair by different {judges} in different triplets, which share nothing but the "
        "pair. For odd one out only a range is known: predicting each answer from the other answers to the same triplet "
        "underestimates the ceiling, and the proportion of the most frequent answer overestimates it.\n\n"
        "A share is the model's correlation divided by the ceiling."
    ),
)  # fmt: skip
