"""Simulated data of an experiment: simulated observers judge simulated clips."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from bgs._config import Settings
from bgs._progress import progress_bar
from bgs.datasets import Dataset, load_dataset, write_folder
from bgs.simulation import TRUTH, ObserverSettings, analytic_ceilings, simulate_judgments, write_truth
from bgs.simulation.clip_folder import ClipSettings, write_clips

_CITATION = "SIMULATED clips and SIMULATED observers; nobody was filmed and no person judged anything"


class SimulateSettings(Settings):
    """Data simulated first, in ``data/`` of the experiment: simulated observers judge simulated clips."""

    clips: int = Field(240, ge=16)
    style: str = "discs"
    """Render style, see ``bgs simulate clips``."""
    trials: int = Field(20_000, ge=1)
    """Odd-one-out trials, attention checks included."""
    observers: int = Field(80, ge=1)
    temperature: float = Field(0.3, gt=0)
    """Noise of their choices, in units of the distance on which they are based."""
    seed: int = Field(0, ge=0)


def write_simulated(settings: SimulateSettings, folder: Path) -> None:
    """Write the data set of a ``simulate`` section as a folder.

    Existing clips are kept, so that an interrupted experiment can be resumed.

    Raises:
        ConfigError: a setting is out of range.
    """
    film_world(ClipSettings(settings.clips, settings.style, seed=settings.seed), folder)
    stimuli = load_dataset(folder).stimuli
    observers = ObserverSettings(n_observers=settings.observers, temperature=settings.temperature)
    judged = simulate_judgments(stimuli, settings.trials, observers, settings.seed)
    write_truth(folder / TRUTH, judged, analytic_ceilings(judged, draws=5))
    write_folder(
        Dataset(
            stimuli, judged.trials, simulated=True, name=folder.name, licence="simulated", citation=_CITATION
        ),
        folder,
    )


def film_world(settings: ClipSettings, folder: Path) -> None:
    """Render clips into a data set that is marked as simulated; a complete one is left unchanged."""
    if (folder / "stimuli.csv").is_file():
        return
    with progress_bar() as bar:
        task = bar.add_task("filming", total=settings.clips)
        stimuli = write_clips(folder, settings, lambda done: bar.advance(task, done))
    write_folder(
        Dataset(stimuli, simulated=True, name=folder.name, licence="simulated", citation=_CITATION), folder
    )
