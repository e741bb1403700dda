"""Cross-validated training: every stimulus is held out once; one run folder per fold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bgs._files import write_json
from bgs._lock import locked_folder
from bgs._typing import Int
from bgs.backbones.processes import Processes, require_alone
from bgs.datasets import Dataset
from bgs.embeddings import Embeddings
from bgs.evaluation import Metric
from bgs.evaluation.folds import HeldOutFold, pooled_rsa
from bgs.judgments import split_folds
from bgs.runs.centred_distances import distances
from bgs.runs.fitting import embed_base, embed_tuned, fit
from bgs.runs.run_folder import RunFolder
from bgs.runs.settling import settled
from bgs.runs.study import Study, load_study, new_study
from bgs.runs.trainer import require_validation
from bgs.training import TrainingConfig


@dataclass(frozen=True)
class CrossValidation:
    """Held-out RSA pooled over folds and repeats: base, tuned, their paired difference, and the values of each fold."""

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


def cross_validate(
    config: TrainingConfig,
    out: str | Path,
    *,
    mirror: str | Path | None = None,
    dataset: Dataset | None = None,
) -> CrossValidation:
    """Train a run for every fold of every repeat, in ``out/repeat-R/fold-K``, and pool the held-out results.

    Calling it again resumes an interrupted cross-validation; finished folds are kept.

    Raises:
        BgsError: invalid configuration, data or folder.
    """
    assert config.cross_validation is not None
    require_alone("folds are trained", "start `bgs train` without a launcher")
    whole = RunFolder(out)
    whole.check(config)
    study = load_study(config, mirror, dataset)
    folds = [*_folds(config, study)]
    for fold in folds:  # before the first is trained
        require_validation(fold.config, fold.study)
    whole.require_origin(study.origin())
    with locked_folder(whole.path):
        config = settled(config, folds[0].study, whole, Processes())
        whole.open(config)
        if not whole.provenance.is_file():
            whole.write_provenance({**study.about(config), "origin": study.origin()})
        folds = [replace(fold, config=_with_micro_batch(fold.config, config)) for fold in folds]
        return _all_folds(config, study, folds, whole)


@dataclass(frozen=True)
class _Fold:
    """One training: its configuration, the study with the stimuli at ``positions`` held out, and its folder within the whole."""

    config: TrainingConfig
    study: Study
    positions: Int[np.ndarray, " m"]
    folder: Path


def _folds(config: TrainingConfig, study: Study) -> Iterator[_Fold]:
    """Every fold of every repeat, in turn."""
    assert config.cross_validation is not None
    for repeat in range(config.cross_validation.repeats):
        seeded = config.model_copy(update={"seed": config.seed + repeat, "cross_validation": None})
        study = new_study(seeded, study.dataset)
        parts = split_folds(len(study.stimuli), config.cross_validation.folds, seeded.seed)
        for number, positions in enumerate(parts):
            yield _Fold(
                seeded, _held_out(study, positions), positions, Path(f"repeat-{repeat}") / f"fold-{number}"
            )


def _with_micro_batch(config: TrainingConfig, settled: TrainingConfig) -> TrainingConfig:
    return config.model_copy(update={"micro_batch": settled.micro_batch})


def _all_folds(
    config: TrainingConfig, study: Study, folds: Sequence[_Fold], whole: RunFolder
) -> CrossValidation:
    bases: dict[str, Embeddings] = {}
    held = [_measured(fold, RunFolder(whole.path / fold.folder), bases) for fold in folds]
    result = _pool(config, study, held)
    write_json(whole.evaluation, result.to_json())
    return result


def _measured(fold: _Fold, folder: RunFolder, bases: dict[str, Embeddings]) -> HeldOutFold:
    """Train a fold unless it is finished; ``bases`` caches base embeddings by model reference."""
    config, study, positions = fold.config, fold.study, fold.positions
    if folder.embeddings("tuned").is_file():
        base, tuned = (Embeddings.load(folder.embeddings(which)) for which in ("base", "tuned"))
    else:
        fit(config, study, folder, frozen=bases.get(config.reference))
        base = bases[config.reference] if config.reference in bases else embed_base(config, study)
        base.save(folder.embeddings("base"))
        tuned = embed_tuned(config, study, folder, base)
    bases.setdefault(config.reference, base)
    human = study.human(positions, among=np.arange(len(study.stimuli)))
    rdms = [distances(model, study.stimuli, config.evaluation, positions) for model in (base, tuned)]
    return HeldOutFold(positions, human, np.stack(rdms))


def _held_out(study: Study, positions: Int[np.ndarray, " m"]) -> Study:
    """The study with the stimuli at ``positions`` held out."""
    names = ["test" if i in set(positions.tolist()) else "train" for i in range(len(study.stimuli))]
    return replace(study, stimuli=replace(study.stimuli, split=tuple(names)))


def _pool(config: TrainingConfig, study: Study, held: list[HeldOutFold]) -> CrossValidation:
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
    return CrossValidation(base, tuned, difference, each, about)
