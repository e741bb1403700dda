"""(c) Peak memory of a full-geometry update against clips and micro-batch, each case in a process of its own.

It includes Python and torch, some 300 MB, and what the update adds to them is told apart. Beside it: one graph of all clips.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from parts.rows import Row, Target
from parts.timing import alone, peak_megabytes, ratio_row
from parts.updates import full_geometry

TRIALS = 10_000


@dataclass(frozen=True)
class Size:
    """Numbers of clips, the last is compared with the first, the second with one graph; micro-batches, the first is the usual
    one; processes a case."""

    clips: tuple[int, ...]
    micro_batches: tuple[int, ...]
    repeats: int


SIZES = {
    "full": Size((50, 200, 800), (32, 8, 128), 3),
    "quick": Size((50, 200), (32, 8), 1),
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
    usual, least, middle, most = wanted.micro_batches[0], wanted.clips[0], wanted.clips[1], wanted.clips[-1]
    cases = {(clips, usual) for clips in wanted.clips} | {(middle, batch) for batch in wanted.micro_batches}
    found = {case: [alone(peak, *case) for _ in range(wanted.repeats)] for case in sorted(cases)}
    peaks = {case: [total for total, _ in values] for case, values in found.items()}
    whole = [alone(peak, middle, middle, 1)[0] for _ in range(wanted.repeats)]
    what = f"peak memory of an update, {most} clips beside {least}, micro-batch {usual}"
    flat = beside("c: clips", what, peaks[most, usual], peaks[least, usual], Target("≤", 1.1))
    before = {
        f"{clips} clips, micro-batch {batch}": {"peak and before, MB": values} for (clips, batch), values in found.items()
    }  # fmt: skip
    what = f"peak memory of an update of {middle} clips beside one graph of all, micro-batch"
    batches = [
        beside(f"c: micro-batch {n}", f"{what} {n}", peaks[middle, n], whole) for n in wanted.micro_batches
    ]
    return [replace(flat, more=before), *batches]


def beside(key: str, what: str, ours: list[float], theirs: list[float], target: Target | None = None) -> Row:
    """How much memory ours takes of theirs, both in MB."""
    return ratio_row(key, what, ours, theirs, target, inverse=True, unit="MB")
