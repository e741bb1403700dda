"""Response times as tables have them: seconds or milliseconds, of each response or since the start of the session."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from bgs._errors import DataError
from bgs._typing import Bool, Float, Int, Shaped
from bgs.judgments.csv_table import Table

RtUnit = Literal["s", "ms"]
#: ``response``: from the start of the trial; ``elapsed``: since the session began, so that times are their differences.
RtKind = Literal["response", "elapsed"]

#: No study has a median response time outside these, in seconds.
PLAUSIBLE_S = (0.05, 200.0)
#: Times that all grow are taken for a clock where chance would have them grow so less often than this.
GROWS_BY_CHANCE = 0.05


def read_response_times(
    table: Table,
    participant: Shaped[np.ndarray, " n"],
    block: Shaped[np.ndarray, " n"],
    trial: Int[np.ndarray, " n"],
    unit: RtUnit = "s",
    kind: RtKind = "response",
) -> Float[np.ndarray, " n"]:
    """(n,) response times in seconds; NaN where unknown, as all are in a table without ``rt``.

    Elapsed times become differences to the trial before of the same participant and block; the first is unknown, since
    nothing says when it began. Times that do not look like what they are said to be are read as said, and the
    table keeps a sentence that names the option for the other.

    Args:
        table: with or without a column ``rt``.
        participant, block, trial: of each row.
        unit: of the column.
        kind: what it counts from.

    Raises:
        DataError: a time is not a number ≥ 0, or elapsed time goes back.
    """
    if "rt" not in table.columns:
        return np.full(len(table), np.nan)
    rt = table.floats("rt", blank_is_nan=True) / (1000.0 if unit == "ms" else 1.0)
    negative = np.flatnonzero(rt < 0)
    if len(negative):
        raise DataError(
            "negative response time", where=table.where(int(negative[0]), "rt"),
            expected="a number ≥ 0", got=table["rt"][negative[0]],
        )  # fmt: skip
    order, first = _in_sessions(participant, block, trial, np.isfinite(rt))
    grows = _only_grows(rt[order], first)
    differences = _differences(rt, order, first)
    if kind == "elapsed":
        _check_clock(table, differences)
        rt = differences
    elif grows:
        table.assume(
            "response times only grow within participant and block, as time since the start does (--rt-kind elapsed, "
            "or rt_kind='elapsed', takes differences)"
        )
    _check_unit(table, differences if grows else rt, unit)
    return rt


def _in_sessions(
    participant: Shaped[np.ndarray, " n"],
    block: Shaped[np.ndarray, " n"],
    trial: Int[np.ndarray, " n"],
    known: Bool[np.ndarray, " n"],
) -> tuple[Int[np.ndarray, " m"], Bool[np.ndarray, " m"]]:
    """Rows with a known time, by participant, block and trial; and whether each is the first of its block."""
    who, where = (np.unique(names, return_inverse=True)[1] for names in (participant, block))
    order = np.lexsort((trial, where, who))
    order = order[known[order]]
    session = np.column_stack([who, where])[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = (session[1:] != session[:-1]).any(axis=1)
    return order, first


def _differences(
    rt: Float[np.ndarray, " n"], order: Int[np.ndarray, " m"], first: Bool[np.ndarray, " m"]
) -> Float[np.ndarray, " n"]:
    """(n,) time since the row before in the session; NaN for the first of each, and where a time is unknown."""
    found = np.full(len(rt), np.nan)
    found[order] = np.where(first, np.nan, np.diff(rt[order], prepend=np.nan))
    return found


def _only_grows(rt: Float[np.ndarray, " m"], first: Bool[np.ndarray, " m"]) -> bool:
    """Whether times grow from each trial to the next in every session, and hardly by chance."""
    falls = np.diff(rt) <= 0
    if falls[~first[1:]].any():
        return False
    lengths = np.diff(np.append(np.flatnonzero(first), len(rt)))
    return sum(math.lgamma(length + 1) for length in lengths.tolist()) > -math.log(GROWS_BY_CHANCE)


def _check_clock(table: Table, differences: Float[np.ndarray, " n"]) -> None:
    back = np.flatnonzero(differences < 0)
    if len(back):
        raise DataError(
            "elapsed time goes back within a participant and block", where=table.where(int(back[0]), "rt"),
            expected="more than in the trial before", got=table["rt"][back[0]],
            hint="--rt-kind response, if these are times of single responses",
        )  # fmt: skip


def _check_unit(table: Table, seconds: Float[np.ndarray, " n"], unit: RtUnit) -> None:
    known = seconds[np.isfinite(seconds)]
    low, high = PLAUSIBLE_S
    middle = float(np.median(known)) if len(known) else low
    if unit == "s" and middle > high:
        other = "--rt-unit ms, or rt_unit='ms', reads them as milliseconds"
    elif unit == "ms" and middle < low:
        other = "--rt-unit s, or rt_unit='s', reads them as seconds"
    else:
        return
    table.assume(f"the median response time is {middle:,.4g} s, which is not plausible ({other})")
