"""`bgs train`: from a configuration to a run folder with an adapter and its evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from bgs.backbones import Backbone, Inputs
    from bgs.datasets import Dataset
    from bgs.evaluation import Result
    from bgs.judgments import Trials
    from bgs.stimuli import StimulusSet
    from bgs.training import RunFolder, Trainer, TrainingConfig
    from bgs.training.loop import Validation

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
    from bgs.cli.evaluate import print_results
    from bgs.training import load_config

    results = run_training(load_config(config, set_ or ()), out, resume=resume, mirror=mirror)
    for result in results:
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
    from bgs._errors import DataError
    from bgs.backbones import save_adapter
    from bgs.datasets import load_dataset
    from bgs.training import RunFolder

    dataset = load_dataset(config.data, mirror=mirror)
    if dataset.trials is None:
        raise DataError(
            "nothing to train on: this data set has no trials",
            where=config.data,
            expected="odd-one-out trials",
        )
    backbone = _new_backbone(config)
    folder = RunFolder(out)
    trainer = _trainer(config, backbone, dataset, dataset.trials, folder)
    folder.open(config, resume)
    folder.write_provenance(_about(config, dataset))
    _train_with_progress(trainer, resume)
    save_adapter(backbone, config.lora, folder.adapter)
    return _evaluate(config, dataset, dataset.trials, folder)


def _new_backbone(config: TrainingConfig) -> Backbone:
    from bgs.backbones import attach_lora, load_backbone
    from bgs.backbones.lora import new_head
    from bgs.cli._embedder import resolve_device

    backbone = load_backbone(config.model)
    head = (
        new_head(backbone.spec.width, config.head.dim, config.head.dropout, config.seed)
        if config.head
        else None
    )
    attach_lora(backbone, config.lora, head, config.seed)
    backbone.to(resolve_device(config.device))
    backbone.precision = config.precision
    if config.gradient_checkpointing:
        backbone.checkpoint_gradients()
    return backbone


def _trainer(
    config: TrainingConfig, backbone: Backbone, dataset: Dataset, trials: Trials, folder: RunFolder
) -> Trainer:
    import numpy as np

    from bgs.judgments import Geometry, split_validation
    from bgs.training import Trainer

    optimise, validate = split_validation(dataset.stimuli.train, config.validation.fraction, config.seed)
    seen = np.sort(np.concatenate([optimise, validate]))
    inputs = _inputs(config, backbone, dataset.stimuli.subset(seen))
    geometry = Geometry.from_trials(trials, optimise)
    method = _method(config, backbone, inputs, geometry, np.searchsorted(seen, optimise))
    validation = _validation(config, trials, seen, optimise, validate) if len(validate) else None
    return Trainer(config, backbone, inputs, method, validation, folder)


def _inputs(config: TrainingConfig, backbone: Backbone, stimuli: StimulusSet) -> Inputs:
    """What is encoded in each update: captions or clips, or the output of the blocks that stay frozen."""
    from bgs.backbones.lora import share_trainable
    from bgs.cli._embedder import prepare, print_notes
    from bgs.cli._progress import progress_bar

    inputs, _ = prepare(backbone, stimuli)
    if config.lora is not None:
        with progress_bar() as bar:
            task = bar.add_task("frozen blocks", total=len(inputs.owner), visible=config.lora.layers != "all")
            inputs = backbone.cache_trunk(
                inputs, config.lora.layers, config.micro_batch, lambda done: bar.advance(task, done)
            )
    print_notes(backbone)
    trained, total = share_trainable(backbone)
    typer.echo(f"{trained:,} of {total:,} parameters are trained ({trained / total:.2%})", err=True)
    return inputs


def _method(config: TrainingConfig, backbone: Backbone, inputs: Inputs, geometry: Any, positions: Any) -> Any:
    from bgs.objective import HybridObjective
    from bgs.training import FullGeometry, PerTrial, target_of

    shared = {
        "backbone": backbone,
        "inputs": inputs,
        "positions": positions,
        "target": target_of(geometry).to(backbone.device),
        "objective": HybridObjective(config.objective),
        "views": config.views,
        "seed": config.seed,
    }
    if config.gradient == "per-trial":
        return PerTrial(**shared, settings=config.per_trial)
    return FullGeometry(**shared, micro_batch=config.micro_batch, keep_graphs=config.keep_graphs)


def _validation(
    config: TrainingConfig, trials: Trials, seen: Any, optimise: Any, validate: Any
) -> Validation:
    """RSA over the pairs of validation clips, from judgments among training clips only, measured as in the end."""
    import numpy as np

    from bgs.evaluation import validation_rsa
    from bgs.judgments import PairCounts, human_rdm
    from bgs.training.loop import Validation

    mask = np.zeros(trials.n_stimuli, dtype=bool)
    mask[seen] = True
    human = human_rdm(PairCounts.from_trials(trials.within(mask)).subset(validate))
    inside, settings = np.isin(seen, validate), config.evaluation

    def measure(values: Any) -> float:
        if not settings.center:
            return validation_rsa(values, human, settings.distance)
        return validation_rsa(values[inside] - values[~inside].mean(axis=0), human, settings.distance)

    watched = np.arange(len(seen)) if settings.center else np.flatnonzero(inside)
    return Validation(watched, measure)


def _about(config: TrainingConfig, dataset: Dataset) -> dict[str, Any]:
    from bgs.cli._provenance import provenance

    return provenance(
        model=config.model, seed=config.seed, data=dataset.name, data_hashes=dict(dataset.hashes)
    )


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


def _evaluate(config: TrainingConfig, dataset: Dataset, trials: Trials, folder: RunFolder) -> list[Result]:
    """Base and tuned, each loaded anew from what is on disk, so that what is measured is what was saved."""
    from bgs._files import write_json
    from bgs.cli.embed import embed_stimuli
    from bgs.evaluation import evaluate

    base = embed_stimuli(config.model, dataset.stimuli, config.micro_batch, config.device, config.precision)
    base.save(folder.embeddings("base"))
    tuned = embed_stimuli(
        f"run:{folder.path}", dataset.stimuli, config.micro_batch, config.device, config.precision
    )
    tuned.save(folder.embeddings("tuned"))
    settings = config.evaluation
    results = [
        evaluate(
            tuned, dataset.stimuli, trials, protocol=protocol, distance=settings.distance, center=settings.center,
            against=base, resamples=settings.resamples, permutations=settings.permutations, seed=config.seed,
            provenance=_about(config, dataset),
        )
        for protocol in settings.protocols
    ]  # fmt: skip
    write_json(folder.evaluation, {result.protocol: result.to_json() for result in results})
    return results
