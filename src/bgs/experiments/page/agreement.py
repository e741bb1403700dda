"""The first three results: the gap to people, what closes it, and how near to the noise ceiling that comes."""

from __future__ import annotations

from collections.abc import Iterable

from bgs.experiments.conditions import Condition
from bgs.experiments.page.agreement_tables import (
    centring,
    differences_figure,
    differences_table,
    gap_block,
    levels_table,
    published_blocks,
    shares_figure,
    shares_table,
)
from bgs.experiments.page.chapter import Chapter, Findings
from bgs.experiments.page.source import Source
from bgs.reports import FigureBlock, ceiling_sentence, change_sentence, contrast_sentence, level_sentence

_BASE, _HYBRID = Condition.BASE.value, Condition.HYBRID.value
_CAPTIONS = "an embedding of the captions"


def _gap(source: Source) -> Findings:
    what, words = f"agreement with {source.words.judges}", list[str]()
    for model in source.having(_BASE):
        base = source.headline.models[model][_BASE]["rsa_spearman"].mean
        gap = source.headline.differences[model].get("base - captions")
        if gap is None:
            words.append(level_sentence(base, f"{what} of {source.base(model)} (Spearman)", 0.0))
        elif gap["rsa_spearman"].mean.low == gap["rsa_spearman"].mean.high == 0:
            words.append(f"{_capital(source.base(model))} is {_CAPTIONS} itself: there is no gap to show.")
        else:
            words.append(contrast_sentence(gap["rsa_spearman"].mean, source.base(model), _CAPTIONS, what))
    return Findings(
        tuple(words),
        (gap_block(source, f"Models before training, and {_CAPTIONS}.", [_BASE]),),
        tuple(levels_table(source, name, [_BASE]) for name in source.table.protocols),
        notes=(centring(source),),
    )


def _closing(source: Source) -> Findings:
    words = [text for model in source.having(_BASE, _HYBRID) for text in _changes(source, model)]
    caption = f"Agreement with {source.words.judges}, and the most that any model can reach."
    differences = FigureBlock(differences_figure(source), "Paired differences between conditions.")
    tables = [
        make(source, name) for make in (levels_table, differences_table) for name in source.table.protocols
    ]
    figures = (gap_block(source, caption), differences, *published_blocks(source))
    return Findings(tuple(words), figures, tuple(tables), notes=(centring(source),))


def _changes(source: Source, model: str) -> list[str]:
    """What tuning changed, where that leaves the model beside captions, and what the controls say."""
    what, differences = f"agreement with {source.words.judges}", source.headline.differences[model]
    base, tuned = (
        source.headline.models[model][name]["rsa_spearman"].mean.value for name in (_BASE, _HYBRID)
    )
    change = differences["hybrid - base"]["rsa_spearman"].mean
    words = [change_sentence(change, base, tuned, f"{what} (Spearman)", source.cause(model))]
    if "hybrid - captions" in differences:
        beside = differences["hybrid - captions"]["rsa_spearman"].mean
        words.append(contrast_sentence(beside, source.tuned(model), _CAPTIONS, what))
    return words + _controls(source, model)


def _controls(source: Source, model: str) -> list[str]:
    """Which controls the tuned model is ahead of, which ahead of it, and which differ by no evidence."""
    found = {
        pair.removeprefix("hybrid - "): figures["rsa_spearman"].mean
        for pair, figures in source.headline.differences[model].items()
        if pair.startswith("hybrid - ") and pair not in ("hybrid - base", "hybrid - captions")
    }
    ahead = [name for name, metric in found.items() if metric.low > 0]
    behind = [name for name, metric in found.items() if metric.high < 0]
    level = [name for name in found if name not in (*ahead, *behind)]
    name, parts = source.tuned(model), []
    if ahead:
        parts.append(f"the agreement of {name} is higher than that with {_among(ahead)}")
    if behind:
        parts.append(f"the agreement of {name} is lower than that with {_among(behind)}")
    if level:
        parts.append(
            f"there is no evidence that the agreement of {name} differs from that with {_among(level)}"
        )
    return [f"Controls: {'; '.join(parts)}."] if parts else []


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _among(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _nearness(source: Source) -> Findings:
    words, ceiling = list[str](), source.headline.ceilings["rsa_ceiling"]
    for model in source.having(_HYBRID):
        tuned = source.headline.models[model][_HYBRID]["rsa_spearman"].mean
        words.append(ceiling_sentence(tuned, ceiling, _capital(source.tuned(model)), source.words.judges))
    return Findings(
        tuple(words),
        (FigureBlock(shares_figure(source), "Model over ceiling; 1 is the noise ceiling."),),
        tuple(shares_table(source, name) for name in source.table.protocols),
        notes=(
            centring(source),
            "A share leaves the ceiling's own uncertainty out; its interval stands in the table.",
        ),
    )


_MEASURED = (
    "Spearman correlation between model distances and the share of times {judges} did not keep two clips together, over "
    "pairs of clips that no model was trained on; odd one out is the share of their trials that the model answers alike.\n\n"
    "95 % intervals say how far figures would move with other clips and other {judges}. Differences are paired, and values are "
    "means over seeds."
)
GAP = Chapter("gap", "The gap to {judges}", _MEASURED, _gap)
CLOSING = Chapter(
    "conditions", "What tuning on the choices of {judges} changes",
    _MEASURED + "\n\nControls: parts of the objective alone (triplet-only, rsa-only), as many constraints without the matrix "
    "(budget-matched), the same training towards captions (language-distillation) or towards shuffled clips (shuffled).",
    _closing,
)  # fmt: skip
CEILING = Chapter(
    "ceiling", "How near to the noise ceiling",
    "The noise ceiling is the most that a fixed prediction of pairs can expect: what the share of times that a pair is kept, "
    "over all {judges} and third clips, would correlate with the shares seen here. It is found from judgments of one pair by "
    "different {judges} in different triplets, which have nothing in common but the pair. For odd one out only a range is "
    "known: predicting each answer from the other answers to the same triplet is too low, the share of the most frequent "
    "answer too high.\n\n"
    "A share is the model's correlation over the ceiling.",
    _nearness,
)  # fmt: skip
