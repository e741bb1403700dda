"""What a model says of a clip: ratings with intervals, and whether the clip is like those it knows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from bgs._codec import JsonDataclass, Number
from bgs._errors import ConfigError
from bgs._typing import Float, Float64
from bgs.evaluation.readout.attributes import AttributeReadout
from bgs.evaluation.readout.measuring import LEVEL
from bgs.evaluation.readout.readout import Readout

#: Decimals to which distances are compared.
_DECIMALS = 12


@dataclass(frozen=True)
class AttributePrediction(JsonDataclass):
    """A predicted rating.

    Attributes:
        name: of the rating.
        value: point prediction, in units of the rating.
        low, high: prediction interval; NaN where there are too few held-out clips for its level.
        scale: lowest and highest rating of any clip of the study.
        r_squared: variance explained on clips that the model has not seen; at or below 0 the mean predicts as well.
    """

    name: str
    value: float
    low: Number
    high: Number
    scale: tuple[float, float]
    r_squared: Number


@dataclass(frozen=True)
class Description(JsonDataclass):
    """A clip as a model sees it.

    Attributes:
        clip: its id.
        attributes: one prediction per rating of the study.
        level: probability with which an interval holds the rating of a clip like those of the study.
        familiar_p: share of held-out clips, this one included, that are as far from the clips seen, or farther.
        far: whether the clip is far from anything seen; intervals and probabilities then promise nothing.
        held_out_clips: clips that intervals and ``familiar_p`` are based on.
        data: name of the study.
        simulated: whether clips or people of the study were simulated.
    """

    clip: str
    attributes: tuple[AttributePrediction, ...]
    level: float
    familiar_p: float
    far: bool
    held_out_clips: int
    data: str
    simulated: bool


def describe(
    readout: Readout, values: Float[np.ndarray, "n d"], clips: Sequence[str], level: float = LEVEL
) -> list[Description]:
    """Describe clips.

    Args:
        readout: of the model.
        values: (n, d) the model's embeddings of the clips, not centred.
        clips: their n ids.
        level: of prediction intervals, above 0 and below 1.

    Raises:
        ConfigError: the level is out of range.
    """
    if not 0 < level < 1:
        raise ConfigError("out of range", where="level", expected="above 0 and below 1", got=level)
    far, p = readout.familiarity.is_far(values), readout.familiarity.p_values(values)
    columns = [(one, one.probe.predict(values)) for one in readout.attributes]
    about = str(readout.about["data"]), bool(readout.about["simulated"])
    return [
        Description(
            clip, tuple(_prediction(one, float(column[i]), level) for one, column in columns), level, float(p[i]),
            bool(far[i]), len(readout.familiarity.held), *about,
        )
        for i, clip in enumerate(clips)
    ]  # fmt: skip


def _prediction(one: AttributeReadout, value: float, level: float) -> AttributePrediction:
    half = one.half_width(level)
    half = half if math.isfinite(half) else math.nan
    return AttributePrediction(one.name, value, value - half, value + half, one.scale, one.r_squared)


@dataclass(frozen=True)
class OddOneOut(JsonDataclass):
    """Which of three clips people would choose as the odd one.

    Attributes:
        clips: three ids.
        odd: the clip that is not part of the closest pair; among tied pairs, the first in the given order counts.
        distances: of the pair that is kept together when the first, second or third clip is odd.
        probabilities: that people choose the first, second or third; None for a model without a readout.
        far: whether each is far from anything the model has seen; None without a readout.
    """

    clips: tuple[str, str, str]
    odd: str
    distances: tuple[float, float, float]
    probabilities: tuple[float, float, float] | None = None
    far: tuple[bool, bool, bool] | None = None


def predict_odd(
    clips: tuple[str, str, str],
    rdm: Float64[np.ndarray, "3 3"],
    readout: Readout | None = None,
    values: Float[np.ndarray, "3 d"] | None = None,
) -> OddOneOut:
    """Predict the odd one of three clips.

    Args:
        clips: their ids.
        rdm: (3, 3) the model's distances.
        readout: of the model, for probabilities.
        values: (3, d) the model's embeddings of the clips, not centred; with ``readout``.
    """
    first, second = min(combinations(range(3), 2), key=lambda pair: rdm[pair].round(_DECIMALS))
    odd = clips[3 - first - second]
    distances = rdm[[1, 0, 0], [2, 2, 1]]
    plain = tuple(distances.tolist())
    if readout is None or values is None:
        return OddOneOut(clips, odd, plain)
    chosen = readout.choice.probabilities(distances[None])[0]
    return OddOneOut(
        clips, odd, plain, tuple(chosen.tolist()), tuple(readout.familiarity.is_far(values).tolist())
    )
