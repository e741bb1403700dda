"""Fits the readout of a run: on its validation clips, or on folds of training clips for which it is trained again."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bgs._lock import locked_folder
from bgs._progress import note
from bgs._typing import Int
from bgs.embeddings import Embeddings
from bgs.evaluation.readout import HeldOut, Readout, measure
from bgs.judgments import split_folds
from bgs.runs.embedder import Embedder, embed_stimuli
from bgs.runs.fitting import fit, fit_first
from bgs.runs.run_folder import RunFolder
from bgs.runs.study import Study, load_study
from bgs.training import TrainingConfig, load_config

#: Models trained again for a run without validation clips.
FOLDS = 3


def calibrate_run(
    out: str | Path,
    *,
    folds: int | None = None,
    attributes: Sequence[str] | None = None,
    mirror: str | Path | None = None,
) -> Readout:
    """Fit the readout of a finished run, and save it in its folder.

    A run with validation clips is calibrated on these. Otherwise, or with ``folds``, the model is trained again without each
    fold of the training clips, which takes as long as the run did, for each; interrupted, it goes on where it was.

    Raises:
        BgsError: the folder has no finished run, its data cannot be read, or have no such rating.
        ConfigError: fewer than two folds, or more than a third of the training clips.
    """
    folder = RunFolder(out)
    if not folder.embeddings("tuned").is_file() or not folder.config.is_file():
        raise folder.unfinished()
    config = load_config(folder.config)
    study = load_study(config, mirror)
    study.stimuli.rating_names(attributes)
    with locked_folder(folder.path):
        return read_out(config, study, folder, Embeddings.load(folder.embeddings("tuned")), folds, attributes)


def read_out(
    config: TrainingConfig,
    study: Study,
    folder: RunFolder,
    tuned: Embeddings,
    folds: int | None = None,
    attributes: Sequence[str] | None = None,
) -> Readout:
    """Fit, measure on test clips and save the readout of a run; ``tuned`` are all its stimuli's embeddings."""
    optimise, validate_on = study.to_train(config)
    seen = np.flatnonzero(study.stimuli.train)
    if folds is None and len(validate_on):
        parts, how = [_validation(config, study, folder, tuned, optimise, validate_on)], "validation clips"
        seen = seen if config.refit else optimise  # what the finished model was trained on
    else:
        count = FOLDS if folds is None else folds
        parts, how = _folds(config, study, folder, count), f"{count} folds"
    about = _about(study, how, len(seen))
    final = tuned.select(_ids(study, seen))
    found = Readout.fit(final, parts, study.trials, study.stimuli, about, attributes)
    if study.stimuli.test.any():
        found = measure(
            found, tuned, study.trials, study.stimuli,
            centred=config.evaluation.center, resamples=config.evaluation.resamples, seed=config.seed,
        )  # fmt: skip
    found.save(folder.readout)
    shutil.rmtree(folder.folds, ignore_errors=True)
    return found


def _validation(
    config: TrainingConfig,
    study: Study,
    folder: RunFolder,
    tuned: Embeddings,
    optimise: Int[np.ndarray, " a"],
    validate_on: Int[np.ndarray, " b"],
) -> HeldOut:
    """Validation clips; with ``refit``, the final model has seen them, and the one before it embeds."""
    if config.refit:
        first = fit_first(config, study, folder)  # which is finished, and resumes at its end
        stimuli = study.stimuli.subset(np.flatnonzero(study.stimuli.train))
        tuned = Embedder(first.backbone, stimuli, config.batch_size).embed("before the refit")
    return _split(config, study, tuned, optimise, validate_on)


def _folds(config: TrainingConfig, study: Study, folder: RunFolder, count: int) -> list[HeldOut]:
    """Each training clip is held out once, by a model trained on the others."""
    training = np.flatnonzero(study.stimuli.train)
    parts = split_folds(len(training), count, config.seed)
    note(f"the model is trained again without each of {count} folds of its {len(training)} training clips")
    config = config.model_copy(update={"refit": False})
    return [
        _fold(config, study, training, training[part], RunFolder(folder.folds / f"fold-{k}"))
        for k, part in enumerate(parts)
    ]


def _fold(
    config: TrainingConfig,
    study: Study,
    training: Int[np.ndarray, " n"],
    held: Int[np.ndarray, " m"],
    folder: RunFolder,
) -> HeldOut:
    """Train without the clips ``held`` and embed all training clips, unless that is done; test clips are not read."""
    seen = np.setdiff1d(training, held)
    if not folder.embeddings("tuned").is_file():
        split = np.full(len(study.stimuli), "test", dtype=object)
        split[seen] = "train"
        fit(config, replace(study, stimuli=replace(study.stimuli, split=tuple(split.tolist()))), folder)
        stimuli = study.stimuli.subset(training)
        tuned = embed_stimuli(
            f"run:{folder.path}", stimuli, config.batch_size, config.device, config.precision
        )
        tuned.save(folder.embeddings("tuned"))
    tuned = Embeddings.load(folder.embeddings("tuned"))
    return _split(config, study, tuned, seen, held)


def _split(
    config: TrainingConfig,
    study: Study,
    tuned: Embeddings,
    seen: Int[np.ndarray, " n"],
    held: Int[np.ndarray, " m"],
) -> HeldOut:
    sides = [tuned.select(_ids(study, side)) for side in (seen, held)]
    return HeldOut(sides[0], sides[1], config.evaluation.center)


def _ids(study: Study, positions: Int[np.ndarray, " m"]) -> tuple[str, ...]:
    return tuple(study.stimuli.ids[i] for i in positions.tolist())


def _about(study: Study, how: str, clips: int) -> dict[str, Any]:
    dataset = study.dataset
    return {
        "data": dataset.name,
        "simulated": dataset.simulated,
        "hashes": study.hashes(),
        "clips": clips,
        "held_out": how,
    }
