"""Frames of a set of clips as they lie on disk: found whole, or copied from other sets and decoded."""

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

SPACE_HINT = "`bgs cache clear` frees space; BGS_CACHE names a folder elsewhere"


def stored_frames(
    folder: Path,
    hashes: dict[int, str],
    paths: dict[int, Path],
    sampling: Sampling,
    decoder: Decoder,
    workers: int | None,
    report: Callable[[int], None],
) -> tuple[FrameStore, tuple[str, ...]]:
    """The store of these clips, built if need be, and what there is to say of it."""
    names = list(hashes.values())
    target = folder / sha256_of(*names)[:32]
    shape = (sampling.frames, sampling.size, sampling.size, 3)
    found = _open_intact(target, names, shape)
    if not isinstance(found, FrameStore):
        with locked(make_folder(target.parent) / f".{target.name}.lock"):
            found = _open_intact(target, names, shape)  # another run may have built it while this one waited
            if not isinstance(found, FrameStore):
                if found is not None:
                    shutil.rmtree(target)
                known = _known_rows(folder, set(names))
                missing = [paths[i] for i, name in hashes.items() if name not in known]
                _check_space(folder, len(names) * int(np.prod(shape)))
                with closing(decode_all(missing, sampling, decoder, workers)) as decoded:
                    build_store(target, _collect(names, known, decoded, report), shape)
                notes = () if found is None else (f"{found.what}: it was made anew ({target})",)
                return FrameStore.open(target), notes
    report(len(hashes))
    return found, ()


def _open_intact(
    target: Path, names: Sequence[str], shape: tuple[int, int, int, int]
) -> FrameStore | DamagedStore | None:
    """The store of these clips, what is wrong with it, or None where there is none."""
    if not target.exists():
        return None
    try:
        store = FrameStore.open(target)
        store.check(names, shape)
    except DamagedStore as error:
        return error
    return store


def _known_rows(folder: Path, wanted: Set[str]) -> dict[str, Outcome]:
    """Content hash -> frames, for every clip wanted that any set of this sampling holds undamaged."""
    known: dict[str, Outcome] = {}
    for path in stores_in(folder):
        try:
            store = FrameStore.open(path)
        except DamagedStore:  # it is made anew, and told of, when its own clips are opened
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
            "the disk is too full for these frames", where=folder,
            expected=f"{needed / 1e6:,.0f} MB", got=f"{free / 1e6:,.0f} MB free", hint=SPACE_HINT,
        )  # fmt: skip
