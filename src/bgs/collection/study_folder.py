"""A study folder: clips, texts, and the schedule."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bgs._config import read_settings, validate
from bgs._errors import DataError
from bgs._files import sha256_of
from bgs.collection.schedule import Schedule, read_schedule
from bgs.collection.settings import StudySettings
from bgs.datasets import load_dataset
from bgs.stimuli import StimulusSet

#: Beginnings of cells that spreadsheets run as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


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
        assert self.stimuli.videos is not None
        pairs = zip(self.stimuli.ids, self.stimuli.videos, strict=True)
        return {name: Path(video) for name, video in pairs if video is not None}

    @cached_property
    def hash(self) -> str:
        """SHA-256 of clips' ids and schedule: a database belongs to one of these."""
        blocks = {
            name: [(trial.number, trial.stimuli, trial.kind) for trial in trials]
            for name, trials in self.schedule.blocks.items()
        }
        return sha256_of(json.dumps([list(self.stimuli.ids), blocks]))


def open_study(path: str | Path) -> StudyFolder:
    """Read a study folder.

    Raises:
        BgsError: there are no clips, an id or a block's name would be run as a formula by spreadsheets, a clip is missing, or a
            file of the folder is invalid.
    """
    folder = Path(path)
    stimuli = load_dataset(folder).stimuli
    _require_clips(folder, stimuli)
    config = folder / "study.yaml"
    settings = validate(StudySettings, read_settings(config if config.is_file() else None), config)
    schedule = read_schedule(folder / "schedule.csv", stimuli.ids)
    for block in schedule.blocks:
        require_no_formula(block, "name of a block", folder / "schedule.csv")
    known = set(stimuli.ids)
    for number, triplet in enumerate(settings.practice):
        unknown = [name for name in triplet if name not in known]
        if unknown:
            raise DataError(
                "a clip that the study has not", where=f"{config}: practice.{number}", got=unknown[0]
            )
    return StudyFolder(folder, settings, stimuli, schedule)


def _require_clips(folder: Path, stimuli: StimulusSet) -> None:
    videos = stimuli.videos or (None,) * len(stimuli)
    for name, video in zip(stimuli.ids, videos, strict=True):
        if video is None:
            raise DataError(
                "a stimulus without a clip", where=f"{folder}: {name}", expected="a file in the column video"
            )
        if not Path(video).is_file():
            raise DataError("this clip is missing", where=video)
        require_no_formula(name, "id", folder)


def require_no_formula(text: str, what: str, where: Path) -> None:
    """Check a text that will be a cell of the export.

    Raises:
        DataError: spreadsheets would run it as a formula.
    """
    if text.startswith(_FORMULA):
        raise DataError(
            f"this {what} would be run as a formula by spreadsheets that open the export", where=where,
            expected=f"one that does not begin with any of {' '.join(_FORMULA[:4])}", got=text,
        )  # fmt: skip
