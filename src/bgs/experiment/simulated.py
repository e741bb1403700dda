"""Data of an experiment that brings none: simulated observers judge simulated scenes."""

from __future__ import annotations

from pathlib import Path

from bgs.datasets import Dataset, write_folder
from bgs.experiment.sections import SimulateSettings
from bgs.simulation import planted_dataset

_CITATION = "SIMULATED scenes and SIMULATED observers; no person judged anything"


def write_simulated(settings: SimulateSettings, folder: Path) -> None:
    """Write the data set of a ``simulate`` section as a folder: the one place where an experiment's data are made.

    Raises:
        ConfigError: a setting is out of range.
    """
    stimuli, trials = planted_dataset(
        n_clips=settings.clips,
        n_trials=settings.trials,
        n_observers=settings.observers,
        temperature=settings.temperature,
        seed=settings.seed,
    )
    write_folder(Dataset(folder.name, stimuli, trials, {}, "simulated", _CITATION), folder)
