"""What a report shows of an experiment: held-out clips through the eyes of people, captions, base and tuned model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from bgs._typing import Float, Int
from bgs.embeddings import Embeddings
from bgs.evaluation import model_rdm
from bgs.experiment.experiment_data import ExperimentData
from bgs.stimuli import Sampling
from bgs.stimuli.decoding import decode

#: Frames of a strip.
STRIP = 5
_SIDE = 72  # pixels of a frame
_MAPPED = 60  # clips on the map and in the matrices, at most


@dataclass(frozen=True)
class Showcase:
    """What the figures of a page are made of: the held-out clips and one model before and after.

    Attributes:
        positions: (m,) of the clips shown, in the stimulus set.
        rdms: title -> (m, m) dissimilarities: people, base, tuned, and captions where there are any.
        frames: (m, k, s, s, 3) strips.
    """

    positions: Int[np.ndarray, " m"]
    rdms: dict[str, Float[np.ndarray, "m m"]]
    frames: UInt8[np.ndarray, "m k s s 3"] | None


def showcase(data: ExperimentData, model: str) -> Showcase:
    """The held-out clips (at most 60 of them) through the eyes of people, captions, base and tuned model."""
    stimuli = data.study.stimuli
    positions = np.flatnonzero(stimuli.test)[:_MAPPED]
    everybody = np.arange(len(stimuli))
    rdms = {"people": data.study.human(positions, among=everybody)}
    models = {"captions": data.captions, "base": _first(data.base(model)), "tuned": _first(data.tuned(model))}
    for name, embeddings in models.items():
        if embeddings is not None:
            rdms[name] = _rdm(data, embeddings, positions)
    return Showcase(positions, rdms, _strips(data, positions))


def _first(found: Mapping[int, Embeddings]) -> Embeddings:
    return found[min(found)]


def _rdm(
    data: ExperimentData, embeddings: Embeddings, positions: Int[np.ndarray, " m"]
) -> Float[np.ndarray, "m m"]:
    stimuli, settings = data.study.stimuli, data.config.evaluation
    values = embeddings.select(stimuli.ids).values.astype(np.float64)
    mean = values[stimuli.train].mean(axis=0) if settings.center else None
    return model_rdm(values[positions], settings.distance, mean)


def _strips(data: ExperimentData, positions: Int[np.ndarray, " m"]) -> UInt8[np.ndarray, "m k s s 3"] | None:
    videos = data.study.stimuli.videos
    if videos is None or any(videos[i] is None for i in positions):
        return None
    sampling = Sampling(frames=STRIP, size=_SIDE)
    return np.stack([decode(path, sampling) for i in positions if (path := videos[i]) is not None])
