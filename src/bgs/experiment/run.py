"""One training run: fit, embed base and tuned, evaluate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bgs._files import write_json
from bgs._lock import locked_folder
from bgs.backbones import save_adapter
from bgs.embeddings import Embeddings
from bgs.evaluation import Result, evaluate
from bgs.experiment.embedder import embed_stimuli
from bgs.experiment.progress import progress_bar
from bgs.experiment.study import Study, load_study
from bgs.experiment.trainer import new_backbone, new_trainer
from bgs.training import EpochRecord, RunFolder, Trainer, TrainingConfig


def run_training(
    config: TrainingConfig, out: str | Path, *, resume: bool = False, mirror: Path | None = None
) -> list[Result]:
    """Train, save the adapter, and evaluate base and tuned embeddings, one result a protocol.

    Test stimuli are first looked at after the adapter has been saved.

    Raises:
        BgsError: bad configuration, data or folder; nothing is written before these are checked.
    """
    folder = RunFolder(out)
    folder.check(config, resume)
    study = load_study(config, mirror)
    with locked_folder(folder.path):
        return _run(config, study, folder, resume)


def _run(config: TrainingConfig, study: Study, folder: RunFolder, resume: bool) -> list[Result]:
    settings = config.evaluation
    fit(config, study, folder, resume)
    base, tuned = embed_both(config, study, folder)
    results = [
        evaluate(
            tuned, study.stimuli, study.trials, protocol=protocol, distance=settings.distance, center=settings.center,
            against=base, permutations=settings.permutations, seed=config.seed,
            provenance=study.about(config),
        )
        for protocol in settings.protocols
    ]  # fmt: skip
    write_json(folder.evaluation, {result.protocol: result.to_json() for result in results})
    return results


def fit(
    config: TrainingConfig,
    study: Study,
    folder: RunFolder,
    resume: bool,
    report: Callable[[EpochRecord], None] | None = None,
) -> None:
    """Train in a run folder and save the adapter there; ``report`` is called after every epoch."""
    backbone = new_backbone(config)
    trainer = new_trainer(config, backbone, study, folder)
    folder.open(config, resume)
    folder.write_provenance(study.about(config))
    _train_with_progress(trainer, resume, report)
    save_adapter(backbone, config.lora, folder.adapter)


def embed_both(config: TrainingConfig, study: Study, folder: RunFolder) -> tuple[Embeddings, Embeddings]:
    """Base and tuned, both kept in the run folder."""
    base = embed_base(config, study)
    base.save(folder.embeddings("base"))
    return base, embed_tuned(config, study, folder)


def embed_base(config: TrainingConfig, study: Study) -> Embeddings:
    """What the model makes of all stimuli before it is trained."""
    return embed_stimuli(config.reference, study.stimuli, config.micro_batch, config.device, config.precision)


def embed_tuned(config: TrainingConfig, study: Study, folder: RunFolder) -> Embeddings:
    """The same after training, loaded anew from what is on disk, so that what is measured is what was saved."""
    run = f"run:{folder.path}"
    tuned = embed_stimuli(run, study.stimuli, config.micro_batch, config.device, config.precision)
    tuned.save(folder.embeddings("tuned"))
    return tuned


def _train_with_progress(
    trainer: Trainer, resume: bool, report: Callable[[EpochRecord], None] | None
) -> None:
    with progress_bar() as bar:
        task = bar.add_task("training", total=trainer.config.epochs)

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

        trainer.run(resume=resume, report=show)
