"""Frames are decoded once and kept on disk, known by the content of the file and by how it was sampled."""

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
#: Raised when other pixels come out of a file than before, or other files are refused: frames are then decoded anew.
_READING = 2
_PACKAGES: dict[Decoder, tuple[str, str]] = {
    "pyav": ("av", "video"),
    "torchcodec": ("torchcodec", "torchcodec"),
}
_ACCESS_HINT = "make it writable, or name another folder in BGS_CACHE"


@dataclass(frozen=True)
class Frames:
    """The frames of the clips of a stimulus set that could be read.

    Attributes:
        ids: n stimulus ids.
        positions: (n,) their positions in the stimulus set, ascending.
        array: (n, T, S, S, 3) uint8, memory-mapped, read-only.
        failures: every other stimulus of the set.
        sampling: how the clips were read.
        notes: what a user should know of how they came about, each a line.
    """

    ids: tuple[str, ...]
    positions: Int[np.ndarray, " n"]
    array: UInt8[np.ndarray, "n t s s 3"]
    failures: tuple[Failure, ...]
    sampling: Sampling
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class CacheEntry:
    """What is kept for one sampling.

    Attributes:
        key: name of the sampling and of what decoded.
        sets: sets of clips that were opened.
        clips: in all of them together; a clip may be in several.
        size: bytes on disk.
        damaged: sets that cannot be read, and will be decoded anew when they are next opened.
    """

    key: str
    sets: int
    clips: int
    size: int
    damaged: int


class FrameCache:
    """Frames on disk, in ``folder`` (by default ``frames`` in the cache folder, see ``BGS_CACHE``).

    Each set of clips that was opened has an array of its own, below a folder for each sampling; clips that were
    decoded for another set are copied from there. Several runs may open the same set at once: one decodes,
    the others wait. A run that is killed leaves nothing that is taken for complete. Frames that changed on disk are
    noticed by their checksums and decoded anew.
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
            raise UnreadableClips(named, len(stimuli), None if skip_bad else "--skip-bad leaves them out")
        positions = np.array([i for i in hashes if i not in failures], dtype=np.int64)
        ids = tuple(stimuli.ids[i] for i in positions)
        return Frames(ids, positions, store.array, named, sampling, notes)

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
            hint = SPACE_HINT if full else _ACCESS_HINT
            where = cause.filename or self.folder
            raise DataError(
                f"the frame cache cannot be used: {cause.strerror}", where=where, hint=hint
            ) from error


def _sampling_folder(sampling: Sampling, decoder: Decoder) -> str:
    """Frames depend on the sampling, on the version of what decodes them, and on how it is asked to."""
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
