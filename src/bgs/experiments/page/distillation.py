"""Is it language that is learned? The same training towards captions, beside training on those who judged."""

from __future__ import annotations

from bgs._errors import BgsError
from bgs.experiments.analyses.over_seeds import from_json
from bgs.experiments.applicable import NotApplicable
from bgs.experiments.conditions import Condition
from bgs.experiments.page.agreement_tables import differences_table, gap_block
from bgs.experiments.page.chapter import Chapter, Findings
from bgs.experiments.page.source import Source
from bgs.reports import Table, change_sentence, contrast_sentence
from bgs.reports.page import Cell

_BASE, _HYBRID, _DISTILLED = (
    condition.value for condition in (Condition.BASE, Condition.HYBRID, Condition.LANGUAGE_DISTILLATION)
)
_PAIRS = (f"{_DISTILLED} - {_BASE}", f"{_HYBRID} - {_BASE}", f"{_HYBRID} - {_DISTILLED}")


def _distillation(source: Source) -> Findings:
    if Condition.LANGUAGE_DISTILLATION not in source.data.config.conditions:
        raise NotApplicable(f"the experiment has no condition {_DISTILLED}")
    words = [text for model in source.having(_BASE, _DISTILLED, _HYBRID) for text in _words(source, model)]
    caption = "The same clips, trials and objective; only who answered differs."
    tables = [differences_table(source, name, _PAIRS) for name in source.table.protocols]
    figure = gap_block(source, caption, [_BASE, _DISTILLED, _HYBRID])
    return Findings(tuple(words), (figure,), (*tables, *_unique(source)))


def _words(source: Source, model: str) -> list[str]:
    what, differences = f"agreement with {source.words.judges}", source.headline.differences[model]
    base, after = (
        source.headline.models[model][name]["rsa_spearman"].mean.value for name in (_BASE, _DISTILLED)
    )
    against = differences[f"{_HYBRID} - {_DISTILLED}"]["rsa_spearman"].mean
    change = differences[f"{_DISTILLED} - {_BASE}"]["rsa_spearman"].mean
    tuned = f"{source.tuned(model)} (on {source.words.judges})"
    return [
        contrast_sentence(against, tuned, "one tuned towards captions", what),
        change_sentence(change, base, after, f"{what} (Spearman)", f"{source.cause(model)} towards captions"),
    ]


def _unique(source: Source) -> list[Table]:
    """Unique variance beyond captions of all three, where it was analysed."""
    try:
        models, _ = source.by_model(source.result("variance"))
    except BgsError:  # not applicable or failed: its own chapter says so
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
