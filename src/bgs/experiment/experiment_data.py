"""What a finished experiment holds: study, embeddings by model, condition and seed, captions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from bgs.embeddings import Embeddings
from bgs.experiment.cells import Cell
from bgs.experiment.conditions import Condition
from bgs.experiment.config import ExperimentConfig
from bgs.experiment.folder import ExperimentFolder
from bgs.experiment.shared import Shared
from bgs.experiment.study import Study


@dataclass(frozen=True)
class ExperimentData:
    """All that an analysis can ask for.

    Attributes:
        config: of the experiment; an analysis finds its own section in ``config.analyses``.
        folder: where it is kept.
        study: stimuli and judgments.
        cells: the finished cells.
    """

    config: ExperimentConfig
    folder: ExperimentFolder
    study: Study
    cells: tuple[Cell, ...]

    @cached_property
    def captions(self) -> Embeddings | None:
        """Embeddings of the captions; None where the experiment names no caption encoder."""
        return self._shared.captions()

    def find(self, model: str, condition: Condition) -> dict[int, Cell]:
        """Seed -> finished cell of a model under a condition."""
        return {c.seed: c for c in self.cells if (c.model, c.condition) == (model, condition)}

    def base(self, model: str) -> dict[int, Embeddings]:
        """Seed -> embeddings of a model before training; one seed, unless the model depends on it."""
        cells = self.find(model, Condition.BASE)
        return {seed: Embeddings.load(self._shared.base_path(model, seed)) for seed in cells}

    def tuned(self, model: str, condition: Condition = Condition.HYBRID) -> dict[int, Embeddings]:
        """Seed -> embeddings of a model trained under a condition."""
        cells = self.find(model, condition)
        return {seed: Embeddings.load(cell.folder.embeddings("tuned")) for seed, cell in cells.items()}

    @cached_property
    def _shared(self) -> Shared:
        return Shared(self.config, self.folder, self.study)
