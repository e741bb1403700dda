"""(d) How the time of an update grows with clips, and the time and memory of the loss with trials.

The loss over all pairs is quadratic in clips by nature; its share of a whole update shows whether that matters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from bgs.objective import HybridObjective, ObjectiveSettings
from parts.rows import Row, Spread, Target, growth_exponent
from parts.timing import Work, alone, in_turns, peak_megabytes
from parts.updates import full_geometry, random_target

WIDTH, CLIPS_OF_LOSS = 128, 800
MOST_MEGABYTES = 3000


@dataclass(frozen=True)
class Size:
    """Numbers of clips and of trials, ascending, and rounds."""

    clips: tuple[int, ...]
    trials: tuple[int, ...]
    repeats: int


SIZES = {
    "full": Size((50, 200, 800, 3200), (10**3, 10**4, 10**5, 10**6, 10**7), 3),
    "quick": Size((50, 200, 800), (10**3, 10**5, 10**6), 2),
    "smallest": Size((6, 12), (10**3, 10**4), 1),
}


def measure(size: str) -> list[Row]:
    """Rows of this part."""
    wanted = SIZES[size]
    return [*clip_rows(wanted), *trial_rows(wanted)]


def clip_rows(size: Size) -> list[Row]:
    """Growth of an update with clips, and the share of the loss in the largest."""
    steps = {f"{n}": full_geometry(n, 10_000) for n in size.clips}
    most = size.clips[-1]
    loss = loss_of(most, 10_000)
    work = {name: lambda method=method: method.accumulate(0, 0) for name, method in steps.items()}
    spent = in_turns({**work, "loss": loss}, size.repeats)
    updates = [spent[f"{n}"] for n in size.clips]
    exponents = [growth_exponent(size.clips, costs) for costs in zip(*updates, strict=True)]
    shares = [part / whole for part, whole in zip(spent["loss"], updates[-1], strict=True)]
    growth = Row(
        "d: clips", f"growth of the time of an update, {_range(size.clips)} clips", Spread.of(exponents), "exponent",
        Spread.of(updates[-1]).median, Spread.of(updates[0]).median, "s", Target("≤", 1.1),
        {"clips": size.clips, "seconds": updates},
    )  # fmt: skip
    share = Row(
        "d: loss", f"share of the loss over all {most * (most - 1) // 2:,} pairs in an update of {most:,} clips",
        Spread.of(shares), "of it", Spread.of(spent["loss"]).median, Spread.of(updates[-1]).median, "s", Target("≤", 0.1),
    )  # fmt: skip
    return [growth, share]


def loss_of(clips: int, trials: int) -> Work:
    """A call computes the loss of given embeddings, and its gradient."""
    target, objective = random_target(clips, trials), HybridObjective(ObjectiveSettings())
    embeddings = torch.randn(clips, WIDTH, requires_grad=True)
    return lambda: objective(embeddings, target, 0).total.backward()


def timed_loss(clips: int, trials: int, repeats: int) -> tuple[list[float], float]:
    """Seconds of the loss and its gradient, and peak megabytes of this process."""
    return in_turns({"loss": loss_of(clips, trials)}, repeats)["loss"], peak_megabytes()


def trial_rows(size: Size) -> list[Row]:
    """Growth of time and memory with trials, each number of them in a process of its own."""
    found = [alone(timed_loss, CLIPS_OF_LOSS, trials, size.repeats + 2) for trials in size.trials]
    times, peaks = [times for times, _ in found], [peak for _, peak in found]
    exponents = [growth_exponent(size.trials, costs) for costs in zip(*times, strict=True)]
    medians = [Spread.of(each).median for each in times]
    return [
        Row(
            "d: trials", f"growth of the time of the loss, {_range(size.trials)} trials, {CLIPS_OF_LOSS} clips",
            Spread.of(exponents), "exponent", medians[-1], medians[0], "s", Target("≤", 1.1),
            {"trials": size.trials, "seconds": times},
        ),
        Row(
            "d: memory", f"peak memory of the loss over {size.trials[-1]:,} trials beside {size.trials[0]:,}",
            Spread.of(peaks[-1:]), "MB", peaks[-1], peaks[0], "MB", Target("≤", MOST_MEGABYTES),
            {"trials": size.trials, "MB": peaks},
        ),
    ]  # fmt: skip


def _range(values: Sequence[int]) -> str:
    return f"{values[0]:,} to {values[-1]:,}"
