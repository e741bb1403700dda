"""Measures embeddings on held-out clips, and keeps what paired differences to other encoders need later."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from bgs._errors import DataError, listed
from bgs._scale import mean_of_rows
from bgs._typing import Float64
from bgs.benchmarks.row import Measurement, State, packed
from bgs.benchmarks.tracks import HeldOut, evaluated, held_out_rdm, votes_of
from bgs.datasets import REGISTRY, Dataset
from bgs.embeddings import Embeddings
from bgs.evaluation import Metric, evaluate, model_rdm, select_protocol
from bgs.evaluation.against_rdm import KnownPairs
from bgs.evaluation.agreement import protocol_rdm
from bgs.evaluation.rater_ceiling import rater_ceiling
from bgs.judgments import RDM

#: Metrics of an evaluation that a row holds.
KEPT = ("rsa_spearman", "odd_one_out_3afc", "rsa_ceiling", "odd_one_out_ceiling_lower", "odd_one_out_ceiling")


def measure(
    embeddings: Embeddings,
    mean: Float64[np.ndarray, " d"],
    held_out: HeldOut,
    data: Dataset,
    state: State,
    seed: int | None = None,
    ceiling: Metric | None = None,
) -> Measurement:
    """Agreement of embeddings with people on held-out clips.

    Args:
        embeddings: of the held-out clips.
        mean: (d,) mean embedding of the training clips, subtracted first.
        held_out: which clips, and what is predicted.
        data: their data set.
        state, seed: recorded.
        ceiling: of ratings, recorded (:func:`ceiling_of`); that of choices comes with them.

    Raises:
        DataError: a clip has no embedding, or was used to train the encoder.
    """
    refuse_overlap(embeddings, data)
    values = embeddings.values.astype(np.float64)
    offset = mean_of_rows(values) if held_out.own_mean else mean
    centred = replace(embeddings, values=values - offset)
    about = {"data": held_out.data, "state": state, "seed": seed}
    if held_out.ratings:
        return _ratings(centred, held_out_rdm(held_out, data), ceiling, about)
    return _choices(centred, data, about)


def _choices(embeddings: Embeddings, data: Dataset, about: dict[str, Any]) -> Measurement:
    stimuli, trials = data.stimuli, data.need_trials()
    name = protocol_name(data)
    result = evaluate(embeddings, stimuli, trials, protocol=name, center=False, permutations=0)
    protocol = select_protocol(name, stimuli, trials)
    rdm = protocol_rdm(embeddings, stimuli, protocol, "cosine", False)
    metrics = {key: result.metrics[key] for key in KEPT if key in result.metrics}
    return Measurement(**about, metrics=metrics, distances=packed(rdm))


def _ratings(
    embeddings: Embeddings, human: RDM, ceiling: Metric | None, about: dict[str, Any]
) -> Measurement:
    rdm = model_rdm(embeddings.select(human.stimulus_ids).values, "cosine")
    pairs = KnownPairs.of(human, rdm[None])
    metrics = {"rsa_spearman": pairs.metrics(0)["rsa_spearman"]}
    if ceiling is not None:
        metrics["rsa_ceiling"] = ceiling
    return Measurement(
        **about, metrics=metrics, without_each=pairs.without_each["rsa_spearman"][:, 0].tolist()
    )


def ceiling_of(held_out: HeldOut, data: Dataset) -> Metric | None:
    """The raters' ceiling, the same for every encoder; None for choices, and where the number of raters is not known.

    Raises:
        DataError: a clip has fewer than two raters.
    """
    votes = votes_of(held_out, data) if held_out.ratings else None
    return None if votes is None else rater_ceiling(votes)


def protocol_name(data: Dataset) -> str:
    """Every pair of test clips, from all judgments that show both; all judgments where nothing is split off."""
    return "held-out-pairs" if data.stimuli.test.any() else "all"


def refuse_overlap(embeddings: Embeddings, data: Dataset) -> None:
    """Refuse held-out clips that the encoder was trained on: an id of a named data set is the same clip in all of them.

    Raises:
        DataError: there are some; they are named.
    """
    ids = {data.stimuli.ids[i] for i in evaluated(data.stimuli)}
    seen = {
        clip
        for known, clips in embeddings.trained_on().items()
        if known in REGISTRY or known == data.name
        for clip in clips
        if clip in ids
    }
    if seen:
        raise DataError(
            f"{len(seen)} held-out clips were used to train it: {listed(sorted(seen))}", where=data.name,
            expected="clips new to the encoder",
        )  # fmt: skip
