"""A folder with only videos: sufficient for embedding, but without judgments for training or evaluation."""

from __future__ import annotations

from pathlib import Path

from bgs._errors import DataError, listed
from bgs.datasets.dataset import Dataset
from bgs.stimuli import StimulusSet


def load_videos(folder: Path, simulated: bool = False) -> Dataset:
    """Load the videos in a folder and its subfolders as a data set; see :meth:`StimulusSet.from_folder`.

    Ids are paths relative to the folder with forward slashes, in sorted order. ``notes`` list what was ignored: files that
    are not videos, and hidden files.

    Raises:
        DataError: there is no video, or a file name has unprintable characters.
    """
    try:
        stimuli = StimulusSet.from_folder(folder)
    except DataError as error:
        expected = "stimuli.csv (and trials.csv), or videos"
        raise DataError(
            "not a data set: it has no stimuli.csv and no video", where=folder, expected=expected
        ) from error
    for name in stimuli.ids:
        if not name.isprintable():
            raise DataError(
                "a file name that cannot be an id",
                where=folder,
                expected="printable characters",
                got=repr(name),
            )
    taken = set(stimuli.ids)
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
    aside = sorted(repr(name)[1:-1] for name in names if name not in taken)
    note = f"{folder}: no stimuli.csv, so its {len(stimuli)} videos are the stimuli, without judgments"
    if aside:
        note += f"; {len(aside)} other or hidden files are ignored: {listed(aside)}"
    return Dataset(
        stimuli, simulated=simulated, name=folder.resolve().name, folder=folder, notes=(note,),
    )  # fmt: skip
