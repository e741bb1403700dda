"""Transfer: a second data set, without any training on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bgs.evaluation import Metric
from bgs.experiments.analyses.over_seeds import from_json
from bgs.experiments.page.chapter import Chapter, Findings
from bgs.experiments.page.source import Source, estimate, p_text, seeds_text
from bgs.reports import Estimate, FigureBlock, ForestFigure, ForestPanel, ForestRow, Table, change_sentence
from bgs.reports.page import Cell

#: Measure -> how it is called, what guessing gives (None: see the references), and what its n counts.
_MEASURES: dict[str, tuple[str, float | None, str]] = {
    "rsa_spearman": ("agreement with rated similarity (Spearman)", 0.0, "pairs"),
    "odd_one_out_3afc": ("odd-one-out agreement with the ratings", 1 / 3, "triplets"),
    "balanced_accuracy": ("balanced accuracy of label decoding", None, "clips"),
}
_REFERENCES = {"one_rater": "one rater", "new_panel": "new panel"}


def _transfer(source: Source) -> Findings:
    result = source.result("transfer")
    models, notes = source.by_model(result)
    words, panels, tables = list[str](), list[ForestPanel](), list[Table]()
    for model, found in models.items():
        words += _words(source, model, found)
        panels.append(_panel(source, model, found))
        tables += _tables(source, model, found)
    caption = f"{result['n_clips']} clips of {result['data']}, which no model was trained on."
    note = "95 % intervals over clips; dotted: guessing."
    return Findings(
        tuple(words), (FigureBlock(ForestFigure(tuple(panels), note), caption),), tuple(tables),
        notes=(*notes, f"{result['data']}: {result['citation']}"),
    )  # fmt: skip


def _words(source: Source, model: str, found: Mapping[str, Any]) -> list[str]:
    base, tuned, change = (from_json(found[name]) for name in ("base", "tuned", "difference"))
    return [
        change_sentence(
            change[key].mean, base[key].mean.value, tuned[key].mean.value, what, source.cause(model), counted
        )
        for key, (what, _, counted) in _MEASURES.items()
        if key in change
    ]


def _panel(source: Source, model: str, found: Mapping[str, Any]) -> ForestPanel:
    base, tuned = (from_json(found[name]) for name in ("base", "tuned"))
    references = {name: Metric.from_json(value) for name, value in found["references"].items()}
    rows = [
        ForestRow(
            {"rsa_spearman": "RSA, Spearman", "odd_one_out_3afc": "odd one out"}.get(key, "decoding"),
            (estimate("base", base[key], "base"), estimate("tuned", tuned[key], "tuned")),
            chance if chance is not None else references["chance"].value if "chance" in references else None,
        )
        for key, (_, chance, _) in _MEASURES.items()
        if key in tuned
    ]
    rows += [
        ForestRow(f"decoding, {called}", (Estimate.of("raters", references[name], "people"),))
        for name, called in _REFERENCES.items()
        if name in references
    ]
    return ForestPanel(source.called(model, "Clips of another kind"), "correlation, or share", tuple(rows))


def _tables(source: Source, model: str, found: Mapping[str, Any]) -> list[Table]:
    base, tuned, change = (from_json(found[name]) for name in ("base", "tuned", "difference"))
    lines: list[tuple[Cell, ...]] = [
        (
            what, base[key].mean, tuned[key].mean, change[key].mean, p_text(change[key].mean.p),
            change[key].mean.n, counted, seeds_text(tuned[key]),
        )
        for key, (what, _, counted) in _MEASURES.items()
        if key in change
    ]  # fmt: skip
    for name, called in {"chance": "labels shuffled", **_REFERENCES}.items():
        if name in found["references"]:
            metric = Metric.from_json(found["references"][name])
            lines.append((f"decoding, {called}", metric, None, None, "–", metric.n, "clips", ""))
    header = ("", "base", "tuned", "difference", "p", "n", "of", "tuned, seed by seed")
    tables = [Table(source.called(model, "Zero-shot transfer"), header, tuple(lines), (1, 2, 3, 4, 5))]
    if "classes" in found:
        rows = tuple((name, *row) for name, row in zip(found["classes"], found["confusion"], strict=True))
        caption = source.called(model, "Labels given by the tuned model, first seed (rows: what raters said)")
        tables.append(Table(caption, ("", *found["classes"]), rows))
    return tables


TRANSFER = Chapter(
    "transfer", "Clips of another kind, without training",
    "RSA: Spearman correlation of model distances with distances between the ratings of a second data set. Odd one out: triplets "
    "judged as the ratings would (chance 1/3). Decoding: ridge classifier of the label, each clip left out; balanced "
    "accuracy.\n\n"
    "Nothing of the second data set was trained on; clips that were are refused. Embeddings are centred on their "
    "mean over the second data set, which looks different throughout. Intervals resample clips, differences are paired.",
    _transfer,
)  # fmt: skip
