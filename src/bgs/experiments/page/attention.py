"""Where base and tuned models look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bgs.experiments.analyses.over_seeds import from_json
from bgs.experiments.page.chapter import Chapter, Findings
from bgs.experiments.page.source import Source, estimate, p_text
from bgs.experiments.results import SeedMean
from bgs.reports import FigureBlock, ForestFigure, ForestPanel, ForestRow, Table, change_sentence
from bgs.reports.page import Cell

_BACKGROUND = "background"
_AXIS = "share of attention − share of the picture, percentage points"


def _attention(source: Source) -> Findings:
    models, notes = source.by_model(source.result("attention"))
    words, figures, tables = list[str](), list[FigureBlock](), list[Table]()
    for model, found in models.items():
        words += _words(source, model, found)
        figures += [_shares(source, model, found), *_strips(source, found)]
        tables.append(_table(source, model, found))
    return Findings(tuple(words), tuple(figures), tuple(tables), notes=notes)


def _percent(figures: Mapping[str, Any]) -> dict[str, SeedMean]:
    """Shares in percent: regions are small, and so are the differences."""

    def scaled(figure: SeedMean) -> SeedMean:
        bounds = {key: 100 * getattr(figure.mean, key) for key in ("value", "low", "high")}
        seeds = {seed: 100 * value for seed, value in figure.seeds.items()}
        return replace(figure, mean=replace(figure.mean, **bounds, unit="percentage points"), seeds=seeds)

    return {name: scaled(figure) for name, figure in from_json(figures).items()}


def _words(source: Source, model: str, found: Mapping[str, Any]) -> list[str]:
    """A sentence on each region that the settings name; without any, on each but the background."""
    section = source.data.config.analyses.attention
    named = list(section.regions) if section is not None else []
    base, tuned = (_percent(found[name]["enrichment"]) for name in ("base", "tuned"))
    change = _percent(found["difference"])
    wanted = [name for name in change if (name in named if named else name != _BACKGROUND)]
    return [
        change_sentence(
            change[name].mean, base[name].mean.value, tuned[name].mean.value,
            f"the share of attention on {name} beyond their share of the picture (percentage points)",
            source.cause(model), "clips",
        )
        for name in wanted
    ]  # fmt: skip


def _shares(source: Source, model: str, found: Mapping[str, Any]) -> FigureBlock:
    base, tuned = (_percent(found[name]["enrichment"]) for name in ("base", "tuned"))
    change = _percent(found["difference"])
    levels = [
        ForestRow(name, (estimate("base", base[name], "base"), estimate("tuned", tuned[name], "tuned")))
        for name in change
    ]
    gaps = [ForestRow(name, (estimate("difference", figure, "tuned"),)) for name, figure in change.items()]
    panels = (
        ForestPanel("Attention on regions", _AXIS, tuple(levels), 0.0, "as much as their area"),
        ForestPanel("Tuned − base", "difference, percentage points", tuple(gaps), 0.0, "no difference"),
    )
    note = f"95 % intervals over {found['n_clips']} clips; method: {found['method']}."
    return FigureBlock(
        ForestFigure(panels, note), source.called(model, "Which regions get more attention than their area.")
    )


def _strips(source: Source, found: Mapping[str, Any]) -> list[FigureBlock]:
    """The pictures that the analysis drew; one that was removed since is left out with a word."""
    blocks = []
    for strip in found["strips"]:
        path = source.data.folder.analyses / strip["file"]
        if path.is_file():
            caption = f"{strip['clip']}: base above, tuned below; the brighter, the more attention."
            blocks.append(FigureBlock(path.read_bytes(), caption, strip["alt"]))
    return blocks


def _table(source: Source, model: str, found: Mapping[str, Any]) -> Table:
    area = _percent(found["tuned"]["area"])
    base, tuned = (_percent(found[name]["share"]) for name in ("base", "tuned"))
    change = _percent(found["difference"])
    lines: list[tuple[Cell, ...]] = [
        (
            name, area[name].mean, base[name].mean, tuned[name].mean, figure.mean, p_text(figure.mean.p),
            p_text(figure.q), figure.mean.n,
        )
        for name, figure in change.items()
    ]  # fmt: skip
    header = (
        "region",
        "% of the picture",
        "% of attention, base",
        "% of attention, tuned",
        "difference",
        "p",
        "q",
        "clips",
    )
    return Table(
        source.called(model, f"Attention ({found['method']}) by region"),
        header,
        tuple(lines),
        tuple(range(1, 8)),
    )


ATTENTION = Chapter(
    "attention", "Where the model looks",
    "Attention is followed through all blocks (rollout) or taken from one of them, as weights of patches of frames. The share of "
    "a region is the sum of the weights on it; attention spread evenly would give it its share of the picture.\n\n"
    "Regions come from the masks of the data set. Intervals resample clips; differences are paired by clip, p flips their signs.",
    _attention,
)  # fmt: skip
