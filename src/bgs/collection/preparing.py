"""Clips that browsers play: checked before participants come, and copies of those that they do not."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from bgs._errors import DataError
from bgs._files import write_text
from bgs._progress import progress_bar
from bgs.collection.study_folder import require_folder
from bgs.datasets import load_dataset
from bgs.datasets.folder import STIMULI, write_stimuli
from bgs.judgments.csv_table import read_table
from bgs.judgments.table_text import decode, plain_name, split_records
from bgs.stimuli.playability import Fault, ffmpeg_line, make_playable, playable_path, playback_fault

_COLUMNS = ("stimulus_id", "video")


def playback_faults(clips: dict[str, Path]) -> dict[str, Fault]:
    """Stimulus id -> what keeps browsers from playing its clip."""
    found = {name: playback_fault(path) for name, path in clips.items()}
    return {name: fault for name, fault in found.items() if fault is not None}


def require_playable(clips: dict[str, Path]) -> None:
    """Check that browsers play every clip.

    Raises:
        DataError: they do not; the first clip is named with the line that mends it.
    """
    faults = playback_faults(clips)
    if faults:
        name, fault = next(iter(faults.items()))
        raise DataError(
            f"browsers do not play {len(faults):,} of {len(clips):,} clips: {fault.what}", where=clips[name],
            expected="mp4 (H.264, 8 bits, 4:2:0, index first) or WebM",
            hint=f"`bgs collect prepare` writes copies of all, or: {ffmpeg_line(clips[name], fault)}",
        )  # fmt: skip


def prepare(folder: Path) -> dict[str, Path]:
    """Write playable copies of the clips that browsers do not play, and name them in ``stimuli.csv``; originals stay.

    A folder of videos alone gets a ``stimuli.csv`` with the ids that it had without one, so that its schedule stays valid.

    Returns:
        Stimulus id -> its copy.

    Raises:
        DataError: there is no such folder, a clip cannot be decoded, or ``stimuli.csv`` has no column ``video``.
    """
    table = require_folder(folder) / STIMULI
    if table.is_file():
        read_table(table, _COLUMNS)  # names a missing column
    stimuli = load_dataset(folder).stimuli
    clips = {
        name: Path(path) for name, path in zip(stimuli.ids, stimuli.videos or (), strict=True) if path is not None
    }  # fmt: skip
    faults = playback_faults(clips)
    copies, done = _copies(clips, faults), set[Path]()
    with progress_bar() as bar:
        task = bar.add_task("converting", total=len(faults))
        for name, fault in faults.items():
            if copies[name] not in done:  # two stimuli may be one file
                make_playable(clips[name], fault, copies[name])
            done.add(copies[name])
            bar.advance(task)
    if copies and not table.is_file():
        write_stimuli(
            table, replace(stimuli, videos=tuple(copies.get(name, clips[name]) for name in stimuli.ids))
        )
    elif copies:
        _rename(table, copies)
    return copies


def _copies(clips: dict[str, Path], names: Iterable[str]) -> dict[str, Path]:
    """Where the copy of each of these clips goes: no two of them, and no clip of the study, have one name."""
    taken, found = set(clips.values()), dict[Path, Path]()
    for path in (clips[name] for name in names):
        if path not in found:
            target, more = playable_path(path), 0
            while target in taken:
                more += 1
                target = playable_path(path.with_name(f"{path.stem}-{more}.mp4"))
            taken.add(target)
            found[path] = target
    return {name: found[clips[name]] for name in names}


def _rename(path: Path, copies: dict[str, Path]) -> None:
    """Put the names of copies into the column ``video``, by stimulus; all else stays as it is."""
    table = read_table(path, _COLUMNS)
    records, _ = split_records(path, decode(path.read_bytes(), path)[0], table.separator)
    header = [plain_name(name) for name in records[0]]
    named, video = (header.index(plain_name(column)) for column in _COLUMNS)
    for record in records[1:]:
        copy = copies.get(record[named].strip())
        if copy is not None:
            before, slash, _ = record[video].strip().rpartition("/")
            record[video] = f"{before}{slash}{copy.name}"
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=table.separator, lineterminator="\n").writerows(records)
    write_text(path, text.getvalue())
