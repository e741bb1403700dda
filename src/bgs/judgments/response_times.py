"""Response times in tables: seconds or milliseconds, from the start of the trial or of the session."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from bgs._errors import DataError
from bgs._typing import Bool, Float, Int, Shaped
from bgs.judgments.csv_table import Table

RtUnit = Literal["s", "ms"]
#: ``response``: from the start of the trial; ``elapsed``: from the start of the session, so differences are taken.
RtKind = Literal["response", "elapsed"]

#: Plausible range of a median response time, in seconds.
PLAUSIBLE_S = (0.05, 200.0)
#: Always increasing times are taken for elapsed time if they would be less probable than this by chance.
GROWS_BY_CHANCE = 0.05


def read_response_times(
    table: Table,
    participant: Shaped[np.ndarray, " n"],
    block: Shaped[np.ndarray, " n"],
    trial: Int[np.ndarray, " n"],
    unit: RtUnit = "s",
    kind: RtKind = "response",
) -> Float[np.ndarray, " n"]:
    """(n,) response times in seconds; NaN where unknown, and everywhere in a table without ``rt``.

    Elapsed times become differences from the previous trial of the same participant and block; the first is unknown, since
    its start is unknown. Times that look inconsistent with the given format are still read as given, and the
    table records a note that names the alternative option.

    Args:
        table: with or without a column ``rt``.
        participant, block, trial: of each row.
        unit: of the column.
        kind: zero point of the column.

    Raises:
        DataError: a time is not a number ≥ 0, or elapsed time decreases.
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
    grows = _always_increases(rt[order], first)
    differences = _differences(rt, order, first)
    if kind == "elapsed":
        _check_clock(table, differences)
        rt = differences
    elif grows:
        table.assume(
            "response times always increase within participant and block, like time since the session started "
            "(--rt-kind elapsed, or rt_kind='elapsed', takes differences)"
        )
    _check_unit(table, differences if grows else rt, unit)
    return rt


def _in_sessions(
    participant: Shaped[np.ndarray, " n"],
    block: Shaped[np.ndarray, " n"],
    trial: Int[np.ndarray, " n"],
    known: Bool[np.ndarray, " n"],
) -> tuple[Int[np.ndarray, " m"], Bool[np.ndarray, " m"]]:
    """Rows with a known time, ordered by participant, block and trial; and whether each is the first of its block."""
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
    """(n,) time since the previous row of the session; NaN for the first, and where a time is unknown."""
    found = np.full(len(rt), np.nan)
    found[order] = np.where(first, np.nan, np.diff(rt[order], prepend=np.nan))
    return found


def _always_increases(rt: Float[np.ndarray, " m"], first: Bool[np.ndarray, " m"]) -> bool:
    """Whether times increase from each trial to the next in every session, more than chance explains."""
    falls = np.diff(rt) <= 0
    if falls[~first[1:]].any():
        return False
    lengths = np.diff(np.append(np.flatnonzero(first), len(rt)))
    return sum(math.lgamma(length + 1) for length in lengths.tolist()) > -math.log(GROWS_BY_CHANCE)


def _check_clock(table: Table, differences: Float[np.ndarray, " n"]) -> None:
    back = np.flatnonzero(differences < 0)
    if len(back):
        raise DataError(
            "elapsed time decreases within a participant and block", where=table.where(int(back[0]), "rt"),
            expected="more than in the previous trial", got=table["rt"][back[0]],
            hint="--rt-kind response, if times are measured from the start of each trial",
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
