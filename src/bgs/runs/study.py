"""What is trained on and measured against: a data set's own judgments, or judgments made from its ratings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bgs._errors import DataError, some
from bgs._progress import note
from bgs._typing import Float, Int
from bgs.datasets import Dataset, load_dataset
from bgs.evaluation import select_protocol
from bgs.judgments import Geometry, PairCounts, Trials, human_rdm, split_validation
from bgs.judgments.rated import draw_trials, hellinger_rdm
from bgs.runs.external_test import joined, joined_rdm, without_stimuli_of
from bgs.runs.origins import provenance, sources
from bgs.stimuli import StimulusSet

if TYPE_CHECKING:
    from bgs.training import TrainingConfig

#: From what people said to what is trained towards: another geometry of the same stimuli.
Source = Callable[[Geometry], Geometry]


def people(geometry: Geometry) -> Geometry:
    """The geometry as people have it."""
    return geometry


@dataclass(frozen=True)
class Study:
    """Stimuli with their split, judgments among them, and where both come from.

    Attributes:
        dataset: the data set.
        stimuli: its stimuli, with the split in use.
        trials: odd-one-out judgments.
        rdm: (n, n) dissimilarities that are known apart from the judgments, or None.
        source: where the relations that are trained towards come from; evaluation never asks it.
    """

    dataset: Dataset
    stimuli: StimulusSet
    trials: Trials
    rdm: Float[np.ndarray, "n n"] | None = None
    source: Source = people

    def to_train(self, config: TrainingConfig) -> tuple[Int[np.ndarray, " a"], Int[np.ndarray, " b"]]:
        """Positions of the training stimuli that a configuration optimises on, and of those it validates on.

        Raises:
            ConfigError: see :func:`bgs.judgments.split_validation`.
        """
        settings = config.validation
        return split_validation(self.stimuli.train, settings.fraction, config.seed, settings.shuffle)

    def require_protocols(self, protocols: Sequence[str], key: str) -> None:
        """See that there is something to evaluate on, before anything is trained.

        Raises:
            DataError: a protocol finds no test stimuli or no judgments; ``key`` of the configuration is named.
        """
        for protocol in protocols:
            try:
                select_protocol(protocol, self.stimuli, self.trials)
            except DataError as error:
                raise DataError(
                    error.what, where=f"{key}: {protocol}", expected=error.expected, got=error.got,
                    hint=f"{key}: [all] measures on all stimuli, those trained on among them",
                ) from None  # fmt: skip

    def geometry(self, positions: Int[np.ndarray, " m"], estimator: str = "shares") -> Geometry:
        """What to train towards, among the stimuli at ``positions``, from judgments among these alone.

        Args:
            positions: (m,) stimuli.
            estimator: of dissimilarities that are not known apart from the judgments, see :meth:`Geometry.from_trials`.
        """
        if self.rdm is None:
            return self.source(Geometry.from_trials(self.trials, positions, estimator))
        return self.source(Geometry.from_rdm(self.rdm, self.trials, positions))

    def validation_target(
        self, positions: Int[np.ndarray, " m"], among: Int[np.ndarray, " k"]
    ) -> Float[np.ndarray, "m m"]:
        """What to validate on: :meth:`human` dissimilarities, as the source has them."""
        rdm = self.human(positions, among)
        nothing = np.zeros((0, 3), dtype=np.int64)
        known = np.isfinite(rdm).astype(np.int64)
        return self.source(Geometry(positions, nothing, nothing[:, 0], rdm, known)).rdm

    def human(
        self, positions: Int[np.ndarray, " m"], among: Int[np.ndarray, " k"]
    ) -> Float[np.ndarray, "m m"]:
        """(m, m) dissimilarities of the stimuli at ``positions``, from judgments that lie wholly ``among`` others."""
        if self.rdm is not None:
            known: Float[np.ndarray, "m m"] = self.rdm[np.ix_(positions, positions)]
            if np.isfinite(known).any():  # of external test stimuli nothing is known but judgments
                return known
        mask = np.zeros(len(self.stimuli), dtype=bool)
        mask[among] = True
        return human_rdm(PairCounts.from_trials(self.trials.within(mask)).subset(positions))

    def hashes(self) -> dict[str, str]:
        """SHA-256 of what is said about the stimuli, and of the judgments."""
        return {"stimuli": self.stimuli.hash(), "trials": self.trials.hash()}

    def origin(self) -> dict[str, str]:
        """The same, and that of the code: what a run that is resumed must find unchanged."""
        return {**self.hashes(), "sources of bgs": sources()}

    def about(self, config: TrainingConfig) -> dict[str, Any]:
        """Provenance of a run on this study."""
        data, hashes = self.dataset.name, dict(self.dataset.hashes)
        return provenance(
            model=config.reference, seed=config.seed, data=data, data_hashes=hashes,
            simulated=self.dataset.simulated, **self.dataset.about_trials(),
        )  # fmt: skip


def load_study(
    config: TrainingConfig, mirror: str | Path | None = None, dataset: Dataset | None = None
) -> Study:
    """A configuration's data set, loaded unless it is given, with judgments from its ratings where the configuration says so.

    Raises:
        DataError: there is nothing to train on.
    """
    if dataset is None:
        dataset = load_dataset(config.data, mirror=mirror, options=config.judgments.options())
    note(*dataset.notes)
    return new_study(config, dataset, mirror)


def new_study(config: TrainingConfig, dataset: Dataset, mirror: str | Path | None = None) -> Study:
    """What a configuration asks for of a data set that is loaded.

    Raises:
        DataError: there is nothing to train on.
    """
    if config.external_test is None:
        return _own_study(config, dataset)
    test = load_dataset(config.external_test, mirror=mirror)
    study = _own_study(config, without_stimuli_of(dataset, test))
    whole = joined(replace(study.dataset, trials=study.trials), test)
    rdm = None if study.rdm is None else joined_rdm(study.rdm, len(test.stimuli))
    return Study(whole, whole.stimuli, whole.need_trials(), rdm)


def _own_study(config: TrainingConfig, dataset: Dataset) -> Study:
    """A data set with judgments of its own, or drawn from its ratings."""
    if config.ratings is None:
        return Study(dataset, dataset.stimuli, dataset.need_trials())
    rated = config.ratings
    missing = [name for name in rated.columns if name not in dataset.stimuli.ratings]
    if missing:
        raise DataError(
            f"no ratings {some(missing)}", where=config.data,
            expected=f"rating columns {', '.join(rated.columns)}", got=some(dataset.stimuli.ratings) or "none",
        )  # fmt: skip
    rdm = hellinger_rdm(np.stack([dataset.stimuli.ratings[name] for name in rated.columns], axis=1))
    trials = draw_trials(rdm, rated.trials, config.seed, rated.temperature)
    return Study(dataset, dataset.stimuli, trials, rdm)
