"""Frames are decoded once and kept on disk, known by the content of the file and by how it was sampled."""

from __future__ import annotations

import errno
import importlib.metadata
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from bgs._errors import BgsError, DataError, MissingExtraError
from bgs._files import cache_folder, sha256_of, write_json
from bgs._typing import Int
from bgs.stimuli.decode_pool import Outcome, decode_all
from bgs.stimuli.decoding import Decoder, check_file
from bgs.stimuli.file_hashes import file_hashes
from bgs.stimuli.frame_store import FrameStore, build_store, locked, stores_in
from bgs.stimuli.sampling import Sampling
from bgs.stimuli.stimulus_set import StimulusSet
from bgs.stimuli.unreadable import UnreadableClip, UnreadableClips

_FORMAT = "bgs-frames/1"
#: Raised when other pixels come out of a file than before, or other files are refused: frames are then decoded anew.
_READING = 2
_PACKAGES: dict[Decoder, tuple[str, str]] = {
    "pyav": ("av", "video"),
    "torchcodec": ("torchcodec", "torchcodec"),
}
_SPACE_HINT = "`bgs cache clear` frees space; BGS_CACHE names a folder elsewhere"
_ACCESS_HINT = "make it writable, or name another folder in BGS_CACHE"


@dataclass(frozen=True)
class Frames:
    """The frames of the clips of a stimulus set that could be read.

    Attributes:
        ids: n stimulus ids.
        positions: (n,) their positions in the stimulus set, ascending.
        array: (n, T, S, S, 3) uint8, memory-mapped, read-only.
        failures: (stimulus id, reason) of every other stimulus of the set.
        sampling: how the clips were read.
    """

    ids: tuple[str, ...]
    positions: Int[np.ndarray, " n"]
    array: UInt8[np.ndarray, "n t s s 3"]
    failures: list[tuple[str, str]]
    sampling: Sampling


@dataclass(frozen=True)
class CacheEntry:
    """What is kept for one sampling: its key, how many sets and clips (a clip may be in several), and bytes on disk."""

    key: str
    sets: int
    clips: int
    size: int


