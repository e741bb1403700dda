"""What cells share: embeddings of base models and captions, made once and kept."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from bgs._typing import Float64
from bgs.embeddings import Embeddings
from bgs.experiment.cells import Cell
from bgs.experiment.config import ExperimentConfig
from bgs.experiment.distances import distances
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
        return distances(captions, self._study.stimuli, self._config.evaluation)

    def low_level(self, reference: str) -> Embeddings:
        """Embeddings of a low-level model such as ``motion:energy``.

        Raises:
            BgsError: it cannot be loaded, or there are no clips.
        """
        name = re.sub(r"[^A-Za-z0-9.]+", "-", reference)
        path = self._folder.shared / f"low-level-{name}.safetensors"
        if not path.is_file():
            embed_stimuli(reference, self._study.stimuli).save(path)
        return Embeddings.load(path)
