"""What a real encoder reached with judgments that exist already: the learning curves of an experiment."""

from __future__ import annotations

from dataclasses import dataclass

from bgs._codec import JsonDataclass, Number
from bgs.collection.forecast.forecast import Range


@dataclass(frozen=True)
class FoundPoint(JsonDataclass):
    """What so many judgments gave.

    Attributes:
        judgments: that were trained on, a mean over draws.
        tuned: Spearman correlation with the human RDM on held-out pairs, with its 95 % interval.
        gain: its paired difference to the untuned encoder.
    """

    judgments: Number
    tuned: Range
    gain: Range


@dataclass(frozen=True)
class FoundCurve(JsonDataclass):
    """The learning curve of one encoder, by number of trials.

    Attributes:
        encoder: its name in the experiment.
        data: the judgments' data set.
        simulated: whether they are simulated.
        ceiling: noise ceiling on the same pairs; None where unknown.
        points: from few judgments to all.
        enough: judgments that gave 90 % of the full gain; NaN where there is none.
    """

    encoder: str
    data: str
    simulated: bool
    ceiling: Range | None
    points: tuple[FoundPoint, ...]
    enough: Number
