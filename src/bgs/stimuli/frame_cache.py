"""Each clip is decoded once and kept on disk, known by its content, by how it was sampled and by what decoded it.

A folder for each sampling and decoder holds one pack (:mod:`bgs.stimuli.frame_pack`): any set of clips is its memory
map and a list of rows, so opening 1,000 clips and drawing batches from them take as long as from an array made for the
purpose. With a file for each clip, batches of 8×64² took twice as long (of 16×224² as long), and 1,000 mapped files
are more than many systems let a process hold open.
"""

from __future__ import annotations

import importlib.metadata
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from bgs._errors import BgsError, DataError, MissingExtraError
from bgs._files import LOCK, NO_ROOM, cache_folder
from bgs._lock import locked
from bgs._typing import Int
from bgs.stimuli.clip_files import readable_files
from bgs.stimuli.content_hashes import hash_of, hashes_of_present
from bgs.stimuli.decoding import Decoder
from bgs.stimuli.frame_pack import FrameArray, FramePack
from bgs.stimuli.pack_builder import SPACE_HINT, PackBuilder
from bgs.stimuli.sampling import Sampling, Span
from bgs.stimuli.stimulus_set import StimulusSet
from bgs.stimuli.unreadable import Failure, UnreadableClips

#: Raised when a file gives other pixels than before, other files are refused, or frames are stored differently: clips are
#: then decoded again, and what earlier versions stored is ignored.
_VERSION = 3
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
        array: (n, T, S, S, 3) uint8, read from the memory-mapped cache when it is indexed.
        failures: every other stimulus of the set.
        sampling: how the clips were read.
        notes: what a user should know of how they came about, each a line.
    """

    ids: tuple[str, ...]
    positions: Int[np.ndarray, " n"]
    array: FrameArray
    failures: tuple[Failure, ...]
    sampling: Sampling
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class CacheEntry:
    """What is kept for one sampling and decoder.

    Attributes:
        key: name of the sampling and of what decoded.
        clips: clips whose frames are kept.
        size: bytes on disk.
        damaged: clips whose frames have changed on disk; they are decoded again when they are next needed.
        current: whether this version of bgs uses them; earlier versions stored frames differently.
    """

    key: str
    clips: int
    size: int
    damaged: int
    current: bool


class FrameCache:
    """Frames on disk, in ``folder`` (by default ``frames`` in the cache folder, see ``BGS_CACHE``).

    Clips are kept one by one as they are decoded: a run that is killed loses only those that it was decoding, and a
    clip of several sets, folders or orders is stored once. Several runs may use a folder at once: one decodes, the
    others wait. Frames that changed on disk are detected by their checksums and decoded again.
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
            progress: called with the number of clips done, first with those that need no decoding; ``len(stimuli)`` in
                all.
            skip_bad: leave clips that cannot be read out, instead of refusing the set.
            decoder: see :func:`bgs.stimuli.decoding.decode`.

        Raises:
            UnreadableClips: clips cannot be read (with ``skip_bad``: none of them can); it lists all of them.
            DataError: the set has no clips, or the cache folder is full or not writable.
            MissingExtraError: the decoder is not installed.
        """
        with self._clear_errors():
            paths, failures = readable_files(stimuli)
            memory = self.folder / "hashes.json"
            digests, failed = hashes_of_present([*paths.values()], memory)
            failures |= {
                i: failed[path].strerror or str(failed[path]) for i, path in paths.items() if path in failed
            }
            spans = stimuli.spans or (None,) * len(stimuli)
            hashes = {i: _content(digests[path], spans[i]) for i, path in paths.items() if path in digests}
            builder = PackBuilder(
                self.folder / _sampling_folder(sampling, decoder),
                {clip: (paths[i], spans[i]) for i, clip in hashes.items()},
                Counter(hashes.values()),
                sampling,
                decoder,
                workers,
                progress or (lambda done: None),
                partial(hash_of, memory=memory),
            )
            pack, notes = builder.complete_pack(len(failures))
        failures |= {i: pack.failures[clip] for i, clip in hashes.items() if clip in pack.failures}
        named = tuple(Failure(stimuli.ids[i], failures[i]) for i in sorted(failures))
        if failures and (not skip_bad or len(failures) == len(stimuli)):
            raise UnreadableClips(named, len(stimuli), None if skip_bad else "--skip-bad leaves them out")
        positions = np.array([i for i in hashes if i not in failures], dtype=np.int64)
        ids = tuple(stimuli.ids[i] for i in positions)
        array = pack.frames([hashes[i] for i in positions.tolist()], sampling.shape)
        return Frames(ids, positions, array, named, sampling, notes)

    def entries(self) -> list[CacheEntry]:
        """What is kept, one entry for each sampling and decoder. Reads all frames, to find damaged ones."""
        with self._clear_errors():
            return [_entry(folder) for folder in self._folders()]

    def clear(self) -> int:
        """Remove everything; returns the bytes freed.

        Raises:
            BgsError: another process is decoding clips into the cache; what it needs stays.
        """
        with self._clear_errors():
            freed = _size(self.folder)
            for folder in self._folders():
                with locked(folder / LOCK, wait=False):
                    for path in folder.iterdir():
                        if path.name != LOCK:
                            shutil.rmtree(path) if path.is_dir() else path.unlink()
            if self.folder.exists():
                shutil.rmtree(self.folder)
        return freed

    def _folders(self) -> list[Path]:
        return sorted(path for path in self.folder.glob("*") if path.is_dir())

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        """Whatever the file system refuses becomes one line that says what to do."""
        try:
            yield
        except (OSError, BgsError) as error:
            cause = error if isinstance(error, OSError) else error.__cause__
            if not isinstance(cause, OSError):
                raise
            full = cause.errno in NO_ROOM
            hint = SPACE_HINT if full else _ACCESS_HINT
            where = cause.filename or self.folder
            raise DataError(
                f"the frame cache cannot be used: {cause.strerror}", where=where, hint=hint
            ) from error


def _sampling_folder(sampling: Sampling, decoder: Decoder) -> str:
    """Frames depend on the sampling, on the version of what decodes them, and on how it is asked to."""
    package, extra = _PACKAGES[decoder]
    try:
        return f"{sampling.key()}-{package}{importlib.metadata.version(package)}-r{_VERSION}"
    except importlib.metadata.PackageNotFoundError:
        hint = f"pip install 'bgs-video[{extra}]'"
        raise MissingExtraError(f"this needs the package {package!r}", hint=hint) from None


def _content(digest: str, span: Span | None) -> str:
    """What the frames of a clip are known by: the file's content, and the stretch of it."""
    return digest if span is None else f"{digest}#t={span[0]},{span[1]}"


def _entry(folder: Path) -> CacheEntry:
    pack = FramePack.open(folder)
    current = folder.name.endswith(f"-r{_VERSION}")
    return CacheEntry(folder.name, len(pack.records), _size(folder), len(pack.damaged()), current)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
