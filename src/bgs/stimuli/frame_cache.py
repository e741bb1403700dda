"""A cache of decoded frames on disk, keyed by file content and sampling."""

from __future__ import annotations

import errno
import importlib.metadata
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from bgs._errors import BgsError, DataError, MissingExtraError
from bgs._files import cache_folder, write_json
from bgs._typing import Int
from bgs.stimuli.clip_files import readable_files
from bgs.stimuli.content_hashes import file_hashes
from bgs.stimuli.decoding import Decoder
from bgs.stimuli.frame_sets import SPACE_HINT, stored_frames
from bgs.stimuli.frame_store import DamagedStore, FrameStore, stores_in
from bgs.stimuli.sampling import Sampling
from bgs.stimuli.stimulus_set import StimulusSet
from bgs.stimuli.unreadable import Failure, UnreadableClips

_FORMAT = "bgs-frames/1"
#: Increased when decoding gives different pixels or refuses different files, so that frames are decoded again.
_READING = 2
_PACKAGES: dict[Decoder, tuple[str, str]] = {
    "pyav": ("av", "video"),
    "torchcodec": ("torchcodec", "torchcodec"),
}
_ACCESS_HINT = "make it writable, or set BGS_CACHE to another folder"


@dataclass(frozen=True)
class Frames:
    """The frames of the readable clips of a stimulus set.

    Attributes:
        ids: n stimulus ids.
        positions: (n,) their positions in the stimulus set, ascending.
        array: (n, T, S, S, 3) uint8, memory-mapped, read-only.
        failures: all other stimuli of the set.
        sampling: how the clips were sampled.
        notes: one-line notes for the user.
    """

    ids: tuple[str, ...]
    positions: Int[np.ndarray, " n"]
    array: UInt8[np.ndarray, "n t s s 3"]
    failures: tuple[Failure, ...]
    sampling: Sampling
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class CacheEntry:
    """Contents of the cache for one sampling.

    Attributes:
        key: name of sampling and decoder.
        sets: number of sets of clips.
        clips: total number of clips in these sets; a clip may be in several.
        size: bytes on disk.
        damaged: number of sets that cannot be read and will be decoded again when next opened.
    """

    key: str
    sets: int
    clips: int
    size: int
    damaged: int


class FrameCache:
    """Frames on disk, in ``folder`` (default: ``frames`` in the cache folder, see ``BGS_CACHE``).

    Each set of clips has its own array, in a folder for its sampling; clips that were
    decoded for another set are copied. Several processes may open the same set at once: one decodes,
    the others wait. A killed process never leaves an incomplete set that looks complete. Frames that changed on disk are
    detected by their checksums and decoded again.
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
        """The frames of every clip; those not in the cache are decoded.

        Args:
            stimuli: a set with videos.
            sampling: which frames, and their size.
            workers: number of decoding threads; None uses one per core.
            progress: called for each clip, ``len(stimuli)`` times.
            skip_bad: skip clips that cannot be read, instead of raising an error.
            decoder: see :func:`bgs.stimuli.decoding.decode`.

        Raises:
            UnreadableClips: clips cannot be read (with ``skip_bad``: none can be read); it lists all of them.
            DataError: the set has no clips, or the cache folder is full, not writable or from another version.
            MissingExtraError: the decoder is not installed.
        """
        if stimuli.videos is None:
            raise DataError("these stimuli have no clips", expected="a column 'video' in stimuli.csv")
        report = progress or (lambda done: None)
        with self._clear_errors():
            self._check_format()
            paths, failures = readable_files(stimuli)
            report(len(failures))
            hashes = dict(
                zip(paths, file_hashes(list(paths.values()), self.folder / "hashes.json"), strict=True)
            )
            folder = self.folder / _sampling_folder(sampling, decoder)
            store, notes = stored_frames(folder, hashes, paths, sampling, decoder, workers, report)
        failures |= {i: store.failures[name] for i, name in hashes.items() if name in store.failures}
        named = tuple(Failure(stimuli.ids[i], failures[i]) for i in sorted(failures))
        if failures and (not skip_bad or len(failures) == len(stimuli)):
            raise UnreadableClips(named, len(stimuli), None if skip_bad else "--skip-bad skips them")
        positions = np.array([i for i in hashes if i not in failures], dtype=np.int64)
        ids = tuple(stimuli.ids[i] for i in positions)
        return Frames(ids, positions, store.array, named, sampling, notes)

    def entries(self) -> list[CacheEntry]:
        """Contents of the cache, one entry per sampling."""
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
            hint = "`bgs cache clear` removes it; BGS_CACHE sets another folder"
            raise DataError(
                "a frame cache from another version",
                where=self.folder,
                expected=_FORMAT,
                got=found,
                hint=hint,
            )

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        """Convert file system errors to a one-line error with a hint."""
        try:
            yield
        except (OSError, BgsError) as error:
            cause = error if isinstance(error, OSError) else error.__cause__
            if not isinstance(cause, OSError):
                raise
            full = cause.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            hint = SPACE_HINT if full else _ACCESS_HINT
            where = cause.filename or self.folder
            raise DataError(
                f"the frame cache cannot be used: {cause.strerror}", where=where, hint=hint
            ) from error


def _sampling_folder(sampling: Sampling, decoder: Decoder) -> str:
    """The folder name encodes everything that frames depend on: sampling, decoder and version of the decoder."""
    package, extra = _PACKAGES[decoder]
    try:
        return f"{sampling.key()}-{package}{importlib.metadata.version(package)}-r{_READING}"
    except importlib.metadata.PackageNotFoundError:
        hint = f"pip install 'bgs-video[{extra}]'"
        raise MissingExtraError(f"this needs the package {package!r}", hint=hint) from None


def _entry(folder: Path) -> CacheEntry:
    paths, clips, damaged = list(stores_in(folder)), 0, 0
    for path in paths:
        try:
            clips += len(FrameStore.open(path).hashes)
        except DamagedStore:
            damaged += 1
    return CacheEntry(folder.name, len(paths), clips, _size(folder), damaged)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
