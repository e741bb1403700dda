"""Practice mode from Python: what people, or a model, saw in the clips of a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bgs._errors import DataError
from bgs._typing import Float
from bgs.collection.practice import TEMPERATURE, Practice, Shares, model_shares, people_shares, scales_of
from bgs.collection.study_folder import CONFIG, clip_files, read_study_settings, require_folder
from bgs.datasets import Dataset, load_dataset
from bgs.datasets.folder import is_simulated
from bgs.judgments import Trials
from bgs.judgments.tables import read_trials
from bgs.stimuli import StimulusSet


def open_practice(
    path: str | Path,
    judgments: str | Path | None = None,
    model: str | None = None,
    *,
    temperature: float = TEMPERATURE,
    collected: bool = False,
) -> Practice:
    """What practice mode shows of a folder.

    People's answers come from ``judgments``, else from ``trials.csv`` in the folder, else, where ``collected``, from the
    database of its study. Triplets that nobody judged are answered by ``model``.

    Args:
        path: folder with ``stimuli.csv`` and clips; ``study.yaml`` may name its title and the scales of ratings.
        judgments: a trial table of the same clips.
        model: a model reference, see :func:`bgs.load_model`; the probability of each odd one is the softmax over minus the cosine
            distance of the other two.
        temperature: of that softmax, in cosine distances, above 0.
        collected: whether answers in ``study.sqlite`` may be shown: never to people who are still to take part.

    Raises:
        BgsError: a file or the model cannot be used; there is nothing to compare with; or judgments are of other clips.
    """
    folder = require_folder(path)
    dataset = load_dataset(folder)
    clip_files(folder, dataset.stimuli)
    settings = read_study_settings(folder)
    trials = _people(folder, dataset, judgments, collected)
    parts = [people_shares(trials)] if trials is not None and len(trials.judgments) else []
    if model is not None:
        parts.append(model_shares(_distances(model, dataset.stimuli), temperature))
    if not parts:
        raise DataError(
            "nothing to compare with: no judgments of three clips", where=judgments or folder,
            expected="trials.csv in the folder, --judgments, or --model",
        )  # fmt: skip
    shares: Shares = parts[0] if len(parts) == 1 else parts[0].followed_by(parts[1])
    simulated = dataset.simulated or (judgments is not None and is_simulated(Path(judgments).parent))
    scales = scales_of(dataset.stimuli, settings, folder / CONFIG)
    return Practice(settings.title, dataset.stimuli, shares, scales, simulated)


def _people(folder: Path, dataset: Dataset, judgments: str | Path | None, collected: bool) -> Trials | None:
    if judgments is not None:
        return read_trials(judgments, dataset.stimuli)[0]
    if dataset.trials is None and collected:
        return _collected(folder)
    return dataset.trials


def _collected(folder: Path) -> Trials | None:
    """The answers of the study's own database that count; None where there are none."""
    from bgs.collection.exporting import counted_trials
    from bgs.collection.opening import FILE, opened_study

    if not (folder / FILE).is_file():
        return None
    with opened_study(folder) as (study, database):
        return counted_trials(database, study)


def _distances(reference: str, stimuli: StimulusSet) -> Float[np.ndarray, "n n"]:
    from bgs.api.model import load_model
    from bgs.evaluation import model_rdm

    model = load_model(reference)
    embedded = model.embed(stimuli).select(stimuli.ids)
    distances: Float[np.ndarray, "n n"] = model_rdm(embedded.values, "cosine", model.center)
    return distances
