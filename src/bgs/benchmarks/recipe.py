"""The standard recipe of tuning: a linear transform of the chosen embeddings, trained on the training clips of a track."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from bgs._typing import Float
from bgs.backbones.transform_settings import TransformSettings
from bgs.benchmarks.tracks import LoadedTrack
from bgs.embeddings import Embeddings
from bgs.evaluation import pair_vector
from bgs.judgments import split_validation
from bgs.runs.pull import VALIDATED
from bgs.runs.run_folder import RunFolder
from bgs.training import TrainingConfig
from bgs.training.settings import OptimizerSettings, RatedSettings, ValidationSettings

Map = Callable[[Embeddings], Embeddings]


EPOCHS = 200


def recipe(
    track: LoadedTrack, features: str, seed: int, pull: float, validated: float = 0.0
) -> TrainingConfig:
    """The configuration; all else is the default of a run that trains a transform (docs/features.md)."""
    asked = track.track
    drawn = RatedSettings(columns=asked.ratings, trials=asked.trials) if asked.ratings else None
    return TrainingConfig(
        model=f"features:{features}", data=asked.data, seed=seed, ratings=drawn, epochs=EPOCHS,
        transform=TransformSettings(pull=pull), optimizer=OptimizerSettings(learning_rate=1e-2, weight_decay=0.0, warmup=10),
        validation=ValidationSettings(fraction=validated, every=EPOCHS), device="cpu",
    )  # fmt: skip


def validated_pairs(track: LoadedTrack, seed: int = 0) -> int:
    """Number of pairs of known dissimilarity that :meth:`TransformTrainer.validate` correlates."""
    _, left_out = split_validation(track.train.stimuli.train, VALIDATED, seed)
    return int(np.isfinite(pair_vector(track.target[np.ix_(left_out, left_out)])).sum())


class TransformTrainer:
    """Trains transforms of the embeddings of a track's training clips.

    Args:
        track: the track.
        embeddings: of its training clips.
        folder: scratch folder.
    """

    def __init__(self, track: LoadedTrack, embeddings: Embeddings, folder: str | Path) -> None:
        self.track, self.folder = track, Path(folder)
        self._file = self.folder / "features.safetensors"
        embeddings.save(self._file)

    def validate(self, pull: float, seed: int = 0) -> float:
        """RSA on the fifth of the training clips that a transform with this pull was not trained on."""
        run = self._fit(recipe(self.track, str(self._file), seed, pull, VALIDATED), f"pull-{pull}")
        value: float = run.read_metrics()[-1]["validation_rsa"]
        return value

    def train(self, pull: float, seed: int) -> Map:
        """Train on all training clips; the result maps embeddings of any clips.

        Raises:
            BgsError: training diverged.
        """
        import torch

        from bgs.backbones import load_backbone

        run = self._fit(recipe(self.track, str(self._file), seed, pull), f"seed-{seed}")
        head = load_backbone(f"run:{run.path}").head
        assert head is not None
        head.train(False)

        def apply(given: Embeddings) -> Embeddings:
            with torch.no_grad():
                values: Float[np.ndarray, "n d"] = head(
                    torch.from_numpy(given.values.astype(np.float32))
                ).numpy()
            return replace(given, values=values, source=f"{given.source}, tuned")

        return apply

    def _fit(self, config: TrainingConfig, name: str) -> RunFolder:
        from bgs.runs.fitting import fit
        from bgs.runs.study import load_study

        run = RunFolder(self.folder / name)
        fit(config, load_study(config, dataset=self.track.train), run)
        return run
