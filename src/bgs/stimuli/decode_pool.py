"""Many clips are decoded at once, by several processes, and come back in order."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from bgs._errors import BgsError
from bgs._files import usable_cores
from bgs.stimuli.decoding import Decoder, decode
from bgs.stimuli.sampling import Sampling
from bgs.stimuli.unreadable import UnreadableClip

#: A process takes a second or two to start, so it should have at least this many clips to decode.
CLIPS_A_WORKER = 32

#: Clips waiting for each worker: enough to keep it busy, few enough to bound memory.
_AHEAD = 4

#: The frames of a clip, or the reason why there are none.
Outcome = UInt8[np.ndarray, "t s s 3"] | str


def decode_all(
    paths: Sequence[Path], sampling: Sampling, decoder: Decoder, workers: int | None = None
) -> Iterator[Outcome]:
    """Decode clips in parallel, in order.

    Args:
        paths: the files.
        sampling, decoder: see :func:`bgs.stimuli.decoding.decode`.
        workers: processes; 1 decodes in this process, None takes every core that has enough to do.

    Yields:
        (T, S, S, 3) uint8 frames of each clip, or the reason why it cannot be read.

    Raises:
        BgsError: a process was killed.
    """
    workers = workers or max(1, min(usable_cores(), len(paths) // CLIPS_A_WORKER))
    if workers == 1:
        for path in paths:
            yield _outcome(path, sampling, decoder)
        return
    # Spawned, not forked: a fork would inherit torch's threads, and hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_one_thread) as pool:
        jobs = (pool.submit(_outcome, path, sampling, decoder) for path in paths)
        try:
            yield from _in_order(jobs, workers * _AHEAD)
        except BrokenProcessPool as error:
            raise BgsError(
                "a decoding process ended early",
                hint="out of memory? try fewer workers; a script needs `if __name__ == '__main__':` around its work",
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def refuse_reimport() -> None:
    """Refuse to read clips in a decoding process that is importing the script it was started from.

    A spawned process imports the main script again. If the script reads clips at its top level, the
    process would wait for the cache that its own parent holds, for ever.

    Raises:
        BgsError: in such a process.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise BgsError(
            "a script reads clips while it is imported",
            hint="put its work under `if __name__ == '__main__':`",
        )


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


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)
