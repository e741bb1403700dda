"""The decoded clips of one sampling and decoder on disk: one file of equal records, and a log of what each of them holds.

A record is a shard: the frames of one clip, known by the SHA-256 of the clip's file. It is appended as soon as it is
decoded and counts once its line is in the log, so a kill costs no more than what was being decoded. Records are never
moved or overwritten: any subset of clips, in any order, is a list of rows of the same memory map.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import UInt8

from bgs._files import append_text
from bgs._threads import in_threads
from bgs._typing import Int
from bgs.stimuli.decode_pool import Outcome

_FRAMES, _LOG = "frames.u8", "clips.jsonl"


@dataclass(frozen=True)
class FrameArray:
    """The frames of n clips, indexed by clip like an array; only the clips asked for are read and copied.

    Attributes:
        records: (m, T, S, S, 3) every clip of the pack, memory-mapped, read-only.
        rows: (n,) where each of the n clips lies in ``records``.
    """

    records: UInt8[np.ndarray, "m t s s 3"]
    rows: Int[np.ndarray, " n"]

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, T, S, S, 3)."""
        return (len(self.rows), *self.records.shape[1:])

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, clips: int | slice | Int[np.ndarray, " b"]) -> UInt8[np.ndarray, "*b t s s 3"]:
        chosen: np.ndarray = self.records[self.rows[clips]]
        return chosen

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype)


class Record(NamedTuple):
    """Where the frames of a clip lie, in bytes, and their CRC-32."""

    offset: int
    length: int
    crc32: int


@dataclass(frozen=True)
class FramePack:
    """What a folder holds at the moment when it is opened.

    Attributes:
        data: all bytes of the records, memory-mapped, read-only.
        records: content hash of a clip -> its frames.
        failures: content hash of a clip -> why it cannot be read.
    """

    data: UInt8[np.ndarray, " b"]
    records: dict[str, Record]
    failures: dict[str, str]

    @classmethod
    def open(cls, folder: Path) -> FramePack:
        """What is in a folder; nothing where there is none. Frames are not read."""
        records, failures = _log_at(folder.absolute() / _LOG).read()
        try:
            data: np.ndarray = np.memmap(folder / _FRAMES, np.uint8, "r")
        except (FileNotFoundError, ValueError):  # an empty file cannot be mapped
            data = np.zeros(0, np.uint8)
        return cls(data, records, failures)

    def is_intact(self, clip: str) -> bool:
        """Whether the frames of a clip are those that were written. Reads them."""
        offset, length, crc32 = self.records[clip]
        frames = self.data[offset : offset + length]
        return len(frames) == length and zlib.crc32(frames.data) == crc32

    def damaged(self) -> list[str]:
        """Clips whose frames have changed on disk. Reads all frames."""
        return self._changed(list(self.records))

    def missing(self, clips: Iterable[str], shape: tuple[int, ...]) -> list[str]:
        """Those of the clips that have to be decoded: unknown ones, and damaged ones. Reads the frames of the others.

        Args:
            clips: content hashes.
            shape: (T, S, S, 3) of a clip.
        """
        size, clips = prod(shape), list(clips)
        placed = [c for c in clips if c in self.records and _is_aligned(self.records[c], size)]
        good = {*self.failures, *placed} - {*self._changed(placed)}
        return [clip for clip in clips if clip not in good]

    def frames(self, clips: Sequence[str], shape: tuple[int, ...]) -> FrameArray:
        """The frames of clips that are not missing; see :meth:`missing`."""
        whole = len(self.data) // prod(shape)
        rows = np.array([self.records[clip].offset // prod(shape) for clip in clips], dtype=np.int64)
        return FrameArray(self.data[: whole * prod(shape)].reshape(whole, *shape), rows)

    def _changed(self, clips: list[str]) -> list[str]:
        return [clip for clip, good in zip(clips, in_threads(self.is_intact, clips), strict=True) if not good]


def add_records(folder: Path, clips: Iterable[tuple[str, Outcome]], size: int) -> Iterator[str]:
    """Write clips as they come; the caller holds the folder's lock.

    Args:
        folder: of the pack, which exists.
        clips: content hash and frames (or reason) of each.
        size: bytes of a record.

    Yields:
        The content hash of each clip, once it is kept.
    """
    with (folder / _FRAMES).open("ab") as stream:
        stream.truncate(stream.tell() // size * size)  # what a kill left of a record
        stream.seek(0, 2)
        for clip, outcome in clips:
            entry: dict[str, str | int] = {"clip": clip}
            if isinstance(outcome, str):
                entry |= {"reason": outcome}
            else:
                frames = np.ascontiguousarray(outcome)
                entry |= {"offset": stream.tell(), "bytes": frames.nbytes, "crc32": zlib.crc32(frames.data)}
                stream.write(frames.data)
                stream.flush()
            # Line breaks come first: a line that was cut short does not spoil the next one.
            append_text(folder / _LOG, "\n" + json.dumps(entry))
            yield clip


class _Log:
    """The legible lines of a log that grows. Whoever works chunk by chunk reads it for each: only what is new is parsed.

    The clip of any other line is decoded again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        self._forget()

    def read(self) -> tuple[dict[str, Record], dict[str, str]]:
        """Clip -> its frames; clip -> why it cannot be read. Of several lines of a clip, the last counts."""
        with self._lock:
            try:
                text = self.path.read_bytes()
            except FileNotFoundError:
                text = b""
            self._parse(text)
            return dict(self._records), dict(self._failures)

    def _forget(self) -> None:
        self._end, self._crc32 = 0, zlib.crc32(b"")
        self._records: dict[str, Record] = {}
        self._failures: dict[str, str] = {}

    def _parse(self, text: bytes) -> None:
        if zlib.crc32(memoryview(text)[: self._end]) != self._crc32:  # it did not grow, it was changed
            self._forget()
        new = text[self._end :]
        lines = new.split(b"\n")
        for clip, entry in _entries(lines):
            kept: dict[str, Any] = self._failures if isinstance(entry, str) else self._records
            kept[clip] = entry
        # Lines begin with their line break, so the last may be half written: it is read again.
        done = new[: len(new) - len(lines[-1])]
        self._end, self._crc32 = self._end + len(done), zlib.crc32(done, self._crc32)


@lru_cache(16)
def _log_at(path: Path) -> _Log:
    return _Log(path)


def _entries(lines: Iterable[bytes]) -> Iterator[tuple[str, Record | str]]:
    for line in lines:
        try:
            entry = json.loads(line)
            if "reason" in entry:
                yield str(entry["clip"]), str(entry["reason"])
            else:
                offset, length, crc32 = (int(entry[key]) for key in ("offset", "bytes", "crc32"))
                yield str(entry["clip"]), Record(offset, length, crc32)
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            continue


def _is_aligned(record: Record, size: int) -> bool:
    return record.length == size and record.offset % size == 0
