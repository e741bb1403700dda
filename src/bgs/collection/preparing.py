"""Clips that browsers play: checked before participants come, and copies of those that they do not."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from bgs._errors import DataError
from bgs._files import read_text, write_text
from bgs._progress import progress_bar
from bgs.datasets import load_dataset
from bgs.stimuli.playability import Fault, ffmpeg_line, make_playable, playback_fault


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

    Returns:
        Stimulus id -> its copy.

    Raises:
        DataError: a clip cannot be decoded, or the folder has no ``stimuli.csv`` with a column ``video``.
    """
    stimuli = load_dataset(folder).stimuli
    assert stimuli.videos is not None
    clips = {
        name: Path(path) for name, path in zip(stimuli.ids, stimuli.videos, strict=True) if path is not None
    }
    faults, made = playback_faults(clips), dict[str, Path]()
    if faults and not (folder / "stimuli.csv").is_file():
        raise DataError(
            "the copies have to be named in a table", where=folder, expected="stimuli.csv with a column video"
        )
    with progress_bar() as bar:
        task = bar.add_task("converting", total=len(faults))
        for name, fault in faults.items():
            made[name] = make_playable(clips[name], fault)
            bar.advance(task)
    if made:
        _rename(folder / "stimuli.csv", {clips[name].name: copy.name for name, copy in made.items()})
    return made


def _rename(table: Path, copies: dict[str, str]) -> None:
    """Replace file names in the column ``video``."""
    rows = list(csv.reader(io.StringIO(read_text(table), newline="")))
    if not rows or "video" not in rows[0]:
        raise DataError("no column video", where=table, expected=",".join(("stimulus_id", "video")))
    column = rows[0].index("video")
    for row in rows[1:]:
        before, slash, name = row[column].rpartition("/")
        row[column] = f"{before}{slash}{copies.get(name, name)}"
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_text(table, text.getvalue())
