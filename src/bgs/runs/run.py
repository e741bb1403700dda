"""One training run: fit, embed base and tuned, evaluate, and fit its readout."""

from __future__ import annotations

from pathlib import Path

from bgs._errors import DataError
from bgs._files import write_json
from bgs._lock import locked_folder
from bgs._progress import note
from bgs.datasets import Dataset
from bgs.embeddings import Embeddings
from bgs.evaluation import Result, evaluate
from bgs.runs.fitting import embed_base, embed_tuned, fit
from bgs.runs.reading_out import read_out
from bgs.runs.run_folder import RunFolder
from bgs.runs.study import Study, load_study
from bgs.training import TrainingConfig


def run_training(
    config: TrainingConfig,
    out: str | Path,
    *,
    mirror: str | Path | None = None,
    dataset: Dataset | None = None,
) -> list[Result]:
    """Train, save the adapter, and evaluate base and tuned embeddings; one result per protocol.

    Calling it again resumes an interrupted run, which gives the same numbers as an uninterrupted one. Test stimuli are not
    read until the adapter has been saved.

    Raises:
        BgsError: invalid configuration, data or folder; these are checked before anything is written.
    """
    folder = RunFolder(out)
    folder.check(config)
    study = load_study(config, mirror, dataset)
    study.require_protocols(config.evaluation.protocols, "evaluation.protocols")
    with locked_folder(folder.path):
        return _run(config, study, folder)


def _run(config: TrainingConfig, study: Study, folder: RunFolder) -> list[Result]:
    settings = config.evaluation
    about = study.about(config) | fit(config, study, folder)
    base = embed_base(config, study)
    base.save(folder.embeddings("base"))
    tuned = embed_tuned(config, study, folder, base)
    results = [
        evaluate(
            tuned, study.stimuli, study.trials, protocol=protocol, distance=settings.distance, center=settings.center,
            against=base, permutations=settings.permutations, seed=config.seed,
            provenance=about,
        )
        for protocol in settings.protocols
    ]  # fmt: skip
    write_json(folder.evaluation, {result.protocol: result.to_json() for result in results})
    _read_out(config, study, folder, tuned)
    return results


def _read_out(config: TrainingConfig, study: Study, folder: RunFolder, tuned: Embeddings) -> None:
    """Fit the readout where that costs next to nothing: on validation clips."""
    if not len(study.to_train(config)[1]):
        note(f"without validation clips there is no readout yet: bgs calibrate {folder.path}")
        return
    try:
        read_out(config, study, folder, tuned)
    except DataError as error:
        note(f"no readout: {error}")
