"""The frames of a list of clips on disk: one array of bytes and what it holds, complete or not there at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from bgs._errors import DataError
from bgs._files import write_json
from bgs.stimuli.decode_pool import Outcome

_ARRAY, _ABOUT = "frames.u8", "about.json"
_DAMAGED_HINT = "`bgs cache clear` removes it; frames are then decoded again"


@dataclass(frozen=True)
class FrameStore:
    """Frames of the clips that could be read, and why the others could not.

    Attributes:
        array: (n, T, S, S, 3) uint8, memory-mapped, read-only.
        hashes: content hash of the clip in each row.
        failures: content hash -> reason, for clips without a row.
    """

    array: UInt8[np.ndarray, "n t s s 3"]
    hashes: tuple[str, ...]
    failures: dict[str, str]

    @classmethod
    def open(cls, folder: Path) -> FrameStore:
        """Open a complete store.

        Raises:
            DataError: its files contradict each other.
        """
        try:
            about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
            hashes, failures = tuple(about["hashes"]), dict(about["failures"])
            shape = (len(hashes), *about["shape"])
        except (ValueError, KeyError, TypeError) as error:
            raise DataError("damaged cache entry", where=folder / _ABOUT, hint=_DAMAGED_HINT) from error
        found, expected = (folder / _ARRAY).stat().st_size, int(np.prod(shape))
        if found != expected:
            raise DataError(
                "damaged cache entry", where=folder / _ARRAY,
                expected=f"{expected} bytes", got=found, hint=_DAMAGED_HINT,
            )  # fmt: skip
        if not hashes:  # an empty file cannot be mapped
            return cls(np.zeros(shape, dtype=np.uint8), hashes, failures)
        return cls(np.memmap(folder / _ARRAY, np.uint8, "r", shape=shape), hashes, failures)


def build_store(folder: Path, clips: Iterable[tuple[str, Outcome]], shape: tuple[int, int, int, int]) -> None:
    """Write a store; the caller holds its lock. It appears under its name when it is complete.

    Args:
        folder: where it will be.
        clips: content hash and frames (or reason) of each clip.
        shape: (T, S, S, 3) of a clip.
    """
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)  # what a killed run left
    part.mkdir(parents=True)
    try:
        hashes, failures = [], {}
        with (part / _ARRAY).open("wb") as stream:
            for name, outcome in clips:
                if isinstance(outcome, str):
                    failures[name] = outcome
                else:
                    stream.write(np.ascontiguousarray(outcome).data)
                    hashes.append(name)
        write_json(part / _ABOUT, {"shape": list(shape), "hashes": hashes, "failures": failures})
        os.replace(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def stores_in(folder: Path) -> Iterator[Path]:
    """Folders of the complete stores in a folder."""
    return (about.parent for about in sorted(folder.glob(f"[!.]*/{_ABOUT}")))
