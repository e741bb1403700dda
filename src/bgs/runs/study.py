"""A study: data set and judgments for training and evaluation, from people or derived from ratings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bgs._errors import DataError, listed
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

#: Maps the human geometry to the target geometry of training, for the same stimuli.
Source = Callable[[Geometry], Geometry]


def people(geometry: Geometry) -> Geometry:
    """The human geometry itself."""
    return geometry


@dataclass(frozen=True)
class Study:
    """Stimuli with their split, judgments, and their provenance.

    Attributes:
        dataset: the data set.
        stimuli: its stimuli, with the split in use.
        trials: odd-one-out judgments.
        rdm: (n, n) dissimilarities that do not come from the judgments, or None.
        source: source of the training target; not used in evaluation.
        trained_on: name of the data set that the training stimuli are of; by default, that of ``dataset``.
    """

    dataset: Dataset
    stimuli: StimulusSet
    trials: Trials
    rdm: Float[np.ndarray, "n n"] | None = None
    source: Source = people
    trained_on: str = ""

    def to_train(self, config: TrainingConfig) -> tuple[Int[np.ndarray, " a"], Int[np.ndarray, " b"]]:
        """Positions of the training stimuli used for optimisation and for validation.

        Raises:
            ConfigError: see :func:`bgs.judgments.split_validation`.
        """
        settings = config.validation
        return split_validation(self.stimuli.train, settings.fraction, config.seed, settings.shuffle)

    def require_protocols(self, protocols: Sequence[str], key: str) -> None:
        """Check before training that there are data to evaluate on.

        Raises:
            DataError: a protocol has no test stimuli or no judgments; ``key`` of the configuration is named.
        """
        for protocol in protocols:
            try:
                select_protocol(protocol, self.stimuli, self.trials)
            except DataError as error:
                raise DataError(
                    error.what, where=f"{key}: {protocol}", expected=error.expected, got=error.got,
                    hint=f"{key}: [all] evaluates on all stimuli, including training stimuli",
                ) from None  # fmt: skip

    def geometry(self, positions: Int[np.ndarray, " m"], estimator: str = "shares") -> Geometry:
        """The target geometry of the stimuli at ``positions``, from judgments among these alone.

        Args:
            positions: (m,) stimuli.
            estimator: estimator of dissimilarities from judgments, see :meth:`Geometry.from_trials`.
        """
        if self.rdm is None:
            return self.source(Geometry.from_trials(self.trials, positions, estimator))
        return self.source(Geometry.from_rdm(self.rdm, self.trials, positions))

    def validation_target(
        self, positions: Int[np.ndarray, " m"], among: Int[np.ndarray, " k"]
    ) -> Float[np.ndarray, "m m"]:
        """The validation target: :meth:`human` dissimilarities, mapped by the source."""
        rdm = self.human(positions, among)
        nothing = np.zeros((0, 3), dtype=np.int64)
        known = np.isfinite(rdm).astype(np.int64)
        return self.source(Geometry(positions, nothing, nothing[:, 0], rdm, known)).rdm

    def human(
        self, positions: Int[np.ndarray, " m"], among: Int[np.ndarray, " k"]
    ) -> Float[np.ndarray, "m m"]:
        """(m, m) dissimilarities of the stimuli at ``positions``, from judgments within the stimuli ``among``."""
        if self.rdm is not None:
            known: Float[np.ndarray, "m m"] = self.rdm[np.ix_(positions, positions)]
            if np.isfinite(known).any():  # of external test stimuli nothing is known but judgments
                return known
        mask = np.zeros(len(self.stimuli), dtype=bool)
        mask[among] = True
        return human_rdm(PairCounts.from_trials(self.trials.within(mask)).subset(positions))

    def hashes(self) -> dict[str, str]:
        """SHA-256 of stimuli and judgments."""
        return {"stimuli": self.stimuli.hash(), "trials": self.trials.hash()}

    def origin(self) -> dict[str, str]:
        """SHA-256 of stimuli, judgments and code, which must not change when a run is resumed."""
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
    """Build the study of a configuration, loading the data set unless given, with judgments from ratings if configured.

    Raises:
        DataError: there are no judgments to train on.
    """
    if dataset is None:
        dataset = load_dataset(config.data, mirror=mirror, options=config.judgments.options())
    note(*dataset.notes)
    return new_study(config, dataset, mirror)


def new_study(config: TrainingConfig, dataset: Dataset, mirror: str | Path | None = None) -> Study:
    """Build the study of a configuration from a loaded data set.

    Raises:
        DataError: there are no judgments to train on.
    """
    if config.external_test is None:
        return _own_study(config, dataset)
    test = load_dataset(config.external_test, mirror=mirror)
    study = _own_study(config, without_stimuli_of(dataset, test))
    whole = joined(replace(study.dataset, trials=study.trials), test)
    rdm = None if study.rdm is None else joined_rdm(study.rdm, len(test.stimuli))
    return Study(whole, whole.stimuli, whole.need_trials(), rdm, trained_on=dataset.name)


def _own_study(config: TrainingConfig, dataset: Dataset) -> Study:
    """A data set with judgments of its own, or drawn from its ratings."""
    if config.ratings is None:
        return Study(dataset, dataset.stimuli, dataset.need_trials())
    rated = config.ratings
    missing = [name for name in rated.columns if name not in dataset.stimuli.ratings]
    if missing:
        raise DataError(
            f"no ratings {listed(missing)}", where=config.data,
            expected=f"rating columns {', '.join(rated.columns)}", got=listed(dataset.stimuli.ratings) or "none",
        )  # fmt: skip
    rdm = hellinger_rdm(np.stack([dataset.stimuli.ratings[name] for name in rated.columns], axis=1))
    trials = draw_trials(rdm, rated.trials, config.seed, rated.temperature)
    return Study(dataset, dataset.stimuli, trials, rdm)
