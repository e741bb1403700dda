"""Conditions of an experiment: the target that a model is trained on, and the parts of the objective."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

from bgs._config import merge
from bgs._rng import generator
from bgs._typing import Float, Int
from bgs.judgments import Geometry
from bgs.judgments.trials import KEPT_PAIR
from bgs.objective.settings import PRESETS
from bgs.runs.study import Source, people
from bgs.training.presets import TRANSFORM


class Condition(StrEnum):
    """A column of the grid."""

    #: The model before training.
    BASE = "base"
    #: Trials and RDM together: the method.
    HYBRID = "hybrid"
    #: Trials alone.
    TRIPLET_ONLY = "triplet-only"
    #: RDM alone.
    RSA_ONLY = "rsa-only"
    #: Trials, and as many extra hard constraints as the RDM adds.
    BUDGET_MATCHED = "budget-matched"
    #: The hybrid objective on the geometry of caption embeddings: does language explain the gain?
    LANGUAGE_DISTILLATION = "language-distillation"
    #: The hybrid objective on people's geometry of other clips: does training alone explain the gain?
    SHUFFLED = "shuffled"
    #: The hybrid objective, with a transform of the frozen model's embeddings in place of adapters: does the network have to
    #: change?
    TRANSFORM_ONLY = "transform-only"

    @property
    def preset(self) -> str:
        """Name of its preset of the objective."""
        return self.value if self.value in PRESETS else "hybrid"

    def objective(self, common: Mapping[str, Any]) -> dict[str, Any]:
        """Settings of the objective: those common to all conditions, then those of this one."""
        return {**common, **PRESETS[self.preset], "preset": self.preset}

    def training(self, common: Mapping[str, Any], transform_only: Mapping[str, Any]) -> dict[str, Any]:
        """Keys of the training configuration: those that all conditions share, but for what a transform needs.

        Args:
            common: shared by all conditions.
            transform_only: over these, for ``transform-only``.
        """
        if self is not Condition.TRANSFORM_ONLY:
            return dict(common)
        frozen: dict[str, Any] = {
            "lora": None, "head": None, "transform": {},
            "refit": False, "validation": {"patience": None},  # which need clips to validate on
        }  # fmt: skip
        given = common.get("optimizer")
        if isinstance(given, Mapping) and given.get("schedule") == "plateau":  # as does this
            kept = {
                key: value for key, value in given.items() if not key.startswith(("schedule", "plateau_"))
            }
            common = {**common, "optimizer": kept}
        return merge(merge(common, merge(TRANSFORM, frozen)), transform_only)

    def source(self, seed: int, captions: Float[np.ndarray, "n n"] | None) -> Source:
        """Source of the judgments that it is trained on.

        Args:
            seed: of the run.
            captions: (n, n) distances between the captions of all stimuli, for language distillation.
        """
        if self is Condition.SHUFFLED:
            return Shuffled(seed)
        if self is Condition.LANGUAGE_DISTILLATION:
            assert captions is not None
            return Captions(captions)
        return people


@dataclass(frozen=True)
class Captions:
    """The same clips, trials and observed pairs, judged by a caption encoder (language distillation).

    The odd one of a trial is the stimulus left out of its closest pair of captions; of pairs at equal distance the one
    that leaves out the stimulus shown first. The dissimilarity of a pair that people saw is the distance of its
    captions; pairs that people did not see stay unobserved, and pairs keep their weights.

    Attributes:
        distances: (n, n) distances between the captions of all stimuli.
    """

    distances: Float[np.ndarray, "n n"]

    def __call__(self, geometry: Geometry) -> Geometry:
        """The geometry with the answers of the caption encoder."""
        local = self.distances[np.ix_(geometry.positions, geometry.positions)]
        pairs = np.stack(
            [local[tuple(geometry.triplets[:, kept].T)] for kept in map(list, KEPT_PAIR)], axis=1
        )
        rdm = np.where(np.isfinite(geometry.rdm), local, np.nan)
        return replace(geometry, odd=pairs.argmin(axis=1), rdm=rdm)


@dataclass(frozen=True)
class Shuffled:
    """People's judgments with the names of the stimuli permuted.

    Names are permuted within the stimuli of a geometry. Trials, choices, dissimilarities and weights all remain, equally
    often; only the clips that they belong to are lost. Validation stimuli are permuted among themselves.

    Attributes:
        seed: determines the permutation, together with the stimuli.
    """

    seed: int

    def __call__(self, geometry: Geometry) -> Geometry:
        """The geometry with its stimuli renamed."""
        name = self._names(geometry.positions)
        old = np.argsort(name)  # stimulus i now has what stimulus old[i] had
        grid = np.ix_(old, old)
        return replace(
            geometry,
            triplets=name[geometry.triplets],
            rdm=geometry.rdm[grid],
            weights=geometry.weights[grid],
        )

    def _names(self, positions: Int[np.ndarray, " m"]) -> Int[np.ndarray, " m"]:
        stream = generator(self.seed, "shuffled", ",".join(map(str, positions.tolist())))
        return stream.permutation(len(positions))
