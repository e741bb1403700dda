"""Content hashes of files, cached until the size or modification time of a file changes."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bgs._errors import BgsError
from bgs._files import cache_folder, sha256, usable_cores, write_text
from bgs.stimuli.stimulus_set import StimulusSet

#: Absolute path -> [size in bytes, modification time in ns, SHA-256].
_Memory = dict[str, list[int | str]]


def file_hashes(paths: Sequence[Path], memory: Path) -> list[str]:
    """SHA-256 of each file.

    Args:
        paths: files that exist.
        memory: JSON file that caches hashes by path, size and modification time; created if missing, and replaced
            atomically, so if two runs add to it at once, one may have to hash again later.

    Raises:
        BgsError: a file cannot be read, or ``memory`` cannot be written.
    """
    known = _recall(memory)
    stamps = [_stamp(path) for path in paths]
    names = [os.path.abspath(path) for path in paths]
    changed = [i for i, name in enumerate(names) if known.get(name, [])[:2] != stamps[i]]
    if changed:
        with ThreadPoolExecutor(usable_cores()) as pool:
            digests = list(pool.map(_hash, [paths[i] for i in changed]))
        known |= {names[i]: [*stamps[i], digest] for i, digest in zip(changed, digests, strict=True)}
        write_text(memory, json.dumps(known))
    return [str(known[name][2]) for name in names]


def clip_hashes(stimuli: StimulusSet) -> dict[str, str]:
    """Stimulus id -> SHA-256 of its clip, of the stimuli whose files are there; remembered in the cache folder.

    Raises:
        BgsError: a file cannot be read.
    """
    videos = stimuli.videos or (None,) * len(stimuli)
    there = {name: path for name, path in zip(stimuli.ids, videos, strict=True) if path and path.is_file()}
    digests = file_hashes(list(there.values()), cache_folder() / "frames" / "hashes.json")
    return dict(zip(there, digests, strict=True))


def _recall(memory: Path) -> _Memory:
    """Read the valid entries of the cache; anything else is hashed again."""
    try:
        known = json.loads(memory.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    except OSError as error:
        raise BgsError(f"cannot read: {error.strerror}", where=memory) from error
    if not isinstance(known, dict):
        return {}
    return {name: entry for name, entry in known.items() if isinstance(entry, list) and len(entry) == 3}


def _stamp(path: Path) -> list[int | str]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _hash(path: Path) -> str:
    try:
        return sha256(path)
    except OSError as error:
        raise BgsError(f"cannot read: {error.strerror}", where=path) from error
