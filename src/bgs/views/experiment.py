"""Views of the plan and the results of an experiment."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bgs.views.console import bytes_text, table
from bgs.views.numbers import number

if TYPE_CHECKING:
    from bgs.evaluation import Metric
    from bgs.experiments.plan import Plan
    from bgs.experiments.results import Level, ProtocolResults, ResultsTable, Row


def table_view(results: ResultsTable, center: bool) -> Group:
    """One table per protocol and model, its paired differences, and the values of each seed; 80 columns wide.

    Args:
        results: of the experiment.
        center: whether embeddings were centred on the training clips.
    """
    parts: list[RenderableType] = []
    for protocol, found in results.protocols.items():
        ceilings = ", ".join(_ceilings(found))
        parts += ["", Text(f"{protocol}. Noise ceilings: {ceilings}", style="bold")]
        for model, rows in found.models.items():
            with_captions = {"captions": found.captions, **rows} if found.captions else rows
            parts += [
                _levels(model, with_captions),
                _differences(found.differences[model]),
                _seeds(rows),
            ]
    parts.append(
        "Means over seeds of value and 95 % interval (clips and participants); differences are paired. Share: of the RSA "
        f"ceiling. Embeddings are {'centred on the training clips' if center else 'not centred'}."
    )
    return Group(*parts)


def _ceilings(found: ProtocolResults) -> list[str]:
    best = found.ceilings
    rsa = [] if best.rsa_ceiling is None else [f"RSA {number(best.rsa_ceiling.value)}"]
    return rsa + ([f"3AFC {best.odd_one_out_range}"] if best.odd_one_out_range else [])


def _levels(model: str, levels: Mapping[str, Level]) -> Table:
    lines = []
    for name, level in levels.items():
        row, share = level.metrics, level.share_of_ceiling.rsa_spearman
        squared, part = number(row.rsa_spearman_squared.value), math.nan if share is None else share.value
        rsa, odd = _estimate(row.rsa_spearman), _estimate(row.odd_one_out_3afc)
        lines.append((name, rsa, squared, _percent(part), odd))
    return table(model, ("", "RSA ρ", "ρ²", "share", "3AFC"), lines, numbers=(1, 2, 3, 4))


def _differences(rows: Mapping[str, Row]) -> Table:
    lines = [
        (name, _estimate(row.rsa_spearman, sign=True), _estimate(row.odd_one_out_3afc, sign=True))
        for name, row in rows.items()
    ]
    return table("paired differences", ("", "RSA ρ", "3AFC"), lines, numbers=(1, 2))


def _seeds(levels: Mapping[str, Level]) -> Table:
    lines = [
        (
            name,
            _each(level.metrics.rsa_spearman.seeds.values()),
            _each(level.metrics.odd_one_out_3afc.seeds.values()),
        )
        for name, level in levels.items()
    ]
    return table("by seed", ("", "RSA ρ", "3AFC"), lines)


def _each(values: Iterable[float]) -> str:
    return " ".join(map(number, values))


def plan_view(plan: Plan) -> Group:
    """The cells, and the estimated time and disk of each model."""
    from bgs.experiments.plan import RULE

    lines = []
    for model, cost in plan.costs.items():
        own = [cell for cell in plan.cells if cell.model == model]
        finished = sum(cell.name in plan.done for cell in own)
        if isinstance(cost, str):
            lines.append((model, len(own), finished, "–", "unknown", "unknown"))
        else:
            unit = f"{cost.seconds_a_unit * 1e3:,.1f} ms"
            size = bytes_text(int(plan.bytes(model)))
            lines.append((model, len(own), finished, unit, _duration(plan.seconds(model)), size))
    header = ("model", "cells", "done", "per unit", "time left", "disk")
    parts: list[RenderableType] = [table(f"{len(plan.cells)} cells", header, lines, numbers=(1, 2, 3, 4, 5))]
    parts += [_line(f"  {cell.name}{'  (done)' if cell.name in plan.done else ''}") for cell in plan.cells]
    parts += [
        _line(f"{model} was not timed: {cost}") for model, cost in plan.costs.items() if isinstance(cost, str)
    ]
    known = [plan.seconds(model) for model in plan.costs if not math.isnan(plan.seconds(model))]
    evaluation = "not timed" if math.isnan(plan.evaluation_seconds) else _duration(plan.evaluation_seconds)
    total = f"Total: {_duration(sum(known))}; evaluation of a cell: {evaluation}."
    return Group(*parts, "", Text(total, style="bold"), RULE)


def _line(text: str) -> Text:
    """A line that is never wrapped, so that it can be searched for and copied."""
    return Text(text, no_wrap=True, overflow="ignore")


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _estimate(metric: Metric, sign: bool = False) -> str:
    """``.446 [.351, .525]``."""
    value = number(metric.value, sign)
    if math.isnan(metric.low):
        return value
    return f"{value} [{number(metric.low, sign)}, {number(metric.high, sign)}]"


def _percent(share: float) -> str:
    return "–" if math.isnan(share) else f"{share:.0%}"
