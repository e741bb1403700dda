"""One training run: fit, embed base and tuned, evaluate, and fit its readout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bgs._errors import ConfigError, DataError
from bgs._files import sha256_of, write_json
from bgs._progress import note
from bgs.backbones.processes import Processes, joined, leave
from bgs.datasets import Dataset
from bgs.embeddings import Embeddings
from bgs.evaluation import Result, evaluate
from bgs.runs.fitting import embed_base, embed_tuned, fit
from bgs.runs.process_folder import process_folder
from bgs.runs.reading_out import read_out
from bgs.runs.run_folder import RunFolder
from bgs.runs.settling import settled
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

    Several processes that `torchrun` or `accelerate launch` started share the encoding; the first one then evaluates, and has
    the results, while the others end.

    Raises:
        BgsError: invalid configuration, data or folder; these are checked before anything is written.
    """
    with joined() as processes:
        folder = RunFolder(out)
        with processes.together():
            _require_shareable(config, processes)
            if processes.is_first:
                folder.check(config)
            study = load_study(config, mirror, dataset)
            study.require_protocols(config.evaluation.protocols, "evaluation.protocols")
        processes.require_same({"settings": sha256_of(config.model_dump_json()), **study.origin()})
        with process_folder(processes, folder) as own:
            return _run(config, study, own, processes)


def _require_shareable(config: TrainingConfig, processes: Processes) -> None:
    """Refuse several processes for what one does as fast.

    Raises:
        ConfigError: the gradient is per trial, or a transform is trained.
    """
    if processes.size == 1:
        return
    hint = "start `bgs train` without a launcher"
    if config.gradient != "full-geometry":
        raise ConfigError(
            "only full-geometry gradients can be shared", where="gradient", got=config.gradient, hint=hint
        )
    if config.transform is not None:
        raise ConfigError(
            "a transform is trained in one process, within seconds", where="transform", hint=hint
        )


def _run(config: TrainingConfig, study: Study, folder: RunFolder, processes: Processes) -> list[Result]:
    config = settled(config, study, folder, processes)
    about = study.about(config) | fit(config, study, folder)
    base = embed_base(config, study)
    base.save(folder.embeddings("base"))
    tuned = embed_tuned(config, study, folder, base)
    leave()  # what the first one does alone may take longer than the others would wait for an answer
    if not processes.is_first:
        return []
    results = _evaluate(config, study, folder, base, tuned, about)
    _read_out(config, study, folder, tuned)
    return results


def _evaluate(
    config: TrainingConfig,
    study: Study,
    folder: RunFolder,
    base: Embeddings,
    tuned: Embeddings,
    about: dict[str, Any],
) -> list[Result]:
    settings = config.evaluation
    results = [
        evaluate(
            tuned, study.stimuli, study.trials, protocol=protocol, distance=settings.distance, center=settings.center,
            against=base, permutations=settings.permutations, seed=config.seed,
            provenance=about,
        )
        for protocol in settings.protocols
    ]  # fmt: skip
    write_json(folder.evaluation, {result.protocol: result.to_json() for result in results})
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
