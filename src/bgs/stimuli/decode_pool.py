"""Decodes clips in parallel threads and returns them in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from threading import Event

import numpy as np
from jaxtyping import UInt8

from bgs._files import usable_cores
from bgs.stimuli.cancelling import cancel_on
from bgs.stimuli.decoding import Decoder, decode
from bgs.stimuli.sampling import Sampling
from bgs.stimuli.unreadable import UnreadableClip

#: Queued clips per thread: enough to keep it busy, few enough to limit memory.
_AHEAD = 4

#: The frames of a clip, or the reason why it cannot be read.
Outcome = UInt8[np.ndarray, "t s s 3"] | str


def decode_all(
    paths: Sequence[Path], sampling: Sampling, decoder: Decoder, workers: int | None = None
) -> Generator[Outcome, None, None]:
    """Decode clips in parallel, in order.

    Decoding and resizing release the GIL, so threads are sufficient; processes would each have to import torch
    first, which takes as long as decoding a hundred clips.

    Args:
        paths: the files.
        sampling, decoder: see :func:`bgs.stimuli.decoding.decode`.
        workers: number of threads; None uses one per core.

    Yields:
        (T, S, S, 3) uint8 frames of each clip, or the reason why it cannot be read. If closed before the last clip, it
        stops clips being decoded at their next frame, and starts no others.
    """
    workers = max(1, min(usable_cores() if workers is None else workers, len(paths)))
    stop, closed = Event(), False
    pool = ThreadPoolExecutor(workers, thread_name_prefix="decode", initializer=cancel_on, initargs=(stop,))
    jobs = (pool.submit(_outcome, path, sampling, decoder) for path in paths)
    try:
        yield from _in_order(jobs, workers * _AHEAD)
    except GeneratorExit:
        closed = True
        raise
    finally:  # a closed generator may be garbage-collected in one of these threads, which cannot wait for itself
        stop.set()
        pool.shutdown(wait=not closed, cancel_futures=True)


def _in_order(jobs: Iterator[Future[Outcome]], ahead: int) -> Iterator[Outcome]:
    waiting = deque(islice(jobs, ahead))
    while waiting:
        yield waiting.popleft().result()
        waiting.extend(islice(jobs, 1))


def _outcome(path: Path, sampling: Sampling, decoder: Decoder) -> Outcome:
    try:
        return decode(path, sampling, decoder)
    except UnreadableClip as error:
        return error.reason
