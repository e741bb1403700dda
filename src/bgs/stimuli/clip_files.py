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
    if stimuli.videos is None:
        raise DataError("these stimuli have no clips", expected="a column 'video' in stimuli.csv")
    _, failures = readable_files(stimuli)
    if failures:
        named = [Failure(stimuli.ids[i], why) for i, why in sorted(failures.items())]
        raise UnreadableClips(named, len(stimuli))


def readable_files(stimuli: StimulusSet) -> tuple[dict[int, Path], dict[int, str]]:
    """Position -> path of clips that are nonempty files; position -> reason for the others."""
    paths: dict[int, Path] = {}
    failures: dict[int, str] = {}
    for i, path in enumerate(stimuli.videos or ()):
        if path is None:
            failures[i] = "no file given"
            continue
        try:
            check_file(path)
            paths[i] = path
        except UnreadableClip as error:
            failures[i] = error.reason
    return paths, failures
