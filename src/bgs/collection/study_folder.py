"""A study folder: clips, texts, and the schedule."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from bgs._config import read_settings, validate
from bgs._errors import DataError
from bgs._files import sha256_of
from bgs.collection.plain_text import require_plain
from bgs.collection.schedule import Schedule
from bgs.collection.schedule_table import read_schedule
from bgs.collection.settings import StudySettings
from bgs.datasets import load_dataset
from bgs.stimuli import StimulusSet

CONFIG = "study.yaml"
#: Characters of an id and of a block's name that the database holds.
_ID, _BLOCK = 300, 200


@dataclass(frozen=True)
class StudyFolder:
    """A study as it lies on disk.

    Attributes:
        path: the folder.
        settings: ``study.yaml``; defaults where there is none.
        stimuli: its clips.
        schedule: ``schedule.csv``.
    """

    path: Path
    settings: StudySettings
    stimuli: StimulusSet
    schedule: Schedule

    @cached_property
    def clips(self) -> dict[str, Path]:
        """Stimulus id -> file."""
        return clip_files(self.path, self.stimuli)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of clips' ids and schedule: a database belongs to one of these."""
        return self.hash_of_first(self.schedule.n_blocks)

    def hash_of_first(self, n_blocks: int) -> str:
        """The same with the first blocks alone, as it was before others were added."""
        first = self.schedule.first(n_blocks)
        columns = (first.block, first.trial, first.stimuli, first.kind)
        trials = b"".join(np.ascontiguousarray(column, dtype="<i8").tobytes() for column in columns)
        return sha256_of(json.dumps([self.stimuli.ids, first.names]), trials)


def open_study(path: str | Path) -> StudyFolder:
    """Read a study folder.

    Raises:
        BgsError: there are no clips, an id or a block's name is too long, has control characters or would be run as a formula by
            spreadsheets, a clip is missing, or a file of the folder is invalid.
    """
    folder = require_folder(path)
    stimuli = load_dataset(folder).stimuli
    for name in clip_files(folder, stimuli):
        require_plain(name, "id", folder, _ID)
    config = folder / CONFIG
    settings = read_study_settings(folder)
    schedule = read_schedule(folder, stimuli.ids)
    for block in schedule.names:
        require_plain(block, "name of a block", folder / "schedule.csv", _BLOCK)
    known = set(stimuli.ids)
    for number, triplet in enumerate(settings.practice):
        unknown = [name for name in triplet if name not in known]
        if unknown:
            raise DataError(
                "a clip that the study has not", where=f"{config}: practice.{number}", got=unknown[0]
            )
    return StudyFolder(folder, settings, stimuli, schedule)


def require_folder(path: str | Path) -> Path:
    """The folder of a study; a name of a public data set is none.

    Raises:
        DataError: there is no such folder.
    """
    if not Path(path).is_dir():
        raise DataError(
            "there is no such study folder", where=path, expected="a folder with stimuli.csv, or videos"
        )
    return Path(path)


def read_study_settings(folder: Path) -> StudySettings:
    """``study.yaml``; defaults where there is none.

    Raises:
        ConfigError: it is invalid.
    """
    config = folder / CONFIG
    return validate(StudySettings, read_settings(config if config.is_file() else None), config)


def clip_files(folder: Path, stimuli: StimulusSet) -> dict[str, Path]:
    """Stimulus id -> file.

    Raises:
        DataError: a stimulus has no clip, or its file is missing.
    """
    found = {}
    for name, video in zip(stimuli.ids, stimuli.videos or (None,) * len(stimuli), strict=True):
        if video is None:
            raise DataError(
                "a stimulus without a clip", where=f"{folder}: {name}", expected="a file in the column video"
            )
        if not Path(video).is_file():
            raise DataError("this clip is missing", where=video)
        found[name] = Path(video)
    return found
