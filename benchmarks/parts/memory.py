"""(c) Peak memory of a full-geometry update against clips and micro-batch, each case in a process of its own.

It includes Python and torch, some 300 MB, and what the update adds to them is told apart. Beside it: one graph of all clips.
"""

from __future__ import annotations

from dataclasses import dataclass

from parts.rows import Row, Spread, Target
from parts.timing import alone, peak_megabytes
from parts.updates import full_geometry

TRIALS = 10_000


@dataclass(frozen=True)
class Size:
    """Numbers of clips, the last is compared with the first; micro-batches, the first is the usual one; processes a case."""

    clips: tuple[int, ...]
    micro_batches: tuple[int, ...]
    repeats: int


SIZES = {
    "full": Size((50, 200, 800), (32, 8, 128), 3),
    "quick": Size((50, 800), (32, 8), 1),
    "smallest": Size((6, 12), (4, 2), 1),
}


def peak(clips: int, micro_batch: int, keep_graphs: int = 0) -> tuple[float, float]:
    """Peak megabytes of this process, and what they were before the first update."""
    method = full_geometry(clips, TRIALS, micro_batch, keep_graphs)
    before = peak_megabytes()
    method.accumulate(0, 0)
    return peak_megabytes(), before


def measure(size: str) -> list[Row]:
    """Rows of this part."""
    wanted = SIZES[size]
    usual, least, most = wanted.micro_batches[0], wanted.clips[0], wanted.clips[-1]
    cases = [
        *((clips, usual) for clips in wanted.clips),
        *((most, batch) for batch in wanted.micro_batches[1:]),
    ]
    found = {case: [alone(peak, *case) for _ in range(wanted.repeats)] for case in cases}
    whole = [alone(peak, most, most, 1) for _ in range(wanted.repeats)]
    peaks = {case: [total for total, _ in values] for case, values in found.items()}
    ratios = [many / few for many, few in zip(peaks[most, usual], peaks[least, usual], strict=True)]
    medians = {case: Spread.of(values).median for case, values in peaks.items()}
    flat = Row(
        "c: clips", f"peak memory of an update, {most} clips beside {least}, micro-batch {usual}", Spread.of(ratios), "×",
        medians[most, usual], medians[least, usual], "MB", Target("≤", 1.1),
        {"peak and before": {f"{clips} clips, micro-batch {batch}": found[clips, batch] for clips, batch in cases}},
    )  # fmt: skip
    return [flat, *(_beside_whole(most, batch, peaks[most, batch], whole) for batch in wanted.micro_batches)]


def _beside_whole(clips: int, batch: int, peaks: list[float], whole: list[tuple[float, float]]) -> Row:
    ratios = [other / own for (other, _), own in zip(whole, peaks, strict=True)]
    what = f"peak memory of an update of {clips} clips, micro-batch {batch}, beside one graph of all"
    medians = (Spread.of(peaks).median, Spread.of(total for total, _ in whole).median)
    return Row(f"c: micro-batch {batch}", what, Spread.of(ratios), "×", *medians, "MB")
