"""An experiment: its configuration, folder, study, cells, and the embeddings that cells share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from bgs import __version__
from bgs._errors import BgsError
from bgs._files import read_json, sha256, sha256_of
from bgs._typing import Float, Float64, Int
from bgs.embeddings import Embeddings
from bgs.experiments.cells import Cell, cells_of
from bgs.experiments.chapters.chapter import NotApplicable
from bgs.experiments.conditions import Condition
from bgs.experiments.config import ExperimentConfig, load_experiment
from bgs.experiments.folder import ExperimentFolder, load_experiment_study
from bgs.runs.centred_distances import distances
from bgs.runs.study import Study


@dataclass(frozen=True)
class Experiment:
    """An experiment that the grid fills, and from which chapters take all they need.

    Embeddings that cells share are computed once and stored in ``shared/``. They are read without torch; only computing them
    imports what runs models.

    Attributes:
        config: of the experiment.
        folder: where it is kept.
        study: stimuli and judgments.
        planned: all its cells, in the order in which they are done.
        mirror: of published data; see :func:`bgs.datasets.load_dataset`.
    """

    config: ExperimentConfig
    folder: ExperimentFolder
    study: Study
    planned: tuple[Cell, ...]
    mirror: str | Path | None = None

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The finished cells."""
        return tuple(cell for cell in self.planned if cell.marker.is_file())

    @cached_property
    def simulated(self) -> bool:
        """Whether the data are marked as simulated, now or when the experiment was begun."""
        recorded = read_json(self.folder.provenance) if self.folder.provenance.is_file() else {}
        made_here = self.config.simulate is not None
        return made_here or self.study.dataset.simulated or recorded.get("simulated") is True

    def find(self, model: str, condition: Condition) -> dict[int, Cell]:
        """Seed -> finished cell of a model under a condition."""
        return {c.seed: c for c in self.cells if (c.model, c.condition) == (model, condition)}

    def require(self, model: str, condition: Condition) -> dict[int, Cell]:
        """The same as :meth:`find`.

        Raises:
            NotApplicable: no such cell is finished.
        """
        found = self.find(model, condition)
        if not found:
            raise NotApplicable(f"{model} has no finished cell of the condition {condition}")
        return found

    @cached_property
    def captions(self) -> Embeddings | None:
        """Embeddings of the captions; None where the experiment names no caption encoder."""
        return None if self.config.captions is None else self._shared("captions", self.config.captions)

    def caption_distances(self) -> Float64[np.ndarray, "n n"] | None:
        """Distances between the captions of all stimuli, measured as evaluation measures them."""
        return None if self.captions is None else self.distances(self.captions)

    def low_level(self, reference: str) -> Embeddings:
        """Embeddings of a low-level model such as ``motion:energy``.

        Raises:
            BgsError: it cannot be loaded, or there are no clips.
        """
        return self._shared(f"low-level-{re.sub(r'[^A-Za-z0-9.]+', '-', reference)}", reference)

    def _shared(self, name: str, reference: str) -> Embeddings:
        path = self.folder.shared / f"{name}.safetensors"
        if not path.is_file():
            from bgs.runs.embedder import embed_stimuli

            embed_stimuli(reference, self.study.stimuli).save(path)
        return Embeddings.load(path)

    def base_of(self, cell: Cell) -> Embeddings:
        """Base embeddings of a cell's model, for its seed where the model depends on it; computed if necessary."""
        path = self.base_path(cell.model, cell.seed)
        if not path.is_file():
            from bgs.runs.fitting import embed_base

            embed_base(cell.config, self.study).save(path)
        return Embeddings.load(path)

    def base(self, model: str) -> dict[int, Embeddings]:
        """Seed -> embeddings of a model before training; one seed, unless the model depends on it."""
        cells = self.find(model, Condition.BASE)
        return {seed: Embeddings.load(self.base_path(model, seed)) for seed in cells}

    def tuned(self, model: str, condition: Condition = Condition.HYBRID) -> dict[int, Embeddings]:
        """Seed -> embeddings of a model trained under a condition."""
        cells = self.find(model, condition)
        return {seed: Embeddings.load(cell.folder.embeddings("tuned")) for seed, cell in cells.items()}

    def pairs(
        self, model: str, condition: Condition = Condition.HYBRID
    ) -> dict[int, tuple[Embeddings, Embeddings]]:
        """Seed -> base and tuned embeddings of a model.

        Raises:
            NotApplicable: no such cell is finished.
        """
        self.require(model, condition)
        base, tuned = self.base(model), self.tuned(model, condition)
        return {seed: (base[self.config.base_seed(model, seed)], after) for seed, after in tuned.items()}

    @property
    def evaluated(self) -> Int[np.ndarray, " m"]:
        """Positions of the held-out stimuli; of all where no split was published."""
        test = np.flatnonzero(self.study.stimuli.test)
        return test if len(test) else np.arange(len(self.study.stimuli))

    def human(self, positions: Int[np.ndarray, " m"]) -> Float[np.ndarray, "m m"]:
        """(m, m) human dissimilarities of stimuli, from all judgments; NaN where unobserved."""
        return self.study.human(positions, among=np.arange(len(self.study.stimuli)))

    def distances(
        self, embeddings: Embeddings, positions: Int[np.ndarray, " m"] | None = None
    ) -> Float64[np.ndarray, "m m"]:
        """See :func:`bgs.runs.centred_distances.distances`."""
        return distances(embeddings, self.study.stimuli, self.config.evaluation, positions)

    def held_out(self, embeddings: Embeddings) -> Float64[np.ndarray, "m m"]:
        """(m, m) distances of embeddings among the held-out stimuli."""
        return self.distances(embeddings, self.evaluated)

    def key(self) -> str:
        """SHA-256 over everything that a chapter can depend on except its own settings."""
        captions = "" if self.captions is None else self.captions.hash()
        study = (self.study.stimuli.hash(), self.study.trials.hash())
        cells = [f"{cell.name} {cell.key()} {sha256(self._vectors(cell))}" for cell in self.cells]
        settings = self.config.evaluation.model_dump_json(), str(self.config.seeds)
        return sha256_of(__version__, *settings, captions, *study, *cells)

    def _vectors(self, cell: Cell) -> Path:
        if cell.condition is Condition.BASE:
            return self.base_path(cell.model, cell.seed)
        return cell.folder.embeddings("tuned")

    def base_path(self, model: str, seed: int) -> Path:
        """File of the base embeddings that a run of ``model`` with ``seed`` is compared with."""
        return self.folder.shared / f"base-{model}-seed-{self.config.base_seed(model, seed)}.safetensors"


def open_experiment(path: str | Path, mirror: str | Path | None = None) -> Experiment:
    """Open an experiment that was begun, with its finished cells; nothing is computed.

    Raises:
        BgsError: the folder is no experiment, or its data are not here or are others than those it was begun with.
    """
    folder = ExperimentFolder(path)
    if not folder.config.is_file():
        raise BgsError("not an experiment", where=path, expected=f"a folder with {folder.config.name}")
    config = load_experiment(folder.config)
    reference = folder.found_data(config)
    if config.simulate is not None and not folder.data.is_dir():
        raise BgsError(
            "this experiment has not simulated its data yet", where=path, hint="`bgs experiment` resumes it"
        )
    study = load_experiment_study(config, reference, mirror)
    folder.require_same_data(study)
    return Experiment(config, folder, study, tuple(cells_of(config, folder.cells, reference)), mirror)
