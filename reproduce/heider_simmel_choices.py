"""From choices to choices: encoders tuned on the choices themselves, by cross-validation over the 54 clips."""

from __future__ import annotations

from pathlib import Path

from heider_simmel_verbs import VERBS

from bgs._files import read_json
from bgs.evaluation import Metric
from bgs.experiments.conditions import Condition
from bgs.runs.cross_validation import CrossValidation, cross_validate
from bgs.runs.run_folder import RunFolder
from bgs.training import TrainingConfig, load_config

CHOICES, RUNS = Path(__file__).parents[1] / "configs/heider-simmel-choices.yaml", Path("runs/heider-simmel")
VIT = "features:runs/heider-simmel/vit-16.safetensors"


def from_choices() -> dict[str, CrossValidation]:
    """Encoders tuned on the choices themselves, frozen or already tuned on the verbs (a linear transform has no seed)."""

    def on_verbs(condition: Condition, seed: str) -> str:
        return f"model=features:{VERBS}/cells/tiny-videomae/{condition}/seed-{seed}/tuned.safetensors"

    adapted = ["transform=null", "lora={rank: 8, alpha: 8, layers: all}", "epochs=40", "micro_batch=64"]
    rate = [
        "optimizer.learning_rate=0.01",
        "optimizer.weight_decay=0.01",
        "optimizer.warmup=3",
        "validation.fraction=0",
    ]
    wanted = {
        "pixels, linear transform": ["model=pixels:grey"],
        "motion, linear transform": ["model=motion:energy"],
        "tiny-videomae, linear transform": ["model=tiny-videomae"],
        "tiny-videomae, LoRA": ["model=tiny-videomae", *adapted, *rate],
        "vit, linear transform": [f"model={VIT}"],
        "tiny-videomae, verbs (linear transform), then choices": [on_verbs(Condition.TRANSFORM_ONLY, "0")],
        "tiny-videomae, verbs (LoRA), then choices": [on_verbs(Condition.HYBRID, "{seed}")],
    }
    return {name: pooled(load_config(CHOICES, keys), RUNS / slug(name)) for name, keys in wanted.items()}


def pooled(config: TrainingConfig, out: Path) -> CrossValidation:
    """The result of a cross-validation: what it recorded if it is finished, whichever version of bgs ran it."""
    folder = RunFolder(out)
    folder.check(config)
    if not folder.evaluation.is_file():
        return cross_validate(config, out)
    found = read_json(folder.evaluation)
    metrics = {name: Metric.from_json(value) for name, value in found["metrics"].items()}
    return CrossValidation(**metrics, folds=found["folds"], provenance=found["provenance"])


def slug(name: str) -> str:
    """A name as a folder."""
    return "".join(c if c.isalnum() else "-" for c in name).strip("-").replace("--", "-")
