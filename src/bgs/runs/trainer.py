"""Builds the trainer of a run from its configuration and study."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bgs._errors import ConfigError
from bgs._progress import note, progress_bar
from bgs._scale import mean_of_rows
from bgs._typing import Float
from bgs.backbones import Backbone, Inputs, ProjectionHead, attach_lora, load_backbone
from bgs.backbones.known_features import KnownFeatures
from bgs.backbones.lora import new_head, share_trainable
from bgs.backbones.transform import Transform, new_transform
from bgs.embeddings import Embeddings
from bgs.evaluation import pair_vector, validation_rsa
from bgs.objective import HybridObjective
from bgs.runs.embedder import placed
from bgs.runs.pull import with_best_pull
from bgs.runs.study import Study
from bgs.stimuli import StimulusSet
from bgs.training import FullGeometry, PerTrial, Trainer, TrainingConfig, TrainingLog, target_of
from bgs.training.checkpoint import LoopState
from bgs.training.loop import Validation

#: Minimum number of observed pairs for a useful validation RSA: 190, those of 20 clips, give a Spearman
#: correlation a standard error of 1/√189 = .073, about as large as the gain from tuning (.06 to .07 on the real judgments).
FEW_PAIRS = 190


def new_backbone(config: TrainingConfig) -> Backbone:
    """The model of a configuration, with newly initialised adapters and head, on its device."""
    backbone = load_backbone(config.reference)
    attach_lora(backbone, config.lora, _new_head(config, backbone.spec.width), config.seed)
    placed(backbone, config.device, config.precision)
    if config.gradient_checkpointing:
        backbone.checkpoint_gradients()
    return backbone


def _new_head(config: TrainingConfig, width: int) -> ProjectionHead | Transform | None:
    if config.transform is not None:
        return new_transform(width, config.transform, config.seed)
    return new_head(width, config.head.dim, config.head.dropout, config.seed) if config.head else None


def new_trainer(
    config: TrainingConfig,
    backbone: Backbone,
    study: Study,
    log: TrainingLog | None,
    replay: Sequence[float] = (),
    frozen: Embeddings | None = None,
) -> Trainer:
    """A trainer over the study's training stimuli; no test data are read.

    With ``replay``, the plateau factors of the epochs of an earlier run, it trains on all training stimuli for as many epochs.
    ``frozen``, embeddings of the training stimuli by the model before training, saves a transform computing them.
    """
    study.to_train(config)  # too few are refused before anything is prepared
    stimuli = study.stimuli.subset(np.flatnonzero(study.stimuli.train))
    inputs = _inputs(config, backbone, stimuli)
    if config.transform is not None:
        inputs = _known(
            config, backbone, inputs, None if frozen is None else frozen.select(stimuli.ids).values
        )
        if config.transform.pull is None:
            config = with_best_pull(config, lambda tried: _restarted(tried, backbone, study, inputs))
            _restart(config, backbone)
    return _trainer(config, backbone, study, inputs, log, replay)


def _restarted(config: TrainingConfig, backbone: Backbone, study: Study, inputs: Inputs) -> Trainer:
    """A trainer of a new transform, of which nothing is kept on disk."""
    _restart(config, backbone)
    return _trainer(config, backbone, study, inputs, None, ())


def _restart(config: TrainingConfig, backbone: Backbone) -> None:
    device = backbone.device
    backbone.head = _new_head(config, backbone.spec.width)
    backbone.to(device)


def _trainer(
    config: TrainingConfig,
    backbone: Backbone,
    study: Study,
    inputs: Inputs,
    log: TrainingLog | None,
    replay: Sequence[float],
) -> Trainer:
    optimise, validate = study.to_train(config)
    seen = np.flatnonzero(study.stimuli.train)
    if replay:
        optimise, validate = seen, validate[:0]
    if isinstance(inputs, KnownFeatures) and isinstance(backbone.head, Transform):
        backbone.head.standardise(inputs.of_positions(np.searchsorted(seen, optimise)))
    geometry = study.geometry(optimise, config.objective.target)
    method = _method(config, backbone, inputs, geometry, np.searchsorted(seen, optimise))
    validation = _validation(config, study, seen, validate) if len(validate) else None
    if backbone.spec.family == "lookup":
        note("a lookup table cannot generalise to new clips: no validation, the last epoch is kept")
    names = [study.stimuli.ids[position] for position in seen]
    return Trainer(config, backbone, inputs, method, validation, log, replay, names)


def new_refit(
    config: TrainingConfig,
    study: Study,
    log: TrainingLog | None,
    chosen: LoopState,
    frozen: Embeddings | None = None,
) -> Trainer:
    """A trainer, with a fresh backbone, that repeats on all training clips the epochs that validation chose.

    Args:
        config: of the first trainer.
        study: its study.
        log: of the second training.
        chosen: how the first one ended.
        frozen: see :func:`new_trainer`.
    """
    assert chosen.best_epoch is not None
    replay = chosen.rate_factors[: chosen.best_epoch + 1]
    return new_trainer(config, new_backbone(config), study, log, replay, frozen)


def _inputs(config: TrainingConfig, backbone: Backbone, stimuli: StimulusSet) -> Inputs:
    """The input of each update: captions or clips, or the output of the frozen blocks."""
    inputs = backbone.prepare(stimuli)
    if config.lora is not None:
        with progress_bar() as bar:
            task = bar.add_task("frozen blocks", total=len(inputs.owner), visible=config.lora.layers != "all")
            inputs = backbone.cache_trunk(
                inputs, config.lora.layers, config.batch_size, lambda done: bar.advance(task, done)
            )
    trained, total = share_trainable(backbone)
    share = f"{trained:,} of {total:,} parameters are trained ({trained / total:.2%})"
    note(*backbone.notes, share)
    return inputs


def _known(
    config: TrainingConfig, backbone: Backbone, inputs: Inputs, frozen: Float[np.ndarray, "n d"] | None
) -> KnownFeatures:
    """What a transform is trained on: the frozen model's embeddings, computed once."""
    with progress_bar() as bar:
        task = bar.add_task("frozen model", total=len(inputs.owner))
        return KnownFeatures.of(
            backbone, inputs, config.batch_size, lambda done: bar.advance(task, done), frozen
        )


