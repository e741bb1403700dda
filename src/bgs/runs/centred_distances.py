"""Distances between stimuli, as used in evaluation."""

from __future__ import annotations

import numpy as np

from bgs._scale import mean_of_rows
from bgs._typing import Float64, Int
from bgs.embeddings import Embeddings
from bgs.evaluation import model_rdm
from bgs.stimuli import StimulusSet
from bgs.training.settings import EvaluationSettings


def distances(
    embeddings: Embeddings,
    stimuli: StimulusSet,
    settings: EvaluationSettings,
    positions: Int[np.ndarray, " m"] | None = None,
) -> Float64[np.ndarray, "m m"]:
    """(m, m) distances of the stimuli at ``positions`` (None: all), centred on the training stimuli if
    ``settings.center`` is set.

    Raises:
        DataError: a stimulus has no embedding.
    """
    values = embeddings.select(stimuli.ids).values.astype(np.float64)
    mean = mean_of_rows(values[stimuli.train]) if settings.center else None
    return model_rdm(values if positions is None else values[positions], settings.distance, mean)
