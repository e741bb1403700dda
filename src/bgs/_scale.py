"""Rescaling by powers of two, which is exact, so that squares neither overflow nor underflow."""

from __future__ import annotations

import numpy as np

from bgs._typing import Float, Float64, Int


def exponents(values: Float[np.ndarray, "n d"], axis: int) -> Int[np.ndarray, "_ _"]:
    """Exponents of the powers of two just above the largest magnitude along an axis, which is kept with length 1.

    ``np.ldexp(values, -exponents)`` has magnitudes below 1, so that no square overflows or vanishes. Where all values are 0,
    the smallest possible exponent.
    """
    largest = np.abs(values).max(axis=axis, keepdims=True, initial=0.0)
    smallest = np.frexp(np.finfo(np.float64).smallest_subnormal)[1]
    powers: Int[np.ndarray, "_ _"] = np.frexp(largest)[1]
    powers[largest == 0] = smallest
    return powers


def mean_of_rows(values: Float[np.ndarray, "n d"]) -> Float64[np.ndarray, " d"]:
    """(d,) mean over n ≥ 1 rows, in double precision and without overflow."""
    wide = values.astype(np.float64)
    shift = exponents(wide, axis=0)
    mean: Float64[np.ndarray, " d"] = np.ldexp(np.ldexp(wide, -shift).mean(axis=0), shift[0])
    return mean