def _method(config: TrainingConfig, backbone: Backbone, inputs: Inputs, geometry: Any, positions: Any) -> Any:
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
    if isinstance(
        inputs, KnownFeatures
    ):  # no network to run: the graph of all units is small, and no unit is encoded twice
        shared |= {"micro_batch": len(inputs.owner), "keep_graphs": 0}
    else:
        shared |= {"micro_batch": config.batch_size, "keep_graphs": config.keep_graphs}
    return FullGeometry(**shared, clips_per_update=config.clips_per_update)


def require_validation(config: TrainingConfig, study: Study) -> None:
    """Refuse a study on which training could not be validated; nothing is loaded.

    Raises:
        ConfigError: validation clips, of which there are to be some, have fewer than two distinct dissimilarities.
    """
    _, validate = study.to_train(config)
    if len(validate):
        _require_varied(study.validation_target(validate, among=np.flatnonzero(study.stimuli.train)))


def _validation(config: TrainingConfig, study: Study, seen: Any, validate: Any) -> Validation:
    """RSA over the pairs of validation clips, from judgments among training clips only, measured as in the evaluation."""
    target = study.validation_target(validate, among=seen)
    _tell_few(_require_varied(target), target)
    inside, settings = np.isin(seen, validate), config.evaluation
    watched = np.arange(len(seen)) if settings.center else np.flatnonzero(inside)

    def measure(values: Any) -> float:
        if not settings.center:
            return validation_rsa(values, target, settings.distance)
        return validation_rsa(values[inside], target, settings.distance, center=mean_of_rows(values[~inside]))

    return Validation(watched, measure)


def _require_varied(target: Float[np.ndarray, "m m"]) -> Float[np.ndarray, " p"]:
    """The known dissimilarities, which differ.

    Raises:
        ConfigError: there are fewer than two distinct values.
    """
    pairs = pair_vector(target)
    known: Float[np.ndarray, " p"] = pairs[np.isfinite(pairs)]
    if len(np.unique(known)) < 2:
        raise ConfigError(
            "nothing to validate on", where="validation.fraction", expected="dissimilarities that differ",
            got=_among(known, target), hint="validate on more clips, or use 0 for none",
        )  # fmt: skip
    return known


def _among(known: Float[np.ndarray, " p"], target: Float[np.ndarray, "m m"]) -> str:
    return f"{len(known)} observed pairs among {len(target)} clips"


def _tell_few(known: Float[np.ndarray, " p"], target: Float[np.ndarray, "m m"]) -> None:
    if len(known) < FEW_PAIRS:
        note(
            f"validation uses {_among(known, target)}: a correlation over so few has a standard error of about "
            f"{(len(known) - 1) ** -0.5:.2f}. Below {FEW_PAIRS} pairs (20 clips), that is more than tuning is likely to "
            "gain, so what is chosen by it, epoch or pull, is chosen by noise: validation.fraction: 0 keeps the last epoch, "
            "and transform.pull can be given"
        )
