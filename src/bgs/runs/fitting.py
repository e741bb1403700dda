"""Trains the model of a run in its folder, and embeds its stimuli before and after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bgs._progress import progress_bar
from bgs.backbones import Backbone, save_adapter
from bgs.embeddings import Embeddings
from bgs.runs.embedder import Embedder, embed_stimuli, open_backbone
from bgs.runs.pull import with_pull
from bgs.runs.run_folder import RunFolder
from bgs.runs.study import Study
from bgs.runs.trainer import new_backbone, new_refit, new_trainer
from bgs.training import EpochRecord, FullGeometry, Trainer, TrainingConfig
from bgs.training.checkpoint import LoopState
from bgs.training.determinism import deterministic


def fit(
    config: TrainingConfig,
    study: Study,
    folder: RunFolder,
    report: Callable[[EpochRecord], None] | None = None,
    frozen: Embeddings | None = None,
) -> dict[str, Any]:
    """Train in a run folder and save the adapter there.

    Args:
        config: of the run.
        study: what it is trained on.
        folder: where.
        report: called after every epoch.
        frozen: embeddings of at least the training stimuli by the model before training, if there are any: a transform need
            not compute them again.

    Returns:
        Additional provenance: ``pull``, where that of a transform was chosen, and ``refit``, the epochs and clips of a second
        training.

    Raises:
        BgsError: folder, data, code or model differ from those a resumed run was started with, a stimulus lacks
            the input that the model needs, or training diverged. Except for the last, nothing is written before the check.
    """
    with deterministic(config.deterministic):
        return _fit(config, study, folder, report, frozen)


def _fit(
    config: TrainingConfig,
    study: Study,
    folder: RunFolder,
    report: Callable[[EpochRecord], None] | None,
    frozen: Embeddings | None,
) -> dict[str, Any]:
    trainer = fit_first(config, study, folder, report, frozen)
    done: dict[str, Any] = {}
    if config.transform is not None and config.transform.pull is None:
        done["pull"] = folder.chosen_pull()
    backbone = trainer.backbone
    if config.refit:
        config, state = trainer.config, trainer.state
        del trainer, backbone  # memory may suffice for only one
        backbone, done["refit"] = _refit(config, study, folder, state, frozen)
    ids = study.stimuli.ids
    backbone.trained_on = {
        study.trained_on or study.dataset.name: [ids[i] for i in np.flatnonzero(study.stimuli.train)]
    }
    save_adapter(backbone, config.lora, folder.adapter)
    return done


def fit_first(
    config: TrainingConfig,
    study: Study,
    folder: RunFolder,
    report: Callable[[EpochRecord], None] | None = None,
    frozen: Embeddings | None = None,
) -> Trainer:
    """The first, or only, training of a run, with the weights that validation chose; see :func:`fit`."""
    origin = study.origin()
    folder.check(config)  # check before loading the model, which may take minutes
    folder.require_origin(origin)
    chosen = folder.chosen_pull()
    settled = config if chosen is None else with_pull(config, chosen)
    backbone = new_backbone(settled)
    if backbone.spec.revision:
        origin |= {"weights of the model": backbone.spec.revision}
        folder.require_origin(origin)
    backbone.require_readable(study.stimuli)
    trainer = new_trainer(settled, backbone, study, folder, frozen=frozen)
    if isinstance(trainer.method, FullGeometry):
        trainer.method.require_work()
    folder.open(config)
    if not folder.provenance.is_file():
        pull = {} if trainer.config.transform is None else {"pull": trainer.config.transform.pull}
        folder.write_provenance({**study.about(config), **pull, "origin": origin})
    _train_with_progress(trainer, "training", report)
    return trainer


def _refit(
    config: TrainingConfig, study: Study, folder: RunFolder, chosen: LoopState, frozen: Embeddings | None
) -> tuple[Backbone, dict[str, int]]:
    """Retrain on all training clips for the number of epochs chosen by validation, with the same learning rates."""
    trainer = new_refit(config, study, folder.refit, chosen, frozen)
    done = {"epochs": trainer.epochs, "clips": int(study.stimuli.train.sum())}
    folder.add_provenance(refit=done)
    _train_with_progress(trainer, "refit", None)
    return trainer.backbone, done


def embed_base(config: TrainingConfig, study: Study) -> Embeddings:
    """Embeddings of all stimuli before training."""
    return embed_stimuli(config.reference, study.stimuli, config.batch_size, config.device, config.precision)


def embed_tuned(
    config: TrainingConfig, study: Study, folder: RunFolder, frozen: Embeddings | None = None
) -> Embeddings:
    """Embeddings of all stimuli after training, from the model reloaded from disk, so that the saved model is evaluated.

    ``frozen``, their embeddings before training, saves a transform computing them again.
    """
    run = f"run:{folder.path}"
    embedder = Embedder(open_backbone(run, config.device, config.precision), study.stimuli, config.batch_size)
    if frozen is not None and config.transform is not None:
        embedder.reuse(frozen)
    tuned = embedder.embed(run)
    tuned.save(folder.embeddings("tuned"))
    if config.evaluation.center:
        ids = study.stimuli.ids
        folder.write_center(tuned, [ids[i] for i in np.flatnonzero(study.stimuli.train)])
    return tuned


def _train_with_progress(
    trainer: Trainer, name: str, report: Callable[[EpochRecord], None] | None
) -> LoopState:
    with progress_bar() as bar:
        task = bar.add_task(name, total=trainer.epochs)

        def show(record: EpochRecord) -> None:
            parts = {
                "loss": record.loss,
                "local": record.local,
                "rsa": record.rsa,
                "val": trainer.state.best_value,
            }
            text = "  ".join(f"{name} {value:.3f}" for name, value in parts.items() if value is not None)
            bar.update(task, completed=record.epoch + 1, note=text)
            if report is not None:
                report(record)

        return trainer.run(show)
