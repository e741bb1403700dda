"""The standard recipe of tuning: a linear transform of the chosen embeddings, trained on the training clips of a track."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bgs._typing import Float
from bgs.benchmark.tracks import LoadedTrack
from bgs.embeddings import Embeddings
from bgs.training import TrainingConfig
from bgs.training.settings import RatedSettings

Map = Callable[[Embeddings], Embeddings]


def recipe(track: LoadedTrack, features: str, seed: int) -> TrainingConfig:
    """The configuration: all else is the default of a run that trains a transform (docs/features.md)."""
    asked = track.track
    drawn = RatedSettings(columns=asked.ratings, trials=asked.trials) if asked.ratings else None
    return TrainingConfig(model=f"features:{features}", data=asked.data, seed=seed, ratings=drawn)


def train_transform(track: LoadedTrack, embeddings: Embeddings, seed: int) -> Map:
    """Train on the embeddings of the training clips; the result maps embeddings of any clips.

    Raises:
        BgsError: training diverged, or there is nothing to train on.
    """
    import torch

    from bgs.backbones import load_backbone
    from bgs.runs.run import fit
    from bgs.runs.run_folder import RunFolder
    from bgs.runs.study import load_study

    with tempfile.TemporaryDirectory(prefix="bgs-benchmark-") as name:
        file = Path(name) / "features.safetensors"
        embeddings.save(file)
        config = recipe(track, str(file), seed)
        fit(config, load_study(config, dataset=track.train), RunFolder(Path(name) / "run"))
        head = load_backbone(f"run:{Path(name) / 'run'}").head
    assert head is not None
    head.train(False)

    def apply(given: Embeddings) -> Embeddings:
        with torch.no_grad():
            values: Float[np.ndarray, "n d"] = head(torch.from_numpy(given.values.astype(np.float32))).numpy()
        return Embeddings(values, given.stimulus_ids, f"{given.source}, tuned", given.details)

    return apply
