"""The figure of docs/heider-simmel.md: every encoder frozen, with a linear transform, and tuned by LoRA."""

from __future__ import annotations

from collections.abc import Iterator

from heider_simmel_verbs import Line

from bgs.evaluation import Metric
from bgs.reports import Estimate, ForestFigure, ForestPanel, ForestRow
from bgs.reports.palette import Role

_ROLES: dict[str, Role] = {
    "frozen": "base",
    "linear transform": "captions",
    "LoRA": "tuned",
    "trained": "tuned",
}


def figure(lines: list[Line], ceiling: Metric) -> ForestFigure:
    """Encoders as rows, the best first: frozen, transform, LoRA."""
    best: dict[str, float] = {}
    for one in lines:
        best[one.encoder] = max(best.get(one.encoder, -1.0), one.rsa.value)
    rows = tuple(
        ForestRow(encoder, tuple(estimates(lines, encoder)))
        for encoder in sorted(best, key=lambda name: -best[name])
    )
    axis = "Spearman correlation with people, 95\u00a0% interval"
    return ForestFigure((ForestPanel("From verbs to choices", axis, rows, ceiling.value, "noise ceiling"),))


def estimates(lines: list[Line], encoder: str) -> Iterator[Estimate]:
    """The states of an encoder that a figure shows."""
    for one in lines:
        if one.encoder == encoder and one.state in _ROLES:
            yield Estimate.of(one.state, one.rsa, _ROLES[one.state])
