"""Content hashes of files, cached until the size or modification time of a file changes."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from bgs._errors import BgsError
from bgs._files import cache_folder, sha256, write_text
from bgs._threads import in_threads
from bgs.stimuli.stimulus_set import StimulusSet

#: [size in bytes, modification time in ns, SHA-256].
_Entry = list[int | str]
#: Absolute path -> its entry.
_Memory = dict[str, _Entry]


def file_hashes(paths: Sequence[Path], memory: Path) -> list[str]:
    """SHA-256 of each file.

    Args:
        paths: files that exist.
        memory: JSON file that caches hashes by path, size and modification time; created if missing, and replaced
            atomically, so if two runs add to it at once, one may have to hash again later.

    Raises:
        BgsError: a file cannot be read, or ``memory`` cannot be written.
    """
    digests, failed = hashes_of_present(paths, memory)
    for path, error in failed.items():
        raise BgsError(f"cannot read: {error.strerror}", where=path) from error
    return [digests[path] for path in paths]


def hashes_of_present(paths: Sequence[Path], memory: Path) -> tuple[dict[Path, str], dict[Path, OSError]]:
    """:func:`file_hashes` of the files that can be read; and why others, which may just have gone, can not.

    Raises:
        BgsError: ``memory`` cannot be written.
    """
    paths, known = [*dict.fromkeys(paths)], _recall(memory)
    found: dict[Path, _Entry] = {}
    failed: dict[Path, OSError] = {}
    for path, entry in zip(paths, in_threads(lambda path: _entry(path, known), paths), strict=True):
        if isinstance(entry, OSError):
            failed[path] = entry
        else:
            found[path] = entry
    new = {os.path.abspath(path): entry for path, entry in found.items()}
    if any(known.get(name) != entry for name, entry in new.items()):
        write_text(memory, json.dumps(known | new))
    return {path: str(entry[2]) for path, entry in found.items()}, failed


def hash_of(path: Path, memory: Path) -> str | None:
    """:func:`file_hashes` of one file; None if it cannot be read."""
    entry = _entry(path, _recall(memory))
    return None if isinstance(entry, OSError) else str(entry[2])


def hash_memory() -> Path:
    """Where the hashes of clips are remembered."""
    return cache_folder() / "frames" / "hashes.json"


def clip_hashes(stimuli: StimulusSet) -> dict[str, str]:
    """Stimulus id -> SHA-256 of its clip, of the stimuli whose files are there; remembered in the cache folder.

    Raises:
        BgsError: a file cannot be read.
    """
    videos = stimuli.videos or (None,) * len(stimuli)
    there = {name: path for name, path in zip(stimuli.ids, videos, strict=True) if path and path.is_file()}
    digests = file_hashes(list(there.values()), hash_memory())
    return dict(zip(there, digests, strict=True))


def _recall(memory: Path) -> _Memory:
    """Read the valid entries of the cache; anything else is hashed again."""
    try:
        status = memory.stat()
        return _parsed(memory, status.st_ino, status.st_mtime_ns, status.st_size)
    except (FileNotFoundError, ValueError):
        return {}
    except OSError as error:
        raise BgsError(f"cannot read: {error.strerror}", where=memory) from error


@lru_cache(1)
def _parsed(memory: Path, inode: int, mtime_ns: int, size: int) -> _Memory:
    """The entries of a cache that was replaced since, or read already: whoever works chunk by chunk asks for it each time."""
    known = json.loads(memory.read_text(encoding="utf-8"))
    if not isinstance(known, dict):
        return {}
    return {name: entry for name, entry in known.items() if isinstance(entry, list) and len(entry) == 3}


def _entry(path: Path, known: _Memory) -> _Entry | OSError:
    """What is kept of a file, hashed unless it is as it was; or why it cannot be read."""
    try:
        status = path.stat()
        before, stamp = known.get(os.path.abspath(path), []), [status.st_size, status.st_mtime_ns]
        return before if before[:2] == stamp else [*stamp, sha256(path)]
    except OSError as error:
        return error
