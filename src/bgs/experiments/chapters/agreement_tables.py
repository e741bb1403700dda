"""Figures and tables of agreement: levels, paired differences, shares of the ceiling, published figures."""

from __future__ import annotations

import math
from collections.abc import Collection

from bgs.experiments.chapters.context import Context, estimate, role, seeds_text
from bgs.experiments.results import Level, ProtocolResults, Row, SeedMean
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


def footnote(context: Context) -> str:
    """What the intervals and ticks show."""
    seeds = len(context.experiment.config.seeds)
    over = f" Values are means over {seeds} seeds, whose own values are ticks." if seeds > 1 else ""
    return f"95 % intervals over clips and {context.words.judges}. {centring(context)}{over}"


def centring(context: Context) -> str:
    """How embeddings were centred before anything was measured."""
    centred = context.experiment.config.evaluation.center
    return f"Embeddings are {'centred on the training clips' if centred else 'not centred'}."


def gap_block(context: Context, caption: str, only: Collection[str] | None = None) -> FigureBlock:
    """Captions, models and ceiling, one panel per protocol; ``only`` these conditions."""
    panels = tuple(_panel(context, name, only) for name in context.table.protocols)
    return FigureBlock(GapFigure(panels, footnote(context)), caption)


def published_blocks(context: Context) -> tuple[FigureBlock, ...]:
    """Squared correlations beside published figures; nothing where none are given."""
    known = [name for name in context.table.protocols if context.experiment.config.report.published.get(name)]
    if not known:
        return ()
    panels = tuple(_panel(context, name, squared=True) for name in known)
    caption = (
        "Comparison with published figures, which are for other encoders and follow their authors' protocol."
    )
    return (FigureBlock(GapFigure(panels, footnote(context)), caption),)


def _panel(
    context: Context, protocol: str, only: Collection[str] | None = None, squared: bool = False
) -> GapPanel:
    results = context.table.protocols[protocol]

    def figure(level: Level) -> SeedMean:
        return level.metrics.rsa_spearman_squared if squared else level.metrics.rsa_spearman

    rows = [estimate("captions", figure(results.captions), "captions")] if results.captions else []
    rows += [
        estimate(context.called(model, context.label(name)), figure(level), role(name))
        for model, conditions in results.models.items()
        for name, level in conditions.items()
        if only is None or name in only
    ]
    ceiling = results.ceilings.rsa_ceiling_squared if squared else results.ceilings.rsa_ceiling
    mark = Estimate.of("noise ceiling", ceiling, "ceiling") if ceiling else None
    given = context.experiment.config.report.published.get(protocol, {}) if squared else {}
    published = tuple(Estimate(name, x, math.nan, math.nan, role="published") for name, x in given.items())
    axis = f"{'squared ' if squared else ''}Spearman correlation with {context.words.judges}"
    return GapPanel(PROTOCOL_TITLES[protocol], axis, tuple(rows), mark, published)


def differences_figure(context: Context) -> ForestFigure:
    """Every paired difference, one panel per measure."""

    def panel(measure: str, title: str) -> ForestPanel:
        rows = [
            ForestRow(context.called(model, pair), (estimate("difference", getattr(row, measure), "tuned"),))
            for model, pairs in context.headline.differences.items()
            for pair, row in pairs.items()
        ]
        return ForestPanel(title, "difference", tuple(rows), 0.0, "no difference")

    return ForestFigure(tuple(panel(*measure) for measure in _MEASURES.items()), footnote(context))


def shares_figure(context: Context) -> ForestFigure:
    """Agreement divided by the noise ceiling."""
    rows = [
        ForestRow(context.called(model, context.label(name)), (estimate(role(name), share, role(name)),))
        for model in context.models
        for name, level in _levels(context.headline, model)
        if (share := level.share_of_ceiling.rsa_spearman) is not None
    ]
    panel = ForestPanel("Share of the noise ceiling", "share (Spearman)", tuple(rows), 1.0, "noise ceiling")
    return ForestFigure((panel,), footnote(context))


def levels_table(context: Context, protocol: str, only: Collection[str] | None = None) -> Table:
    """Agreement of captions, models and ceiling; ``only`` these conditions."""
    results = context.table.protocols[protocol]
    found = [("captions", results.captions)] if results.captions else []
    for model, levels in results.models.items():
        found += [
            (context.called(model, context.label(c)), x)
            for c, x in levels.items()
            if only is None or c in only
        ]
    best = results.ceilings
    rsa = best.rsa_ceiling, best.rsa_ceiling_squared
    ceiling = ("noise ceiling", *rsa, best.odd_one_out_range, None, None, "")
    header = (
        "",
        "RSA, Spearman",
        "squared",
        "odd one out (chance 1/3)",
        "pairs",
        "trials",
        "Spearman by seed",
    )
    lines = (*(_line(name, level.metrics) for name, level in found), ceiling)
    return Table(
        f"{PROTOCOL_TITLES[protocol]}: agreement with {context.words.judges}", header, lines, (1, 2, 3)
    )


def _line(name: str, row: Row) -> tuple[Cell, ...]:
    rsa, odd = row.rsa_spearman, row.odd_one_out_3afc
    return (name, rsa, row.rsa_spearman_squared, odd, rsa.n, odd.n, seeds_text(rsa))


def differences_table(context: Context, protocol: str, only: Collection[str] | None = None) -> Table:
    """Paired differences of a protocol; ``only`` these pairs, in the order given."""
    lines: list[tuple[Cell, ...]] = []
    for model, pairs in context.table.protocols[protocol].differences.items():
        for pair in pairs if only is None else [name for name in only if name in pairs]:
            rsa, odd = pairs[pair].rsa_spearman, pairs[pair].odd_one_out_3afc
            lines.append((context.called(model, pair), rsa, odd, rsa.n, odd.n, seeds_text(rsa)))
    header = ("", "RSA, Spearman", "odd one out", "pairs", "trials", "Spearman by seed")
    return Table(f"{PROTOCOL_TITLES[protocol]}: paired differences", header, tuple(lines), (1, 2))


def shares_table(context: Context, protocol: str) -> Table:
    """Share of the RSA ceiling, beside both ceilings."""
    results = context.table.protocols[protocol]
    lines: list[tuple[Cell, ...]] = [
        (
            context.called(model, context.label(name)),
            level.share_of_ceiling.rsa_spearman,
            level.metrics.rsa_spearman,
            level.metrics.odd_one_out_3afc,
        )
        for model in context.models
        for name, level in _levels(results, model)
    ]
    ceiling = ("noise ceiling", 1.0, results.ceilings.rsa_ceiling, results.ceilings.odd_one_out_range)
    header = ("", "share of the RSA ceiling", "RSA, Spearman", "odd one out (chance 1/3)")
    return Table(PROTOCOL_TITLES[protocol], header, (*lines, ceiling), (1, 2, 3))


def _levels(results: ProtocolResults, model: str) -> list[tuple[str, Level]]:
    """Captions, if there are any, then every condition of a model."""
    captions = [("captions", results.captions)] if results.captions else []
    return [*captions, *results.models[model].items()]
