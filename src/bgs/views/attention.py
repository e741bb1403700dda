"""Table of attention shares by region."""

from __future__ import annotations

import math

from rich.console import Group, RenderableType

from bgs.evaluation import AttentionShares, Metric
from bgs.views.console import table
from bgs.views.numbers import number


def shares_view(result: AttentionShares) -> Group:
    """A table of regions, at most 80 columns wide: area, share of attention, and the difference between models."""
    rows = []
    for region, metrics in result.metrics.items():
        row = [region, metrics["area"].n, number(metrics["area"].value)]
        effect = metrics["enrichment"]
        if result.differences:
            row.append(number(result.against[region]["share"].value))
            effect = result.differences[region]
        rows.append([*row, number(metrics["share"].value), _effect(effect), _p(effect)])
    shares = ["base", "tuned", "difference"] if result.differences else ["share", "share − area"]
    header = ["region", "n", "area", *shares, "p"]
    title = f"Attention ({result.method}) by region"
    parts: list[RenderableType] = [table(title, header, rows, numbers=range(1, len(header)))]
    if result.differences:
        parts.append("base: share of attention of --against. tuned: of --model. difference: in share − area.")
    draws = result.provenance["resamples"]
    parts.append(
        f"n: clips. Brackets: 95 % interval from {draws} resamples of clips. p: sign-flip test, two-sided."
    )
    return Group(*parts)


def _effect(metric: Metric) -> str:
    bounds = ", ".join(number(bound, sign=True) for bound in (metric.low, metric.high))
    return f"{number(metric.value, sign=True)} [{bounds}]"


def _p(metric: Metric) -> str:
    return "–" if metric.p is None or math.isnan(metric.p) else f"{metric.p:.2g}"
