"""Layers and poolings of an encoder, all embedded in one pass, and the choice among them on training clips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bgs._errors import DataError
from bgs._typing import Float
from bgs.backbones import Backbone, VideoBackbone
from bgs.backbones.frame_encoder import FrameBackbone
from bgs.backbones.pooling import POOLINGS
from bgs.backbones.shared_reference import is_tuned
from bgs.benchmarks.row import Candidate, Choice
from bgs.embeddings import Embeddings
from bgs.evaluation import model_rdm, pair_vector, spearman
from bgs.runs.embedder import Embedder
from bgs.stimuli import StimulusSet

#: Settings of a candidate: what its reference has in addition; "" is the embedding that the reference itself gives.
Candidates = Mapping[str, Embeddings]


def embed_candidates(
    backbone: Backbone, source: str, stimuli: StimulusSet, micro_batch: int = 32
) -> dict[str, Embeddings]:
    """Embeddings of every candidate: the published one, and each layer under each pooling that the encoder has.

    Only the one of the reference where it names a layer, or where there are no layers to choose from.

    Raises:
        DataError: stimuli cannot be read.
    """
    embedder = Embedder(backbone, stimuli, micro_batch)
    if not isinstance(backbone, VideoBackbone) or backbone.spec.layer is not None or is_tuned(source):
        return {"": embedder.embed(source)}
    names: dict[str, int] = {}

    def encode(batch: Any) -> Tensor:
        found = dict(_of_batch(backbone, batch))
        names.update({name: values.shape[1] for name, values in found.items()})
        return torch.cat(list(found.values()), dim=1)

    beside = embedder.embed(source, encode)
    ends = np.cumsum(list(names.values()))
    parts = np.split(beside.values, ends[:-1], axis=1)
    return {
        name: replace(beside, values=np.ascontiguousarray(part), source=f"{source} {name}".strip())
        for name, part in zip(names, parts, strict=True)
    }


def _of_batch(backbone: VideoBackbone, batch: Any) -> Iterator[tuple[str, Tensor]]:
    spec, poolings = backbone.spec, _poolings(backbone)
    try:
        with backbone.autocast():
            for layer, hidden in enumerate(backbone.layers(batch)):
                for pooling in poolings:
                    backbone.spec = replace(spec, **pooling)
                    query = "".join(f"&{key}={value}" for key, value in pooling.items())
                    yield f"layer={layer}{query}", backbone.summary(hidden).float()
            backbone.spec = spec
            yield "", backbone.final(hidden).float()
    finally:
        backbone.spec = spec


def _poolings(backbone: VideoBackbone) -> list[dict[str, Any]]:
    """Settings of pooling to try: those that the reference gives are kept."""
    if not isinstance(backbone, FrameBackbone):
        return [{}]
    spec = backbone.spec
    pools = backbone.pools if spec.pool is None else (spec.pool,)
    times = POOLINGS["time"] if spec.time == "mean" and spec.frames > 1 else (spec.time,)
    return [{"pool": pool, "time": time} for pool, time in product(pools, times)]


def choose(candidates: Candidates, human: Float[np.ndarray, "n n"]) -> Choice:
    """The candidate whose distances, centred on the training clips, correlate best with people's dissimilarities of them.

    Args:
        candidates: embeddings of the n training clips.
        human: their dissimilarities, NaN where unknown.

    Raises:
        DataError: no candidate has a correlation.
    """
    known = np.isfinite(pair_vector(human))
    target = pair_vector(human)[known]
    scores = []
    for name, embeddings in candidates.items():
        rdm = model_rdm(embeddings.centred().values, "cosine")
        value = spearman(pair_vector(rdm)[known], target)
        scores.append(Candidate(name, float(value), int(known.sum())))
    defined = [score for score in scores if np.isfinite(score.value)]
    if not defined:
        raise DataError("all training clips are alike to this encoder", expected="distances that differ")
    best = max(defined, key=lambda score: (score.value, not score.settings))  # of equals, the published one
    return Choice(best.settings, scores)
