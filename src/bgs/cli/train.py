"""`bgs train`: from a configuration to a run folder with an adapter and its evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bgs.cli._study import Study
    from bgs.embeddings import Embeddings
    from bgs.evaluation import Result
    from bgs.training import RunFolder, Trainer, TrainingConfig

EXAMPLE = "Example: bgs train configs/garcia-isik-2025-minilm.yaml --out runs/minilm --set seed=1"


def train(
    config: Annotated[Path, typer.Argument(help="YAML configuration; see configs/.")],
    out: Annotated[Path, typer.Option(help="Run folder to write; must be new unless --resume.")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Override a key: optimizer.learning_rate=1e-4.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was interrupted.")] = False,
    mirror: Annotated[
        Path | None, typer.Option(help="Folder with a mirror of the authors' repositories.")
    ] = None,
) -> None:
    """Tune an encoder on human judgments; measure base and tuned on held-out clips."""
    from bgs.cli._quiet import quiet_libraries

    quiet_libraries()
    from bgs.cli._folds import print_folds, run_folds
    from bgs.cli.evaluate import print_results
    from bgs.training import load_config

    settings = load_config(config, set_ or ())
    if settings.cross_validation is not None:
        print_folds(run_folds(settings, out, resume=resume, mirror=mirror))
        return
    for result in run_training(settings, out, resume=resume, mirror=mirror):
        print_results(result, names=("tuned", "base"))
    typer.echo(f"Run folder: {out}. Embed with it: bgs embed --model run:{out} --data … --out …")


def run_training(
    config: TrainingConfig, out: str | Path, *, resume: bool = False, mirror: Path | None = None
) -> list[Result]:
    """Train, save the adapter, and evaluate base and tuned embeddings, one result a protocol.

    Test stimuli are first looked at after the adapter has been saved.

    Raises:
        BgsError: bad configuration, data or folder; nothing is written before these are checked.
    """
    from bgs._files import write_json
    from bgs.cli._study import load_study
    from bgs.evaluation import evaluate
    from bgs.training import RunFolder

    study, folder, settings = load_study(config, mirror), RunFolder(out), config.evaluation
    fit(config, study, folder, resume)
    base, tuned = embed_both(config, study, folder)
    results = [
        evaluate(
            tuned, study.stimuli, study.trials, protocol=protocol, distance=settings.distance, center=settings.center,
            against=base, resamples=settings.resamples, permutations=settings.permutations, seed=config.seed,
            provenance=study.about(config),
        )
        for protocol in settings.protocols
    ]  # fmt: skip
    write_json(folder.evaluation, {result.protocol: result.to_json() for result in results})
    return results


def fit(config: TrainingConfig, study: Study, folder: RunFolder, resume: bool) -> None:
    """Train in a run folder and save the adapter there."""
    from bgs.backbones import save_adapter
    from bgs.cli._training import new_backbone, new_trainer

    backbone = new_backbone(config)
    trainer = new_trainer(config, backbone, study, folder)
    folder.open(config, resume)
    folder.write_provenance(study.about(config))
    _train_with_progress(trainer, resume)
    save_adapter(backbone, config.lora, folder.adapter)


def embed_both(config: TrainingConfig, study: Study, folder: RunFolder) -> tuple[Embeddings, Embeddings]:
    """Base and tuned, each loaded anew from what is on disk, so that what is measured is what was saved."""
    from bgs.cli.embed import embed_stimuli

    found = []
    for name, model in (("base", config.reference), ("tuned", f"run:{folder.path}")):
        vectors = embed_stimuli(model, study.stimuli, config.micro_batch, config.device, config.precision)
        vectors.save(folder.embeddings(name))
        found.append(vectors)
    return found[0], found[1]


def _train_with_progress(trainer: Trainer, resume: bool) -> None:
    from bgs.cli._progress import progress_bar
    from bgs.training import EpochRecord

    with progress_bar("loss") as bar:
        task = bar.add_task("training", total=trainer.config.epochs, loss="")

        def report(record: EpochRecord) -> None:
            parts = {
                "loss": record.loss,
                "local": record.local,
                "rsa": record.rsa,
                "val": trainer.state.best_value,
            }
            text = "  ".join(f"{name} {value:.3f}" for name, value in parts.items() if value is not None)
            bar.update(task, completed=record.epoch + 1, loss=text)

        trainer.run(resume=resume, report=report)
