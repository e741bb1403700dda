"""The tables of docs/heider-simmel.md and of the README."""

from __future__ import annotations

from collections.abc import Mapping

from heider_simmel_verbs import COLUMNS, Line
from page_tables import number

from bgs.evaluation import Metric
from bgs.runs.cross_validation import CrossValidation


def text_of(metric: Metric | None, signed: bool = False) -> str:
    """A value with its interval; empty where there is none."""
    if metric is None:
        return ""
    low, high = number(metric.low, signed), number(metric.high, signed)
    return f"{number(metric.value, signed)} [{low}, {high}]"


def verbs_table(lines: list[Line]) -> str:
    """The best first."""
    header = [
        "encoder",
        "trained",
        "RSA, Spearman",
        *(f"− {name}" for name in COLUMNS),
        "odd one out",
        "seeds",
    ]
    rows = [header, ["---"] * len(header)]
    for one in sorted(lines, key=lambda one: -one.rsa.value):
        differences = [text_of(one.differences.get(name), True) for name in COLUMNS]
        rows.append(
            [
                one.encoder,
                one.state,
                text_of(one.rsa),
                *differences,
                text_of(one.odd_one_out),
                str(len(one.rsa.seeds)),
            ]
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def summary_table(lines: list[Line]) -> str:
    """For the README: each encoder frozen, with a transform and adapted; its best state minus frozen and minus tuned pixels."""
    states = ("frozen", "linear transform", "LoRA")
    rows = [
        f"| RSA, Spearman | {' | '.join(states)} | best − frozen | best − tuned pixels |",
        "|---|---|---|---|---|---|",
    ]
    best: dict[str, Line] = {}
    for one in sorted(lines, key=lambda one: -one.rsa.value):
        best.setdefault(one.encoder, one)
    for encoder, top in best.items():
        own = {one.state: one.rsa for one in lines if one.encoder == encoder}
        cells = [encoder, *(text_of(own.get(name)) for name in states)]
        cells += [text_of(top.differences.get(name), True) for name in ("frozen", "tuned pixels")]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def choices_table(found: Mapping[str, CrossValidation]) -> str:
    """As listed."""
    rows = ["| encoder | before | tuned on choices | difference |", "|---|---|---|---|"]
    rows += [
        f"| {name} | {text_of(one.base)} | {text_of(one.tuned)} | {text_of(one.difference, True)} |"
        for name, one in found.items()
    ]
    return "\n".join(rows)
