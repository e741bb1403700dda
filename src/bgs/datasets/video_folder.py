"""A folder of videos and nothing else: enough to embed, with no judgments to learn from or to measure against."""

from __future__ import annotations

from pathlib import Path

from bgs._errors import DataError, some
from bgs.datasets.dataset import Dataset
from bgs.stimuli import StimulusSet


def load_videos(folder: Path, simulated: bool = False) -> Dataset:
    """The videos in a folder and the folders below it as a data set; see :meth:`StimulusSet.from_folder`.

    Ids are paths from the folder with forward slashes, in sorted order. ``notes`` say what was left aside: files that
    are no videos, and hidden ones.

    Raises:
        DataError: there is no video in it, or a name that cannot be written down.
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
    note = (
        f"{folder}: no stimuli.csv, so its {len(stimuli)} videos are the stimuli, and there are no judgments"
    )
    if aside:
        note += f"; {len(aside)} other or hidden files are left aside: {some(aside)}"
    return Dataset(
        stimuli, simulated=simulated, name=folder.resolve().name, folder=folder, notes=(note,),
    )  # fmt: skip
