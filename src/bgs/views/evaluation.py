"""Tables of an evaluation: values beside their noise ceilings, and paired differences."""

from __future__ import annotations

import math

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bgs.evaluation import Metric, Result
from bgs.views.console import table
from bgs.views.numbers import number

#: Metric, its label in tables, and its noise ceilings.
_ROWS = (
    ("rsa_spearman", "RSA, Spearman", ("rsa_ceiling",)),
    ("rsa_spearman_squared", "  squared", ("rsa_ceiling_squared",)),
    ("rsa_pearson", "RSA, Pearson", ()),
    ("rsa_pearson_squared", "  squared", ()),
    (
        "odd_one_out_3afc",
        "odd one out (chance 1/3)",
        ("odd_one_out_ceiling_lower", "odd_one_out_ceiling"),
    ),
    ("odd_one_out_two_way", "  two-way (chance 1/2)", ()),
)


def result_view(result: Result, names: tuple[str, str] = ("this", "other")) -> Group:
    """Tables and notes for a result, at most 80 columns wide.

    Args:
        result: what to show.
        names: labels of the evaluated embeddings and of those compared with, if any.
    """
    known = result.provenance
    parts: list[RenderableType] = [_metrics_table(result)]
    p = result.metrics["rsa_spearman"].p
    if p is not None:
        shuffles = f"{known['permutations']} permutations of stimulus labels, one-sided"
        parts.append(f"p = {_p_value(p)} for the Spearman RSA ({shuffles}).")
    parts.append(f"Embeddings are centred on {known['centred_on']}.")
    parts += _about_intervals(result)
    if result.differences:
        parts += ["", _differences_table(result, names)]
    if known.get("simulated"):
        parts.append(Text("SIMULATED clips or observers: no human data.", style="bold"))
    parts += [Text(f"Note: {warning}.", style="yellow") for warning in result.warnings]
    return Group(*parts)


def _about_intervals(result: Result) -> list[str]:
    """What the intervals generalise to; empty where there are none."""
    known = result.provenance
    others = {
        "both": f"to other clips and people (n = {known['n_clips']} clips, {known.get('n_participants')} people)",
        "clips": f"to other clips only (n = {known['n_clips']} clips)",
    }
    intervals = [metric.intervals for metric in result.metrics.values()]
    for design, words in others.items():
        if any(not math.isnan(each[design][0]) for each in intervals if design in each):
            return [f"95 % intervals generalise {words}."]
    return []


def _metrics_table(result: Result) -> Table:
    rows = []
    for name, words, ceilings in _measured(result):
        metric = result.metrics[name]
        known = [result.metrics[key] for key in ceilings if key in result.metrics]
        # Two ceilings are a lower and an upper bound on the true one.
        ceiling = " to ".join(number(bound.value) for bound in known)
        if len(known) == 1 and not math.isnan(known[0].low):
            ceiling += f" [{number(known[0].low)}, {number(known[0].high)}]"
        rows.append((words, number(metric.value), _interval(metric), f"{metric.n:,}", ceiling))
    title = f"{result.provenance['model']['source']}: {result.protocol}"
    return table(title, ("", "value", "95 % interval", "n", "ceiling"), rows, numbers=(1, 2, 3, 4))


def _differences_table(result: Result, names: tuple[str, str]) -> Table:
    rows = []
    for name, words, _ in _measured(result):
        models, difference = (result.metrics[name], result.against_metrics[name]), result.differences[name]
        values = [number(metric.value) for metric in models]
        rows.append((words, *values, number(difference.value, sign=True), _interval(difference, sign=True)))
    title = f"Compared with {result.provenance['against']['source']}, paired"
    return table(title, ("", *names, "difference", "95 % interval"), rows, numbers=(1, 2, 3, 4))


def _measured(result: Result) -> list[tuple[str, str, tuple[str, ...]]]:
    """The metrics present in the result; with only a human RDM there are no odd-one-out accuracies."""
    return [row for row in _ROWS if row[0] in result.metrics]


def _interval(metric: Metric, sign: bool = False) -> str:
    if math.isnan(metric.low):
        return "–"
    return f"{number(metric.low, sign)} to {number(metric.high, sign)}"


def _p_value(p: float) -> str:
    return "–" if math.isnan(p) else f"{p:.2g}"
