"""What is known where observers are simulated: what they go by, and the RDM that no noise is in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bgs._typing import Float64, Int
from bgs.experiments.chapters.chapter import NotApplicable
from bgs.runs.study import Study
from bgs.simulation import TRUTH, Truth, expected_rdm, read_truth, simulate_judgments


@dataclass(frozen=True)
class PlantedRdm:
    """The RDM of infinitely many trials of m clips.

    Attributes:
        rdm: (m, m) in 0–1.
        reliability: share of the variance of the ranks of the observed RDM that is this one's and not noise: the square
            of the Spearman correlation that the two are expected to have (classical test theory).
    """

    rdm: Float64[np.ndarray, "m m"]
    reliability: float


def drivers(study: Study) -> tuple[str, ...] | None:
    """Ratings that simulated observers go by; None for people."""
    truth = _truth(study)
    return None if truth is None else tuple(truth.settings.latents)


def planted_rdm(study: Study, positions: Int[np.ndarray, " m"]) -> PlantedRdm:
    """Of the stimuli at ``positions``: the test side, or all where there is no split.

    Raises:
        NotApplicable: nobody knows it: people judged, or the judgments are not all that was simulated.
    """
    truth, part = _truth(study), "test" if study.stimuli.test.any() else "all"
    if truth is None:
        raise NotApplicable("nobody knows what people's judgments hold")
    judged = simulate_judgments(study.stimuli, len(study.trials), truth.settings, truth.seed)
    if judged.trials.hash() != truth.trials or part not in truth.ceilings:
        raise NotApplicable(f"the judgments are not those that {TRUTH} tells of")
    rdm = expected_rdm(judged)[np.ix_(positions, positions)]
    return PlantedRdm(rdm, truth.ceilings[part].rsa_spearman ** 2)


def _truth(study: Study) -> Truth | None:
    folder = study.dataset.folder
    return read_truth(folder / TRUTH) if folder is not None and (folder / TRUTH).is_file() else None
