"""Ground truth of simulated observers: the attributes they rely on, and their RDM without noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bgs._typing import Float64, Int
from bgs.experiments.chapters.chapter import NotApplicable
from bgs.runs.study import Study
from bgs.simulation import TRUTH, Truth, expected_rdm, read_truth, simulate_judgments


@dataclass(frozen=True)
class PlantedRdm:
    """The RDM expected from infinitely many trials of m clips.

    Attributes:
        rdm: (m, m) in 0–1.
        reliability: share of the variance of the ranks of the observed RDM that is not noise: the square of its expected
            Spearman correlation with this one (classical test theory).
    """

    rdm: Float64[np.ndarray, "m m"]
    reliability: float


def drivers(study: Study) -> tuple[str, ...] | None:
    """Ratings that simulated observers rely on; None for people."""
    truth = _truth(study)
    return None if truth is None else tuple(truth.settings.latents)


def planted_rdm(study: Study, positions: Int[np.ndarray, " m"]) -> PlantedRdm:
    """The planted RDM of the stimuli at ``positions``: the test side, or all where there is no split.

    Raises:
        NotApplicable: it is unknown: people judged, or the judgments are not those that were simulated.
    """
    truth, part = _truth(study), "test" if study.stimuli.test.any() else "all"
    if truth is None:
        raise NotApplicable("the truth behind people's judgments is unknown")
    judged = simulate_judgments(study.stimuli, len(study.trials), truth.settings, truth.seed)
    if judged.trials.hash() != truth.trials or part not in truth.ceilings:
        raise NotApplicable(f"the judgments are not those that {TRUTH} describes")
    rdm = expected_rdm(judged)[np.ix_(positions, positions)]
    return PlantedRdm(rdm, truth.ceilings[part].rsa_spearman ** 2)


def _truth(study: Study) -> Truth | None:
    folder = study.dataset.folder
    return read_truth(folder / TRUTH) if folder is not None and (folder / TRUTH).is_file() else None
