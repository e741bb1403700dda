"""What cells share: embeddings of base models and captions, made once and kept.

What is kept is read without torch; only making it imports what runs models.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from bgs._typing import Float64
from bgs.embeddings import Embeddings
from bgs.experiments.cells import Cell
from bgs.experiments.config import ExperimentConfig
from bgs.experiments.folder import ExperimentFolder
from bgs.runs.centred_distances import distances
from bgs.runs.study import Study
from bgs.stimuli import StimulusSet


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
            from bgs.runs.run import embed_base

            embed_base(cell.config, self._study).save(path)
        return Embeddings.load(path)

    def captions(self) -> Embeddings | None:
        """Embeddings of the captions; None where the experiment names no caption encoder."""
        if self._config.captions is None:
            return None
        path = self._folder.shared / "captions.safetensors"
        if not path.is_file():
            _embed(self._config.captions, self._study.stimuli, path)
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
            _embed(reference, self._study.stimuli, path)
        return Embeddings.load(path)


def _embed(model: str, stimuli: StimulusSet, path: Path) -> None:
    from bgs.runs.embedder import embed_stimuli

    embed_stimuli(model, stimuli).save(path)
