"""Ratings of a clip, read out of its embedding, each with an interval that holds for clips never seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bgs._typing import Float, Float64
from bgs.embeddings import Embeddings
from bgs.evaluation.readout.held_out import HeldOut
from bgs.evaluation.ridge import Ridge
from bgs.stimuli import StimulusSet

#: Fewer rated clips, seen or held out, say too little.
FEW = 10


@dataclass(frozen=True)
class LinearProbe:
    """A ridge regression from embedding to one rating; see :class:`bgs.evaluation.ridge.Ridge`.

    Attributes:
        weights: (d,) change of the rating per unit of each dimension.
        intercept: the rating at the origin.
    """

    weights: Float64[np.ndarray, " d"]
    intercept: float

    @classmethod
    def fit(cls, values: Float[np.ndarray, "n d"], ratings: Float[np.ndarray, " n"]) -> LinearProbe:
        """Fit to (n, d) embeddings and (n,) finite ratings; the penalty is chosen by leave-one-out."""
        wide = values.astype(np.float64)
        # Predictions are affine in the embedding: what they are at the origin and one step along each dimension says all.
        spread = wide.std(axis=0)
        step = np.where(spread > 0, spread, 1.0)
        points = np.concatenate([np.zeros((1, len(step))), np.diag(step)])
        at = Ridge.fit(wide, ratings[:, None].astype(np.float64), points).deviations()[:, 0] + ratings.mean()
        return cls((at[1:] - at[0]) / step, float(at[0]))

    def predict(self, values: Float[np.ndarray, "n d"]) -> Float64[np.ndarray, " n"]:
        """(n,) predicted ratings."""
        found: Float64[np.ndarray, " n"] = values.astype(np.float64) @ self.weights + self.intercept
        return found


@dataclass(frozen=True)
class AttributeReadout:
    """One rating of a clip, with a prediction interval.

    Attributes:
        name: of the rating.
        probe: fitted to the clips that the model was trained on.
        errors: (m,) sorted absolute errors on clips that neither model nor probe had seen.
        scale: lowest and highest rating of any clip.
        r_squared: variance explained on these clips; below 0 where the mean of the clips seen predicts better.
    """

    name: str
    probe: LinearProbe
    errors: Float64[np.ndarray, " m"]
    scale: tuple[float, float]
    r_squared: float

    @classmethod
    def fit(
        cls, name: str, final: Embeddings, parts: Sequence[HeldOut], stimuli: StimulusSet
    ) -> AttributeReadout | None:
        """Fit a rating; None where fewer than ten clips seen, or held out, are rated, or all are rated the same."""
        column = stimuli.ratings[name].astype(np.float64)
        known = [_rated(part.seen, column, stimuli) for part in parts]
        held = [_rated(part.held, column, stimuli) for part in parts]
        values, ratings = _rated(final, column, stimuli)
        enough = min(len(ratings), *(len(r) for _, r in known), sum(len(r) for _, r in held)) >= FEW
        if not enough or any(np.ptp(r) == 0 for r in (ratings, *(r for _, r in known))):
            return None
        errors, baseline = [], []
        for (x, y), (new, truth) in zip(known, held, strict=True):
            errors.append(truth - LinearProbe.fit(x, y).predict(new))
            baseline.append(truth - y.mean())
        residual, spread = np.concatenate(errors), np.concatenate(baseline)
        r_squared = float(1 - residual @ residual / (spread @ spread)) if spread.any() else math.nan
        rated = column[np.isfinite(column)]
        scale = (float(rated.min()), float(rated.max()))
        return cls(name, LinearProbe.fit(values, ratings), np.sort(np.abs(residual)), scale, r_squared)

    def half_width(self, level: float) -> float:
        """Half the width of the interval that holds a new clip's rating with probability ``level``.

        Infinite where there are too few errors to say.

        Split conformal prediction (Vovk, Gammerman & Shafer 2005; Lei et al. 2018, JASA 113:1094): no assumption but that
        the new clip is of the same kind as those held out.
        """
        rank = math.ceil(level * (len(self.errors) + 1) - 1e-9)
        return float(self.errors[rank - 1]) if rank <= len(self.errors) else math.inf


def _rated(
    embeddings: Embeddings, column: Float64[np.ndarray, " n"], stimuli: StimulusSet
) -> tuple[Float[np.ndarray, "m d"], Float64[np.ndarray, " m"]]:
    """Embeddings and ratings of the clips that have both."""
    ratings = column[stimuli.positions(embeddings.stimulus_ids)]
    there = np.isfinite(ratings)
    return embeddings.values[there], ratings[there]
