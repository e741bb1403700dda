"""Frames of a list of clips on disk: an array and its index, written atomically."""

from __future__ import annotations

import json
import os
import shutil
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from bgs._errors import DataError
from bgs._files import usable_cores, write_json
from bgs.stimuli.decode_pool import Outcome

_ARRAY, _ABOUT = "frames.u8", "about.json"


class DamagedStore(DataError):
    """A store whose files are inconsistent: its frames must be decoded again."""


@dataclass(frozen=True)
class FrameStore:
    """Frames of the readable clips, and the reasons for the others.

    Attributes:
        array: (n, T, S, S, 3) uint8, memory-mapped, read-only.
        hashes: content hash of the clip in each row.
        checksums: CRC-32 of each row.
        failures: content hash -> reason, for clips without a row.
    """

    array: UInt8[np.ndarray, "n t s s 3"]
    hashes: tuple[str, ...]
    checksums: tuple[int, ...]
    failures: dict[str, str]

    @classmethod
    def open(cls, folder: Path) -> FrameStore:
        """Open a complete store; frames are not checked.

        Raises:
            DamagedStore: a file is missing, unreadable or of the wrong size.
        """
        try:
            about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
            hashes, failures = tuple(about["hashes"]), dict(about["failures"])
            shape, checksums = (len(hashes), *about["shape"]), tuple(about["checksums"])
            expected, found = int(np.prod(shape)), (folder / _ARRAY).stat().st_size
        except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
            raise DamagedStore("damaged cache entry", where=folder, got=repr(error)) from error
        if found != expected:
            raise DamagedStore(
                "damaged cache entry", where=folder / _ARRAY, expected=f"{expected} bytes", got=found
            )
        if not hashes:  # an empty file cannot be memory-mapped
            return cls(np.zeros(shape, dtype=np.uint8), hashes, checksums, failures)
        array = np.memmap(folder / _ARRAY, np.uint8, "r", shape=shape)
        return cls(array, hashes, checksums, failures)

    def check(self, names: Sequence[str], shape: tuple[int, int, int, int]) -> None:
        """Check that the store holds the wanted clips and that their frames are unchanged. Reads all frames.

        Args:
            names: content hashes of the clips, in order.
            shape: (T, S, S, 3) of a clip.

        Raises:
            DamagedStore: it does not, or they have changed.
        """
        rows = tuple(name for name in names if name not in self.failures)
        if self.hashes != rows or self.array.shape[1:] != shape or len(self.checksums) != len(rows):
            raise DamagedStore("damaged cache entry: its list of clips does not match these stimuli")
        with ThreadPoolExecutor(usable_cores()) as pool:
            bad = [row for row, intact in enumerate(pool.map(self.intact, range(len(rows)))) if not intact]
        if bad:
            raise DamagedStore(f"damaged cache entry: frames of {len(bad)} of {len(rows)} clips have changed")

    def intact(self, row: int) -> bool:
        """Whether the frames of a clip are unchanged."""
        return zlib.crc32(self.array[row].data) == self.checksums[row]


def build_store(folder: Path, clips: Iterable[tuple[str, Outcome]], shape: tuple[int, int, int, int]) -> None:
    """Write a store. The caller must hold its lock. It gets its final name only when complete.

    Args:
        folder: final location.
        clips: content hash and frames (or failure reason) of each clip.
        shape: (T, S, S, 3) of a clip.
    """
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)  # left by a killed process
    part.mkdir(parents=True)
    try:
        hashes, checksums, failures = [], [], {}
        with (part / _ARRAY).open("wb") as stream:
            for name, outcome in clips:
                if isinstance(outcome, str):
                    failures[name] = outcome
                else:
                    frames = np.ascontiguousarray(outcome)
                    stream.write(frames.data)
                    hashes.append(name)
                    checksums.append(zlib.crc32(frames.data))
        about = {"shape": list(shape), "hashes": hashes, "checksums": checksums, "failures": failures}
        write_json(part / _ABOUT, about)
        os.replace(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def stores_in(folder: Path) -> Iterator[Path]:
    """Folders of the complete stores in a folder."""
    return (about.parent for about in sorted(folder.glob(f"[!.]*/{_ABOUT}")))
