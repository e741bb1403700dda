"""From choices to choices: encoders tuned on the choices themselves, by cross-validation over the 54 clips."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heider_simmel_grid import EXPERIMENTS, ROOT

from bgs._codec import JsonDataclass
from bgs._files import read_json
from bgs._progress import note
from bgs.evaluation import Metric
from bgs.experiments.conditions import Condition
from bgs.runs.cross_validation import cross_validate
from bgs.runs.run_folder import RunFolder
from bgs.training import TrainingConfig, load_config

CHOICES, RUNS = ROOT / "configs/heider-simmel-choices.yaml", Path("runs/heider-simmel")
_FEATURES = "features:"


@dataclass(frozen=True)
class Wanted:
    """A cross-validation: its folder, the encoder, what is done to it, and settings."""

    folder: str
    encoder: str
    state: str
    settings: tuple[str, ...]


@dataclass(frozen=True)
class Choice(JsonDataclass):
    """Its result: agreement on held-out clips, pooled over folds and repeats; ``before`` is without the choices."""

    encoder: str
    state: str
    before: Metric
    tuned: Metric
    difference: Metric
    folds: list[dict[str, Any]]
    provenance: dict[str, Any]


def _on_verbs(condition: Condition, seed: str) -> str:
    cell = EXPERIMENTS / f"heider-simmel-verbs/cells/tiny-videomae/{condition}/seed-{seed}"
    return f"model={_FEATURES}{cell}/tuned.safetensors"


_LORA = (
    "model=tiny-videomae", "transform=null", "lora={rank: 8, alpha: 8, layers: all}", "epochs=40", "micro_batch=64",
    "optimizer.learning_rate=0.01", "optimizer.weight_decay=0.01", "optimizer.warmup=3", "validation.fraction=0",
)  # fmt: skip
#: Folders are named after what was run; "verbs (linear transform)" starts from seed 0.
WANTED = (
    Wanted("pixels-linear-transform", "pixels", "linear transform", ("model=pixels:grey",)),
    Wanted("motion-linear-transform", "motion", "linear transform", ("model=motion:energy",)),
    Wanted("tiny-videomae-linear-transform", "tiny-videomae", "linear transform", ("model=tiny-videomae",)),
    Wanted("tiny-videomae-LoRA", "tiny-videomae", "LoRA", _LORA),
    Wanted("vit-linear-transform", "vit-16", "linear transform", (f"model={_FEATURES}{RUNS}/vit-16.safetensors",)),
    Wanted("tiny-videomae-verbs-linear-transform--then-choices", "tiny-videomae",
           "verbs (linear transform), then choices", (_on_verbs(Condition.TRANSFORM_ONLY, "0"),)),
    Wanted("tiny-videomae-verbs-LoRA--then-choices", "tiny-videomae",
           "verbs (LoRA), then choices", (_on_verbs(Condition.HYBRID, "{seed}"),)),
)  # fmt: skip


def from_choices(kept: Collection[tuple[str, str]] = ()) -> list[Choice]:
    """Every cross-validation that is finished or can be run; a note names those whose embeddings are not here.

    Args:
        kept: (encoder, state) of those that are known and not run again.
    """
    return list(_all_choices(kept))


def _all_choices(kept: Collection[tuple[str, str]]) -> Iterator[Choice]:
    for one in WANTED:
        config, folder = load_config(CHOICES, list(one.settings)), RunFolder(RUNS / one.folder)
        if not folder.evaluation.is_file():
            if (one.encoder, one.state) in kept:
                continue
            if lacking := _lacking(config):
                note(f"{folder.path}: left out, {lacking} is missing")
                continue
            cross_validate(config, folder.path)
        yield _recorded(one, config, folder)


def _lacking(config: TrainingConfig) -> str | None:
    """The first file of embeddings that is not here."""
    if not config.model.startswith(_FEATURES) or config.cross_validation is None:
        return None
    seeds = range(config.seed, config.seed + config.cross_validation.repeats)
    files = [config.model.removeprefix(_FEATURES).replace("{seed}", str(seed)) for seed in seeds]
    return next((name for name in files if not Path(name).is_file()), None)


def _recorded(one: Wanted, config: TrainingConfig, folder: RunFolder) -> Choice:
    """What a finished cross-validation recorded, whichever version of bgs ran it."""
    folder.check(config)
    found = read_json(folder.evaluation)
    base, tuned, difference = (
        Metric.from_json(found["metrics"][name]) for name in ("base", "tuned", "difference")
    )
    return Choice(one.encoder, one.state, base, tuned, difference, found["folds"], found["provenance"])
