"""A few full-geometry updates of any backbone, from a small planted geometry."""

from __future__ import annotations

import numpy as np
import torch

from bgs.judgments import Geometry, Trials
from bgs.objective import HybridObjective, ObjectiveSettings
from bgs.training import FullGeometry, target_of


def planted_geometry(n: int, seed: int = 0) -> Geometry:
    """Judgments of every triplet of ``n`` stimuli by an observer who sees two kinds, even and odd."""
    random = np.random.default_rng(seed)
    triplets = np.array([random.choice(n, 3, replace=False) for _ in range(20 * n)])
    kinds = triplets % 2
    odd = np.argmax(kinds != (kinds.sum(axis=1) > 1)[:, None], axis=1)
    same = (kinds == kinds[:, :1]).all(axis=1)
    odd[same] = random.integers(0, 3, same.sum())
    rows = len(odd)
    trials = Trials(
        participant=np.full(rows, "p"), block=np.full(rows, "b"), trial=np.arange(rows),
        stimuli=triplets, odd=odd, rt=np.ones(rows), n_stimuli=n,
    )  # fmt: skip
    return Geometry.from_trials(trials, np.arange(n))


def method(backbone, inputs, micro_batch: int = 3) -> FullGeometry:
    """Full-geometry gradients over all units of ``inputs``."""
    n = len(inputs.owner)
    objective = HybridObjective(ObjectiveSettings())
    return FullGeometry(
        backbone, inputs, np.arange(n), target_of(planted_geometry(n)), objective, 0, micro_batch, 0, 0
    )


def train(backbone, inputs, updates: int = 3, micro_batch: int = 3) -> list[float]:
    """The loss at each of a few AdamW updates."""
    full = method(backbone, inputs, micro_batch)
    optimizer = torch.optim.AdamW(list(backbone.trainable().values()), lr=0.003)
    losses = []
    for update in range(updates):
        optimizer.zero_grad(set_to_none=True)
        losses.append(float(full.accumulate(update, 0).total))
        optimizer.step()
    return losses
