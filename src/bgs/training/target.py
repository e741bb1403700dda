"""Converts a geometry to the tensors of the objective."""

from __future__ import annotations

import numpy as np
import torch

from bgs.judgments import Geometry
from bgs.objective import Target


def target_of(geometry: Geometry) -> Target:
    """Trials and observed pairs of a geometry, as tensors; unobserved pairs are omitted."""
    first, second = np.triu_indices(len(geometry.positions), 1)
    observed = np.isfinite(geometry.rdm[first, second])
    first, second = first[observed], second[observed]
    return Target(
        triplets=torch.as_tensor(geometry.triplets),
        odd=torch.as_tensor(geometry.odd),
        pairs=torch.as_tensor(np.stack([first, second], axis=1)),
        dissimilarity=torch.as_tensor(geometry.rdm[first, second], dtype=torch.float32),
        counts=torch.as_tensor(geometry.weights[first, second], dtype=torch.float32),
    )
