"""A simulated data set with a planted geometry, written to a folder, for trying things out."""

from __future__ import annotations

from pathlib import Path

from bgs._errors import DataError
from bgs._files import require_output
from bgs.datasets import Dataset, load_dataset, write_folder
from bgs.simulation import planted_dataset

_CITATION = "SIMULATED scenes and SIMULATED observers; no person judged anything"


def plant(folder: str | Path, clips: int = 120, trials: int = 4000, seed: int = 0) -> Dataset:
    """Write a SIMULATED data set: captions and observers with a planted geometry.

    Args:
        folder: where to write ``stimuli.csv`` and ``trials.csv``; an existing simulated data set is replaced.
        clips: see :func:`bgs.simulation.planted_dataset`.
        trials: likewise.
        seed: likewise.

    Raises:
        DataError: the folder holds a data set that is not simulated.
        ConfigError: a number is out of range.
    """
    folder = Path(folder)
    require_output(folder / "stimuli.csv")
    if (folder / "stimuli.csv").exists() and not load_dataset(folder).simulated:
        raise DataError("contains a data set that is not simulated", where=folder, expected="a new folder")
    stimuli, judged = planted_dataset(n_clips=clips, n_trials=trials, seed=seed)
    dataset = Dataset(
        stimuli, judged, simulated=True, name=folder.name, licence="simulated", citation=_CITATION
    )
    write_folder(dataset, folder)
    return dataset
