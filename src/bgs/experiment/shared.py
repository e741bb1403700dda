"""What cells share: embeddings of base models and captions, made once and kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bgs._typing import Float64
from bgs.embeddings import Embeddings
from bgs.evaluation import model_rdm
from bgs.experiment.cells import Cell
from bgs.experiment.config import ExperimentConfig
from bgs.experiment.embedder import embed_stimuli
from bgs.experiment.folder import ExperimentFolder
from bgs.experiment.run import embed_base
from bgs.experiment.study import Study


class Shared:
    """Embeddings in ``shared/`` of an experiment."""

    def __init__(self, config: ExperimentConfig, folder: ExperimentFolder, study: Study) -> None:
        self._config, self._folder, self._study = config, folder, study

    def base_path(self, model: str, seed: int) -> Path:
        """File of the base embeddings that a run of ``model`` with ``seed`` is compared with."""
        return self._folder.shared / f"base-{model}-seed-{self._config.base_seed(model, seed)}.safetensors"

    def base(self, cell: Cell) -> Embeddings:
        """Base embeddings of a cell's model, for its seed where the model depends on it."""
        path = self.base_path(cell.model, cell.seed)
        if not path.is_file():
            embed_base(cell.config, self._study).save(path)
        return Embeddings.load(path)

    def captions(self) -> Embeddings | None:
        """Embeddings of the captions; None where the experiment names no caption encoder."""
        if self._config.captions is None:
            return None
        path = self._folder.shared / "captions.safetensors"
        if not path.is_file():
            embed_stimuli(self._config.captions, self._study.stimuli).save(path)
        return Embeddings.load(path)

    def caption_distances(self) -> Float64[np.ndarray, "n n"] | None:
        """Distances between the captions of all stimuli, measured as evaluation measures them."""
        captions = self.captions()
        if captions is None:
            return None
        settings, stimuli = self._config.evaluation, self._study.stimuli
        values = captions.select(stimuli.ids).values.astype(np.float64)
        mean = values[stimuli.train].mean(axis=0) if settings.center else None
        return model_rdm(values, settings.distance, mean)
