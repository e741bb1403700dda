"""Cross-validated training: every stimulus held out once, in a run folder a fold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bgs._files import write_json
from bgs._typing import Float, Int
from bgs.cli._show import console, table
from bgs.cli._study import Study, load_study
from bgs.cli.train import embed_both, fit
from bgs.embeddings import Embeddings
from bgs.evaluation import Metric, model_rdm
from bgs.evaluation.folds import HeldOutFold, pooled_rsa
from bgs.judgments import split_folds
from bgs.training import RunFolder

if TYPE_CHECKING:
    from bgs.training import TrainingConfig


@dataclass(frozen=True)
class FoldsResult:
    """Held-out RSA pooled over folds and repeats: base, tuned, their paired difference, and each fold's own."""

    base: Metric
    tuned: Metric
    difference: Metric
    folds: list[dict[str, Any]]
    provenance: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        metrics = {name: getattr(self, name).to_json() for name in ("base", "tuned", "difference")}
        return {
            "protocol": "cross-validation",
            "metrics": metrics,
            "folds": self.folds,
            "provenance": self.provenance,
        }


def run_folds(
    config: TrainingConfig, out: str | Path, *, resume: bool = False, mirror: Path | None = None
) -> FoldsResult:
    """Train a run for every fold of every repeat, in ``out/repeat-R/fold-K``, and pool what was held out.

    Interrupted, it goes on with ``resume``; finished folds are kept.

    Raises:
        BgsError: bad configuration, data or folder.
    """
    assert config.cross_validation is not None
    whole = RunFolder(out)
    study = load_study(config, mirror)
    split_folds(len(study.stimuli), config.cross_validation.folds, config.seed)  # impossible ones fail here
    whole.open(config, resume)
    held: list[HeldOutFold] = []
    for repeat in range(config.cross_validation.repeats):
        seeded = config.model_copy(update={"seed": config.seed + repeat, "cross_validation": None})
        study = load_study(seeded, mirror)
        parts = split_folds(len(study.stimuli), config.cross_validation.folds, seeded.seed)
        for number, positions in enumerate(parts):
            folder = RunFolder(whole.path / f"repeat-{repeat}" / f"fold-{number}")
            held.append(_fold(seeded, study, positions, folder))
    result = _pool(config, study, held)
    write_json(whole.evaluation, result.to_json())
    return result


def _fold(
    config: TrainingConfig, study: Study, positions: Int[np.ndarray, " m"], folder: RunFolder
) -> HeldOutFold:
    names = ["test" if i in set(positions.tolist()) else "train" for i in range(len(study.stimuli))]
    study = replace(study, stimuli=replace(study.stimuli, split=tuple(names)))
    if folder.embeddings("tuned").is_file():
        models = tuple(Embeddings.load(folder.embeddings(which)) for which in ("base", "tuned"))
    else:
        fit(config, study, folder, resume=folder.config.is_file())
        models = embed_both(config, study, folder)
    human = study.human(positions, among=np.arange(len(study.stimuli)))
    rdms = np.stack([_held_out_rdm(config, study, model, positions) for model in models])
    return HeldOutFold(positions, human, rdms)


def _held_out_rdm(
    config: TrainingConfig, study: Study, model: Embeddings, positions: Int[np.ndarray, " m"]
) -> Float[np.ndarray, "m m"]:
    values = model.select(study.stimuli.ids).values
    center = values[study.stimuli.train].mean(axis=0) if config.evaluation.center else None
    return model_rdm(values[positions], config.evaluation.distance, center)


def _pool(config: TrainingConfig, study: Study, held: list[HeldOutFold]) -> FoldsResult:
    n, resamples = len(study.stimuli), config.evaluation.resamples
    (base, tuned), (difference,) = pooled_rsa(held, n, resamples=resamples, seed=config.seed)
    each = []
    for number, fold in enumerate(held):
        metrics, _ = pooled_rsa([fold], n, resamples=1)
        assert config.cross_validation is not None
        repeat, k = divmod(number, config.cross_validation.folds)
        each.append({"repeat": repeat, "fold": k, "base": metrics[0].value, "tuned": metrics[1].value})
    about = study.about(config) | {
        "n_clips": n,
        "resamples": resamples,
        "config": config.model_dump(mode="json"),
    }
    return FoldsResult(base, tuned, difference, each, about)


def print_folds(result: FoldsResult) -> None:
    """Print the pooled figures and each repeat's mean."""
    out, settings = console(), result.provenance["config"]["cross_validation"]
    rows = [
        (name, f"{metric.value:+.3f}", f"{metric.low:+.3f} to {metric.high:+.3f}", f"{metric.n:,}")
        for name, metric in (
            ("base", result.base),
            ("tuned", result.tuned),
            ("tuned − base", result.difference),
        )
    ]
    title = f"Held-out RSA, Spearman: {settings['folds']} folds × {settings['repeats']} repeats"
    out.print(table(title, ("", "value", "95 % interval", "n"), rows, numbers=(1, 2, 3)))
    for repeat in range(settings["repeats"]):
        own = [fold for fold in result.folds if fold["repeat"] == repeat]
        means = {name: np.mean([fold[name] for fold in own]) for name in ("base", "tuned")}
        out.print(f"repeat {repeat}: base {means['base']:+.3f}, tuned {means['tuned']:+.3f}")
    out.print(
        f"Intervals resample {result.provenance['n_clips']} clips; n counts held-out pairs over folds and repeats."
    )
