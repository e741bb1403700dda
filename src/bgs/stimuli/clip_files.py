"""Checks the video files of a stimulus set without decoding them."""

from __future__ import annotations

from pathlib import Path

from bgs._errors import DataError
from bgs.stimuli.decoding import check_file
from bgs.stimuli.stimulus_set import StimulusSet
from bgs.stimuli.unreadable import Failure, UnreadableClip, UnreadableClips


def require_files(stimuli: StimulusSet) -> None:
    """Check that every clip is a nonempty file, without decoding any.

    Raises:
        DataError: the set has no clips, or files are missing; all are named.
    """
    _, failures = readable_files(stimuli)
    if failures:
        named = [Failure(stimuli.ids[i], why) for i, why in sorted(failures.items())]
        raise UnreadableClips(named, len(stimuli), stimuli.obtain_clips)


def readable_files(stimuli: StimulusSet) -> tuple[dict[int, Path], dict[int, str]]:
    """Position -> path of the clips that are files with something in them; position -> reason of the others.

    Raises:
        DataError: the set has no clips at all.
    """
    if stimuli.videos is None:
        how = stimuli.obtain_clips
        raise DataError(
            "these stimuli have no clips" if how is None else "the clips are not on this machine",
            expected="a column 'video' in stimuli.csv" if how is None else None, hint=how,
        )  # fmt: skip
    paths: dict[int, Path] = {}
    failures: dict[int, str] = {}
    for i, path in enumerate(stimuli.videos):
        if path is None:
            failures[i] = "no file given"
            continue
        try:
            check_file(path)
            paths[i] = path
        except UnreadableClip as error:
            failures[i] = error.reason
    return paths, failures
