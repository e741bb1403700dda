"""Frame sets on disk: opened if intact, otherwise built by copying from other sets and decoding."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import closing
from pathlib import Path

import numpy as np

from bgs._errors import DataError
from bgs._files import make_folder, sha256_of
from bgs._lock import locked
from bgs.stimuli.decode_pool import Outcome, decode_all
from bgs.stimuli.decoding import Decoder
from bgs.stimuli.frame_store import DamagedStore, FrameStore, build_store, stores_in
from bgs.stimuli.sampling import Sampling

SPACE_HINT = "`bgs cache clear` frees space; BGS_CACHE sets another folder"


def stored_frames(
    folder: Path,
    hashes: dict[int, str],
    paths: dict[int, Path],
    sampling: Sampling,
    decoder: Decoder,
    workers: int | None,
    report: Callable[[int], None],
) -> tuple[FrameStore, tuple[str, ...]]:
    """The store of these clips, built if necessary, and notes about it."""
    names = list(hashes.values())
    target = folder / sha256_of(*names)[:32]
    shape = (sampling.frames, sampling.size, sampling.size, 3)
    found = _open_intact(target, names, shape)
    if not isinstance(found, FrameStore):
        with locked(make_folder(target.parent) / f".{target.name}.lock"):
            found = _open_intact(
                target, names, shape
            )  # another process may have built it while this one waited
            if not isinstance(found, FrameStore):
                if found is not None:
                    shutil.rmtree(target)
                known = _known_rows(folder, set(names))
                missing = [paths[i] for i, name in hashes.items() if name not in known]
                _check_space(folder, len(names) * int(np.prod(shape)))
                with closing(decode_all(missing, sampling, decoder, workers)) as decoded:
                    build_store(target, _collect(names, known, decoded, report), shape)
                notes = () if found is None else (f"{found.what}: it was rebuilt ({target})",)
                return FrameStore.open(target), notes
    report(len(hashes))
    return found, ()


def _open_intact(
    target: Path, names: Sequence[str], shape: tuple[int, int, int, int]
) -> FrameStore | DamagedStore | None:
    """The store of these clips, the damage found in it, or None if there is no store."""
    if not target.exists():
        return None
    try:
        store = FrameStore.open(target)
        store.check(names, shape)
    except DamagedStore as error:
        return error
    return store


def _known_rows(folder: Path, wanted: Set[str]) -> dict[str, Outcome]:
    """Content hash -> frames, for every wanted clip in an undamaged set of this sampling."""
    known: dict[str, Outcome] = {}
    for path in stores_in(folder):
        try:
            store = FrameStore.open(path)
        except DamagedStore:  # it is rebuilt, with a note, when its own clips are opened
            continue
        known |= {name: reason for name, reason in store.failures.items() if name in wanted}
        for row, name in enumerate(store.hashes):
            if name in wanted and name not in known and store.intact(row):
                known[name] = store.array[row]
    return known


def _collect(
    hashes: Sequence[str],
    known: dict[str, Outcome],
    decoded: Iterator[Outcome],
    report: Callable[[int], None],
) -> Iterator[tuple[str, Outcome]]:
    for name in hashes:
        yield name, known[name] if name in known else next(decoded)
        report(1)


def _check_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DataError(
            "not enough disk space for these frames", where=folder,
            expected=f"{needed / 1e6:,.0f} MB", got=f"{free / 1e6:,.0f} MB free", hint=SPACE_HINT,
        )  # fmt: skip
