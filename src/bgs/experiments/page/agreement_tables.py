"""Figures and tables of agreement: levels, paired differences, shares of the ceiling, published figures."""

from __future__ import annotations

import math
from collections.abc import Collection

from bgs.experiments.page.source import Source, estimate, role, seeds_text
from bgs.experiments.results import ProtocolResults, Row
from bgs.reports import (
    Estimate,
    FigureBlock,
    ForestFigure,
    ForestPanel,
    ForestRow,
    GapFigure,
    GapPanel,
    Table,
)
from bgs.reports.gap import PROTOCOL_TITLES
from bgs.reports.page import Cell

_MEASURES = {"rsa_spearman": "Spearman correlation", "odd_one_out_3afc": "odd one out, three-way"}
_SQUARED = {"rsa_spearman": "Spearman correlation", "rsa_spearman_squared": "squared Spearman"}


def footnote(source: Source) -> str:
    """What intervals and ticks are."""
    seeds = len(source.data.config.seeds)
    over = f" Means over {seeds} seeds; each is a tick." if seeds > 1 else ""
    return f"95 % intervals over clips and {source.words.judges}. {centring(source)}{over}"


def centring(source: Source) -> str:
    """What was subtracted from embeddings before anything was measured."""
    on = "the training clips" if source.data.config.evaluation.center else "nothing"
    return f"Embeddings are centred on {on}."


def gap_block(source: Source, caption: str, only: Collection[str] | None = None) -> FigureBlock:
    """Captions, models and ceiling, a panel a protocol; ``only`` these conditions."""
    panels = tuple(_panel(source, name, "rsa_spearman", only) for name in source.table.protocols)
    return FigureBlock(GapFigure(panels, footnote(source)), caption)


def published_blocks(source: Source) -> tuple[FigureBlock, ...]:
    """The same squared, beside published figures of others; nothing where none are given."""
    known = [name for name in source.table.protocols if source.data.config.report.published.get(name)]
    if not known:
        return ()
    panels = tuple(_panel(source, name, "rsa_spearman_squared", None) for name in known)
    caption = "Beside published figures, which are of other encoders and by their authors' own protocol."
    return (FigureBlock(GapFigure(panels, footnote(source)), caption),)


def _panel(source: Source, protocol: str, measure: str, only: Collection[str] | None) -> GapPanel:
    results = source.table.protocols[protocol]
    rows = [estimate("captions", results.captions[measure], "captions")] if results.captions else []
    rows += [
        estimate(source.called(model, source.label(name)), figures[measure], role(name))
        for model, conditions in results.models.items()
        for name, figures in conditions.items()
        if only is None or name in only
    ]
    ceiling = results.ceilings.get(measure.replace("spearman", "ceiling"))
    mark = Estimate.of("noise ceiling", ceiling, "ceiling") if ceiling else None
    given = source.data.config.report.published.get(protocol, {}) if measure.endswith("squared") else {}
    published = tuple(Estimate(name, x, math.nan, math.nan, role="published") for name, x in given.items())
    axis = f"{_SQUARED[measure]} with {source.words.judges}"
    return GapPanel(PROTOCOL_TITLES[protocol], axis, tuple(rows), mark, published)


def differences_figure(source: Source) -> ForestFigure:
    """Every paired difference, a panel a measure."""

    def panel(measure: str, title: str) -> ForestPanel:
        rows = [
            ForestRow(source.called(model, pair), (estimate("difference", figures[measure], "tuned"),))
            for model, pairs in source.headline.differences.items()
            for pair, figures in pairs.items()
        ]
        return ForestPanel(title, "difference", tuple(rows), 0.0, "no difference")

    return ForestFigure(tuple(panel(*measure) for measure in _MEASURES.items()), footnote(source))


def shares_figure(source: Source) -> ForestFigure:
    """Model over ceiling."""
    rows = [
        ForestRow(source.called(model, source.label(name)), (estimate(role(name), share, role(name)),))
        for model in source.models
        for name, figures in _rows(source.headline, model)
        if (share := source.headline.share_of_ceiling(figures).get("rsa_spearman")) is not None
    ]
    panel = ForestPanel("Share of the noise ceiling", "share (Spearman)", tuple(rows), 1.0, "noise ceiling")
    return ForestFigure((panel,), footnote(source))


def levels_table(source: Source, protocol: str, only: Collection[str] | None = None) -> Table:
    """Agreement of captions, models and ceiling; ``only`` these conditions."""
    results = source.table.protocols[protocol]
    found = [("captions", results.captions)] if results.captions else []
    for model, rows in results.models.items():
        found += [
            (source.called(model, source.label(c)), r) for c, r in rows.items() if only is None or c in only
        ]
    rsa = map(results.ceilings.get, ("rsa_ceiling", "rsa_ceiling_squared"))
    ceiling = ("noise ceiling", *rsa, results.odd_one_out_range, None, None, "")
    header = (
        "",
        "RSA, Spearman",
        "squared",
        "odd one out (chance 1/3)",
        "pairs",
        "trials",
        "seed by seed, Spearman",
    )
    lines = (*(_level(name, figures) for name, figures in found), ceiling)
    return Table(
        f"{PROTOCOL_TITLES[protocol]}: agreement with {source.words.judges}", header, lines, (1, 2, 3)
    )


def _level(name: str, figures: Row) -> tuple[Cell, ...]:
    rsa, odd = figures["rsa_spearman"], figures["odd_one_out_3afc"]
    squared = figures["rsa_spearman_squared"].mean
    return (name, rsa.mean, squared, odd.mean, rsa.mean.n, odd.mean.n, seeds_text(rsa))


def differences_table(source: Source, protocol: str, only: Collection[str] | None = None) -> Table:
    """Paired differences of a protocol; ``only`` these pairs, in the order given."""
    lines: list[tuple[Cell, ...]] = []
    for model, pairs in source.table.protocols[protocol].differences.items():
        for pair in pairs if only is None else [name for name in only if name in pairs]:
            rsa, odd = pairs[pair]["rsa_spearman"], pairs[pair]["odd_one_out_3afc"]
            lines.append(
                (source.called(model, pair), rsa.mean, odd.mean, rsa.mean.n, odd.mean.n, seeds_text(rsa))
            )
    header = ("", "RSA, Spearman", "odd one out", "pairs", "trials", "seed by seed, Spearman")
    return Table(f"{PROTOCOL_TITLES[protocol]}: paired differences", header, tuple(lines), (1, 2))


def shares_table(source: Source, protocol: str) -> Table:
    """Share of the RSA ceiling, beside what both ceilings are."""
    results = source.table.protocols[protocol]
    lines: list[tuple[Cell, ...]] = [
        (
            source.called(model, source.label(name)),
            results.share_of_ceiling(figures).get("rsa_spearman"),
            *(figures[name].mean for name in _MEASURES),
        )
        for model in source.models
        for name, figures in _rows(results, model)
    ]
    ceiling = ("noise ceiling", 1.0, results.ceilings.get("rsa_ceiling"), results.odd_one_out_range)
    header = ("", "share of the RSA ceiling", "RSA, Spearman", "odd one out (chance 1/3)")
    return Table(PROTOCOL_TITLES[protocol], header, (*lines, ceiling), (1, 2, 3))


def _rows(results: ProtocolResults, model: str) -> list[tuple[str, Row]]:
    """Captions, if there are any, then every condition of a model."""
    captions = [("captions", results.captions)] if results.captions else []
    return [*captions, *results.models[model].items()]