class FrameCache:
    """Frames on disk, in ``folder`` (by default ``frames`` in the cache folder, see ``BGS_CACHE``).

    Each set of clips that was opened has an array of its own, below a folder for each sampling; clips that were
    decoded for another set are copied from there. Several runs may open the same set at once: one decodes,
    the others wait. A run that is killed leaves nothing that is taken for complete.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self.folder = cache_folder() / "frames" if folder is None else Path(folder)

    def open_frames(
        self,
        stimuli: StimulusSet,
        sampling: Sampling,
        workers: int | None = None,
        progress: Callable[[int], None] | None = None,
        skip_bad: bool = False,
        decoder: Decoder = "pyav",
    ) -> Frames:
        """The frames of every clip, decoded where they are not in the cache yet.

        Args:
            stimuli: a set with videos.
            sampling: which frames, and their size.
            workers: decoding threads; None is one for each core.
            progress: told of each clip that is done, ``len(stimuli)`` in all.
            skip_bad: leave clips that cannot be read out, instead of refusing the set.
            decoder: see :func:`bgs.stimuli.decoding.decode`.

        Raises:
            UnreadableClips: clips cannot be read (with ``skip_bad``: none of them can); it lists all of them.
            DataError: the set has no clips, or the cache folder is full, not writable or of another version.
            MissingExtraError: the decoder is not installed.
        """
        if stimuli.videos is None:
            raise DataError("these stimuli have no clips", expected="a column 'video' in stimuli.csv")
        report = progress or (lambda done: None)
        with self._clear_errors():
            self._check_format()
            paths, failures = _readable(stimuli)
            report(len(failures))
            hashes = dict(
                zip(paths, file_hashes(list(paths.values()), self.folder / "hashes.json"), strict=True)
            )
            folder = self.folder / _sampling_folder(sampling, decoder)
            store = _stored(folder, hashes, paths, sampling, decoder, workers, report)
        failures |= {i: store.failures[name] for i, name in hashes.items() if name in store.failures}
        named = [(stimuli.ids[i], failures[i]) for i in sorted(failures)]
        if failures and (not skip_bad or len(failures) == len(stimuli)):
            raise UnreadableClips(named, len(stimuli), None if skip_bad else "--skip-bad leaves them out")
        positions = np.array([i for i in hashes if i not in failures], dtype=np.int64)
        return Frames(tuple(stimuli.ids[i] for i in positions), positions, store.array, named, sampling)

    def entries(self) -> list[CacheEntry]:
        """What is kept, one entry a sampling."""
        if not self.folder.is_dir():
            return []
        return [_entry(folder) for folder in sorted(self.folder.iterdir()) if folder.is_dir()]

    def clear(self) -> int:
        """Remove everything; returns the bytes freed."""
        with self._clear_errors():
            freed = _size(self.folder)
            if self.folder.exists():
                shutil.rmtree(self.folder)
        return freed

    def _check_format(self) -> None:
        marker = self.folder / "format.json"
        if not marker.exists():
            write_json(marker, {"format": _FORMAT})
        try:
            found = json.loads(marker.read_text(encoding="utf-8"))["format"]
        except (ValueError, KeyError, TypeError):
            found = "something else"
        if found != _FORMAT:
            hint = "`bgs cache clear` removes it; BGS_CACHE names a folder elsewhere"
            raise DataError(
                "a frame cache of another version", where=self.folder, expected=_FORMAT, got=found, hint=hint
            )

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        """Whatever the file system refuses becomes one line that says what to do."""
        try:
            yield
        except (OSError, BgsError) as error:
            cause = error if isinstance(error, OSError) else error.__cause__
            if not isinstance(cause, OSError):
                raise
            full = cause.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            hint = _SPACE_HINT if full else _ACCESS_HINT
            where = cause.filename or self.folder
            raise DataError(
                f"the frame cache cannot be used: {cause.strerror}", where=where, hint=hint
            ) from error


def _readable(stimuli: StimulusSet) -> tuple[dict[int, Path], dict[int, str]]:
    """Position -> path of the clips that are files with something in them; position -> reason of the others."""
    paths: dict[int, Path] = {}
    failures: dict[int, str] = {}
    for i, path in enumerate(stimuli.videos or ()):
        if path is None:
            failures[i] = "no file is given"
            continue
        try:
            check_file(path)
            paths[i] = path
        except UnreadableClip as error:
            failures[i] = error.reason
    return paths, failures


def _sampling_folder(sampling: Sampling, decoder: Decoder) -> str:
    """Frames depend on the sampling, on the version of what decodes them, and on how it is asked to."""
    package, extra = _PACKAGES[decoder]
    try:
        return f"{sampling.key()}-{package}{importlib.metadata.version(package)}-r{_READING}"
    except importlib.metadata.PackageNotFoundError:
        hint = f"pip install 'bgs-video[{extra}]'"
        raise MissingExtraError(f"this needs the package {package!r}", hint=hint) from None


def _stored(
    folder: Path,
    hashes: dict[int, str],
    paths: dict[int, Path],
    sampling: Sampling,
    decoder: Decoder,
    workers: int | None,
    report: Callable[[int], None],
) -> FrameStore:
    """The store of these clips, built if need be."""
    target = folder / sha256_of(*hashes.values())[:32]
    if not target.exists():
        with locked(target):
            if not target.exists():  # another run may have built it while this one waited
                known = _known_rows(folder)
                missing = [paths[i] for i, name in hashes.items() if name not in known]
                shape = (sampling.frames, sampling.size, sampling.size, 3)
                _check_space(folder, len(hashes) * int(np.prod(shape)))
                decoded = decode_all(missing, sampling, decoder, workers)
                build_store(target, _collect(list(hashes.values()), known, decoded, report), shape)
                return FrameStore.open(target)
    report(len(hashes))
    return FrameStore.open(target)


def _known_rows(folder: Path) -> dict[str, Outcome]:
    """Content hash -> frames, for every clip that any set of this sampling holds."""
    known: dict[str, Outcome] = {}
    for path in stores_in(folder):
        store = FrameStore.open(path)
        known |= store.failures
        known |= {name: store.array[row] for row, name in enumerate(store.hashes)}
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
            expected=f"{needed / 1e6:,.0f} MB", got=f"{free / 1e6:,.0f} MB free", hint=_SPACE_HINT,
        )  # fmt: skip


def _entry(folder: Path) -> CacheEntry:
    stores = [FrameStore.open(path) for path in stores_in(folder)]
    return CacheEntry(folder.name, len(stores), sum(len(store.hashes) for store in stores), _size(folder))


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
