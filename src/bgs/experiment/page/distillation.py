"""Is it language that is learned? The same training towards captions, beside training on those who judged."""

from __future__ import annotations

from bgs.experiment.analyses.over_seeds import from_json
from bgs.experiment.applicable import NotApplicable
from bgs.experiment.conditions import Condition
from bgs.experiment.page.chapter import Chapter, Findings
from bgs.experiment.page.source import PROTOCOLS, Source, estimate, role, seeds_text
from bgs.experiment.results import ProtocolResults
from bgs.report import (
    FigureBlock,
    ForestFigure,
    ForestPanel,
    ForestRow,
    Table,
    change_sentence,
    contrast_sentence,
)
from bgs.report.page import Cell

_BASE, _HYBRID, _DISTILLED = (
    condition.value for condition in (Condition.BASE, Condition.HYBRID, Condition.LANGUAGE_DISTILLATION)
)


def _distillation(source: Source) -> Findings:
    if Condition.LANGUAGE_DISTILLATION not in source.data.config.conditions:
        raise NotApplicable(f"the experiment has no condition {_DISTILLED}")
    results, words, what = source.headline, list[str](), f"agreement with {source.words.judges}"
    for model in source.having(_BASE, _DISTILLED, _HYBRID):
        base, after = (results.models[model][name]["rsa_spearman"].mean for name in (_BASE, _DISTILLED))
        differences = results.differences[model]
        words.append(
            contrast_sentence(
                differences["hybrid - language-distillation"]["rsa_spearman"].mean,
                f"{source.tuned(model)} (on {source.words.judges})", "one tuned towards captions", what,
            )
        )  # fmt: skip
        change = differences["language-distillation - base"]["rsa_spearman"].mean
        words.append(
            change_sentence(change, base.value, after.value, f"{what} (Spearman)", "Tuning towards captions")
        )
    panels = tuple(_panel(source, name, found) for name, found in source.table.protocols.items())
    note = f"95 % intervals over clips and {source.words.judges}."
    caption = "The same clips, trials and objective; only who answered differs."
    return Findings(
        tuple(words),
        (FigureBlock(ForestFigure(panels, note), caption),),
        (*(_table(source, name, found) for name, found in source.table.protocols.items()), *_unique(source)),
    )


def _panel(source: Source, protocol: str, results: ProtocolResults) -> ForestPanel:
    rows = tuple(
        ForestRow(
            source.called(model, source.label(name)),
            (estimate(role(name), results.models[model][name]["rsa_spearman"], role(name)),),
        )
        for model in source.models
        for name in (_BASE, _DISTILLED, _HYBRID)
        if name in results.models[model]
    )
    return ForestPanel(PROTOCOLS[protocol], f"Spearman correlation with {source.words.judges}", rows, 0.0, "")


def _table(source: Source, protocol: str, results: ProtocolResults) -> Table:
    lines: list[tuple[Cell, ...]] = []
    for model in source.models:
        for pair in ("language-distillation - base", "hybrid - base", "hybrid - language-distillation"):
            if pair in results.differences[model]:
                figures = results.differences[model][pair]
                rsa, odd = figures["rsa_spearman"], figures["odd_one_out_3afc"]
                lines.append((source.called(model, pair), rsa.mean, odd.mean, rsa.mean.n, seeds_text(rsa)))
    header = ("", "RSA, Spearman", "odd one out", "pairs", "seed by seed, Spearman")
    return Table(f"{PROTOCOLS[protocol]}: paired differences", header, tuple(lines), (1, 2, 3))


def _unique(source: Source) -> list[Table]:
    """Unique variance beyond captions of all three, where it was analysed."""
    try:
        models, _ = source.by_model(source.result("variance"))
    except NotApplicable:
        return []
    lines: list[tuple[Cell, ...]] = []
    for model, found in models.items():
        for name in (_BASE, _DISTILLED, _HYBRID):
            if name in found["partitions"]:
                part = from_json(found["partitions"][name]["cross_validated"])[name].mean
                lines.append((source.called(model, source.label(name)), part, part.n))
    header = ("", "proportion of variance", "pairs")
    return [Table("Variance that captions do not explain", header, tuple(lines), (1, 2))] if lines else []


DISTILLATION = Chapter(
    "distillation", "Is it language that is learned?",
    "Language distillation: the same clips, trials, observed pairs and objective, but the odd one of each trial and the target "
    "matrix come from an encoder of the captions.\n\n"
    "If what is learned from {judges} were what captions say, both would end at the same place. Intervals resample clips and "
    "{judges}; differences are paired, values are means over seeds.",
    _distillation,
)  # fmt: skip
