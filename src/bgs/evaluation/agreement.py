"""Evaluation of embeddings against human judgments under a protocol, with noise ceilings, intervals and a p-value."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from bgs import __version__
from bgs._errors import DataError
from bgs._scale import mean_of_rows
from bgs._typing import Float64
from bgs.embeddings import TRAINED_ON, Embeddings
from bgs.evaluation.choice_ceiling import odd_one_out_ceiling
from bgs.evaluation.comparison import Comparison
from bgs.evaluation.permutation import permutation_p_value
from bgs.evaluation.protocols import Protocol, select_protocol
from bgs.evaluation.rdm import model_rdm
from bgs.evaluation.reliability import rsa_ceiling
from bgs.evaluation.result import Metric, Result
from bgs.evaluation.showings import Showings
from bgs.judgments import PairCounts, Trials, human_rdm
from bgs.stimuli import StimulusSet


def evaluate(
    embeddings: Embeddings,
    stimuli: StimulusSet,
    trials: Trials,
    *,
    protocol: str = "held-out-trials",
    distance: str = "cosine",
    center: bool | None = None,
    against: Embeddings | None = None,
    permutations: int = 1000,
    seed: int = 0,
    provenance: Mapping[str, Any] | None = None,
) -> Result:
    """How well do embeddings predict human similarity judgments?

    Args:
        embeddings: one vector per stimulus; aligned with ``stimuli`` by id, not by position.
        stimuli: the data set's stimuli, with their split.
        trials: its judgments.
        protocol: see :func:`bgs.evaluation.protocols.select_protocol`.
        distance: "cosine", "correlation" or "euclidean", see :func:`bgs.evaluation.model_rdm`.
        center: whether to subtract the mean embedding of the training stimuli first (of all, without a split). None
            does so if there are training stimuli, as everywhere in this package; the result records it.
        against: other embeddings to compare with; differences are the first minus these, paired.
        permutations: label permutations for the p-value of the Spearman RSA; 0: none.
        seed: of the label shuffles.
        provenance: entries to add to the result's provenance; ``data_hashes`` are
            merged with those of the stimuli and trials.

    Returns:
        Metrics ``rsa_spearman`` (with its p-value), ``rsa_pearson``, both squared, ``odd_one_out_3afc``,
        ``odd_one_out_two_way`` and the ceilings. ``low`` and ``high`` generalise over clips and participants;
        ``intervals`` has all designs. See :class:`bgs.evaluation.comparison.Comparison` for the method.

    Raises:
        DataError: a stimulus has no embedding, the protocol has no split or no judgments, or there is nothing to centre on.
        ConfigError: unknown protocol or distance.
    """
    centred = centres(stimuli, center)
    chosen = select_protocol(protocol, stimuli, trials)
    models = [embeddings] if against is None else [embeddings, against]
    rdms = np.stack([protocol_rdm(model, stimuli, chosen, distance, center) for model in models])
    # Before the metrics, whose intermediate results are kept for the differences: memory need not hold both.
    p_values = [_p_value(rdm, chosen, permutations, seed) for rdm in rdms]
    comparison = Comparison.of(chosen, rdms)
    ceilings, warnings = _ceilings(chosen, comparison.showings)
    summaries = []
    for model, p in enumerate(p_values):
        metrics = comparison.metrics(model)
        summaries.append({**metrics, "rsa_spearman": replace(metrics["rsa_spearman"], p=p)})
    about = _provenance(models, stimuli, trials, provenance or {})
    about |= {"seed": seed, "permutations": permutations}
    about |= {"distance": distance, "center": centred, "centred_on": _centred_on(stimuli, center)}
    about |= _sizes(chosen, comparison)
    return Result(
        protocol=protocol,
        metrics={**summaries[0], **ceilings},
        provenance=about,
        differences=comparison.difference(0, 1) if against is not None else {},
        against_metrics=summaries[1] if against is not None else {},
        warnings=[
            *dict.fromkeys(_model_warnings(summaries, comparison)),
            *_distance_warnings(models, distance),
            *comparison.warnings(),
            *warnings,
        ],
    )


def centres(stimuli: StimulusSet, center: bool | None) -> bool:
    """Whether to subtract the mean; ``center`` as in :func:`evaluate`.

    Raises:
        DataError: centring was requested, but there are no training stimuli.
    """
    if center and not stimuli.train.any():
        raise DataError(
            "nothing to centre on: all stimuli are held out", where="center", expected="training stimuli", got=0,
            hint="--no-center (center=False) uses embeddings without centring",
        )  # fmt: skip
    return center is not False and bool(stimuli.train.any())


def _centred_on(stimuli: StimulusSet, center: bool | None) -> str:
    """A description for the result."""
    n = int(stimuli.train.sum())
    if centres(stimuli, center):
        return f"the {n} training clips" if stimuli.test.any() else f"all {n} clips, since none is held out"
    return "nothing" if center is False else "nothing, since all clips are held out"


def protocol_rdm(
    model: Embeddings, stimuli: StimulusSet, protocol: Protocol, distance: str, center: bool | None
) -> Float64[np.ndarray, "m m"]:
    """Model distances among the protocol's stimuli, in the protocol's order; ``center`` as in :func:`evaluate`.

    Raises:
        DataError: a stimulus has no embedding, or there is nothing to centre on.
    """
    ids = [stimuli.ids[i] for i in protocol.positions]
    mean = mean_of_rows(_training(model, stimuli).values) if centres(stimuli, center) else None
    return model_rdm(model.select(ids).values, distance, mean)


def _training(model: Embeddings, stimuli: StimulusSet) -> Embeddings:
    try:
        return model.select([stimuli.ids[i] for i in np.flatnonzero(stimuli.train)])
    except DataError as error:
        raise DataError(
            f"nothing to centre on: {error.what}", where=error.where,
            hint="check the ids and embed all stimuli of the data set, or do not centre: --no-center (center=False)",
        ) from None  # fmt: skip


def _p_value(
    rdm: Float64[np.ndarray, "m m"], protocol: Protocol, permutations: int, seed: int
) -> float | None:
    if not permutations:
        return None
    human = human_rdm(PairCounts.from_trials(protocol.judgments).subset(protocol.positions))
    return permutation_p_value(rdm, human, permutations=permutations, seed=seed)


def _ceilings(protocol: Protocol, showings: Showings) -> tuple[dict[str, Metric], list[str]]:
    rsa, rsa_warnings = rsa_ceiling(protocol, showings)
    odd, odd_warnings = odd_one_out_ceiling(protocol.trials)
    return {**rsa, **odd}, [*rsa_warnings, *odd_warnings]


def _model_warnings(summaries: list[dict[str, Metric]], comparison: Comparison) -> list[str]:
    warnings = []
    human = comparison.showings.dissimilarity
    for metrics, distances in zip(summaries, comparison.distances, strict=True):
        if np.isnan(metrics["rsa_spearman"].value):
            alike = "model distances" if np.ptp(distances) == 0 else "human dissimilarities"
            few = "fewer than two pairs were judged" if len(human) < 2 else f"all {alike} are the same"
            warnings.append(f"RSA is undefined: {few}")
    if not len(comparison.triplets):
        warnings.append("no judgment is among three evaluated stimuli: odd-one-out accuracy is undefined")
    return warnings


def _distance_warnings(models: list[Embeddings], distance: str) -> list[str]:
    """Warnings if the details of embeddings name another distance."""
    return [
        f"{model.source} was fitted with {model.details['distance']} distances but is evaluated with {distance} distances"
        for model in models
        if model.details.get("distance", distance) != distance
    ]


def _provenance(
    models: list[Embeddings], stimuli: StimulusSet, trials: Trials, known: Mapping[str, Any]
) -> dict[str, Any]:
    hashes = {"stimuli": stimuli.hash(), "trials": trials.hash(), **known.get("data_hashes", {})}
    described = [
        {"source": model.source, "sha256": model.hash(), "details": _brief(model)} for model in models
    ]
    return {
        **known,
        "versions": {
            **known.get("versions", {}),
            "bgs": __version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "data_hashes": hashes,
        "model": described[0],
        **({"against": described[1]} if len(described) > 1 else {}),
    }


def _brief(model: Embeddings) -> dict[str, Any]:
    """Details of embeddings; how many stimuli their model was trained on, not all of their names."""
    trained = {data: len(ids) for data, ids in model.trained_on().items()}
    others = {name: value for name, value in model.details.items() if name != TRAINED_ON}
    return {**others, TRAINED_ON: trained} if trained else dict(others)


def _sizes(protocol: Protocol, comparison: Comparison) -> dict[str, int]:
    return {
        "n_clips": comparison.n_clips,
        "n_participants": comparison.n_participants,
        "n_trials": len(comparison.triplets),
        "n_pair_trials": len(protocol.judgments),
        "n_pairs": len(comparison.showings),
    }
