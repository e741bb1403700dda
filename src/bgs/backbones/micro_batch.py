"""Measures how many units are best sent through a network at once, on the device where it is."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from bgs._errors import BgsError
from bgs._progress import note
from bgs._typing import Int
from bgs.backbones.backbone import Backbone, Inputs

#: Units per forward pass, or ``auto``: measured.
MicroBatch = int | Literal["auto"]
#: Largest number that is tried, on GPUs and elsewhere.
LARGEST_ON_CUDA, LARGEST = 1024, 64
#: How much faster twice as many units must be encoded to be worth their memory.
GAIN = 1.05
#: Share of the available memory that may be used: optimiser, loss and other lengths of clips or captions need some as well.
SHARE = 0.8
#: Seconds for which a size is measured, at least; a size whose first pass takes longer has no other.
_SECONDS = 0.2


def measured_micro_batch(
    backbone: Backbone, inputs: Inputs, units: Int[np.ndarray, " k"], largest: int, *, train: bool
) -> int:
    """The number of units per pass that :func:`doubled` finds, told in a note; passes are of the most expensive units.

    Gradients are added to the parameters; torch's random numbers stay as they were.

    Args:
        backbone: on its device.
        inputs: of the backbone.
        units: (k,) units that there are to encode.
        largest: number not to exceed.
        train: passes as in training, with back-propagation; otherwise without gradient.

    Raises:
        BgsError: memory does not suffice for one unit.
    """
    device = backbone.device
    (order,) = inputs.batches(units, len(units))
    largest = min(largest, len(units), LARGEST_ON_CUDA if device.type == "cuda" else LARGEST)
    speeds: dict[int, float] = {}
    available, used = _memory(device)
    backbone.train(train)

    def encode(size: int) -> None:
        with torch.set_grad_enabled(train):
            vectors = backbone.forward(inputs.batch(order[:size]))
        if vectors.requires_grad:
            vectors.sum().backward()
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    def speed(size: int) -> float:
        speeds[size] = size / _seconds(lambda: encode(size))
        return speeds[size]

    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        try:
            found = doubled(speed, largest, lambda: 2 * used() <= SHARE * available)
        except torch.OutOfMemoryError:
            raise BgsError(
                "memory does not suffice for one unit", where=f"micro_batch: auto, on {device}",
                hint="gradient_checkpointing: true, precision: bf16, or fewer frames need less",
            ) from None  # fmt: skip
    if device.type == "cuda":
        torch.cuda.empty_cache()  # blocks of sizes that are not used again
    tried = ", ".join(f"{size} {value:.3g}/s" for size, value in speeds.items())
    note(f"micro_batch: {found}, measured on {device} ({tried})")
    return found


def doubled(speed: Callable[[int], float], largest: int, has_room: Callable[[], bool]) -> int:
    """Double a size, from 1, until that no longer gains :data:`GAIN`, or memory does not suffice.

    Args:
        speed: size -> units a second.
        largest: size not to exceed.
        has_room: whether memory suffices for twice the last size.

    Raises:
        torch.OutOfMemoryError: memory does not suffice for size 1.
    """
    size, fastest = 1, speed(1)
    while 2 * size <= largest and has_room():
        try:
            found = speed(2 * size)
        except torch.OutOfMemoryError:
            break
        if found < GAIN * fastest:
            break
        size, fastest = 2 * size, found
    return size


def _seconds(work: Callable[[], None]) -> float:
    """Least seconds of a few calls, of which the first also wakes the device up."""
    times: list[float] = []
    while len(times) < 4 or sum(times) < _SECONDS:
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
        if times[0] > 5 * _SECONDS:
            break
    return min(times)


def _memory(device: torch.device) -> tuple[float, Callable[[], float]]:
    """Bytes available on a device (infinite where the system does not tell), and the most used from now on."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        held = float(torch.cuda.memory_allocated(device))
        spare = torch.cuda.memory_reserved(device) - held
        free = torch.cuda.mem_get_info(device)[0] + spare
        return free, lambda: torch.cuda.max_memory_allocated(device) - held
    before = _bytes_in("/proc/self/status").get("VmRSS", 0.0)
    available = _bytes_in("/proc/meminfo").get("MemAvailable", math.inf)
    return available, lambda: _bytes_in("/proc/self/status").get("VmHWM", 0.0) - before


def _bytes_in(file: str) -> dict[str, float]:
    """Name -> bytes, as Linux tells them; empty on other systems."""
    if not Path(file).is_file():
        return {}
    told = (line.split() for line in Path(file).read_text(encoding="utf-8").splitlines())
    return {words[0].rstrip(":"): 1024.0 * int(words[1]) for words in told if words[-1:] == ["kB"]}
