"""Many clips are decoded at once, by several threads; each comes back as soon as it is done."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from pathlib import Path
from threading import Event

import numpy as np
from jaxtyping import UInt8

from bgs._threads import usable_cores
from bgs.stimuli.cancelling import cancel_on
from bgs.stimuli.decoding import Decoder, decode
from bgs.stimuli.sampling import Sampling, Span
from bgs.stimuli.unreadable import UnreadableClip

#: Clips for each thread that are begun or waiting, and not yet taken: enough to keep threads busy, few enough to bound
#: memory and what a kill costs.
_AHEAD = 2

#: The frames of a clip, or the reason why there are none.
Outcome = UInt8[np.ndarray, "t s s 3"] | str


def decode_all(
    paths: Sequence[Path],
    sampling: Sampling,
    decoder: Decoder,
    workers: int | None = None,
    spans: Sequence[Span | None] | None = None,
) -> Generator[tuple[int, Outcome], None, None]:
    """Decode clips in parallel.

    Decoders and resizing leave the interpreter free, so threads share the work; processes would each import torch
    first, which takes as long as decoding a hundred clips.

    Args:
        paths: the files.
        sampling, decoder: see :func:`bgs.stimuli.decoding.decode`.
        workers: threads; None is one for each core.
        spans: the stretch of each file that is wanted; None is all of each.

    Yields:
        The position of each clip in ``paths`` and its (T, S, S, 3) uint8 frames, or the reason why it cannot be read,
        as it is done. Ended before the last clip, it stops those being decoded at their next frame, and begins none.
    """
    workers = max(1, min(usable_cores() if workers is None else workers, len(paths)))
    stop, closed = Event(), False
    pool = ThreadPoolExecutor(workers, thread_name_prefix="decode", initializer=cancel_on, initargs=(stop,))
    stretches = [None] * len(paths) if spans is None else spans
    jobs = (
        pool.submit(_outcome, i, path, sampling.within(span), decoder)
        for i, (path, span) in enumerate(zip(paths, stretches, strict=True))
    )
    try:
        yield from _as_completed(jobs, workers * _AHEAD)
    except GeneratorExit:
        closed = True
        raise
    finally:  # what is closed may be collected in one of these threads, which cannot wait for itself
        stop.set()
        pool.shutdown(wait=not closed, cancel_futures=True)


def _as_completed(jobs: Iterator[Future[tuple[int, Outcome]]], ahead: int) -> Iterator[tuple[int, Outcome]]:
    waiting = list(islice(jobs, ahead))
    while waiting:
        wait(waiting, return_when=FIRST_COMPLETED)
        job = next(
            job for job in waiting if job.done()
        )  # the first that was begun: a single thread's come in order
        waiting.remove(job)
        yield job.result()
        waiting.extend(islice(jobs, 1))


def _outcome(position: int, path: Path, sampling: Sampling, decoder: Decoder) -> tuple[int, Outcome]:
    try:
        return position, decode(path, sampling, decoder)
    except UnreadableClip as error:
        return position, error.reason
