"""One evaluation: embeddings against human judgments under a protocol, with ceilings, intervals and a p-value."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from bgs import __version__
from bgs._errors import ConfigError
from bgs._typing import Float64
from bgs.embeddings import Embeddings
from bgs.evaluation.ceilings import odd_one_out_ceiling, rsa_ceiling
from bgs.evaluation.comparison import MEASURES, Comparison
from bgs.evaluation.permutation import permutation_p_value
from bgs.evaluation.protocols import Protocol, select_protocol
from bgs.evaluation.rdm import model_rdm
from bgs.evaluation.resampling import DESIGNS, bootstrap
from bgs.evaluation.result import Metric, Result
from bgs.evaluation.summary import summarise, summarise_difference
from bgs.judgments import PairCounts, Trials, human_rdm
from bgs.stimuli import StimulusSet


def evaluate(
    embeddings: Embeddings,
    stimuli: StimulusSet,
    trials: Trials,
    *,
    protocol: str = "held-out-trials",
    distance: str = "cosine",
    center: bool = False,
    against: Embeddings | None = None,
    resamples: int = 2000,
    permutations: int = 1000,
    seed: int = 0,
    provenance: Mapping[str, Any] | None = None,
) -> Result:
    """How well do embeddings predict human similarity judgments?

    Args:
        embeddings: one vector a stimulus; aligned with ``stimuli`` by id, never by position.
        stimuli: the data set's stimuli, with their split.
        trials: its judgments.
        protocol: see :func:`bgs.evaluation.protocols.select_protocol`.
        distance: "cosine", "correlation" or "euclidean", see :func:`bgs.evaluation.model_rdm`.
        center: subtract the mean of the training stimuli's embeddings first (of all where no split was published).
        against: other embeddings to compare with; differences are the first minus these, resample by resample.
        resamples: bootstrap resamples of each design.
        permutations: label shuffles for the p-value of the Spearman RSA; 0: none.
        seed: every random number depends on it.
        provenance: what the caller knows about the data, added to the result's provenance; ``data_hashes`` in it are
            joined with those of the stimuli and trials.

    Returns:
        Metrics ``rsa_spearman`` (with its p-value), ``rsa_pearson``, both squared, ``odd_one_out_3afc``,
        ``odd_one_out_two_way`` and the ceilings. ``low`` and ``high`` are those of resampling both clips and
        participants; ``intervals`` has every design. See :mod:`bgs.evaluation.resampling` for the interval rule.

    Raises:
        DataError: a stimulus without embedding, no split or no judgment for the protocol.
        ConfigError: an unknown protocol or distance, or less than one resample.
    """
    if resamples < 1:
        raise ConfigError("too few resamples", where="resamples", expected="at least 1", got=resamples)
    chosen = select_protocol(protocol, stimuli, trials)
    models = [embeddings] if against is None else [embeddings, against]
    rdms = np.stack([protocol_rdm(model, stimuli, chosen, distance, center) for model in models])
    comparison = Comparison.of(chosen, rdms)
    values, draws = comparison(), bootstrap_draws(comparison, resamples, seed)
    n_pairs, n_trials = len(comparison.pairs), len(comparison.triplets)
    counts = dict(zip(MEASURES, (n_pairs, n_pairs, n_trials, n_trials), strict=True))
    summaries = []
    for model, rdm in enumerate(rdms):
        of_model = {design: sample[..., model] for design, sample in draws.items()}
        metrics = summarise(values[:, model], of_model, counts)
        p = _p_value(rdm, chosen, permutations, seed)
        summaries.append({**metrics, "rsa_spearman": replace(metrics["rsa_spearman"], p=p)})
    ceilings, warnings = _ceilings(chosen, comparison, resamples, seed)
    about = _provenance(models, stimuli, trials, provenance or {})
    about |= {"seed": seed, "resamples": resamples, "permutations": permutations}
    about |= {"distance": distance, "center": center, **_sizes(chosen, comparison)}
    return Result(
        protocol=protocol,
        metrics={**summaries[0], **ceilings},
        provenance=about,
        differences=summarise_difference(values, draws, counts) if against is not None else {},
        against_metrics=summaries[1] if against is not None else {},
        warnings=[*_model_warnings(summaries, comparison), *_distance_warnings(models, distance), *warnings],
    )


def protocol_rdm(
    model: Embeddings, stimuli: StimulusSet, protocol: Protocol, distance: str, center: bool
) -> Float64[np.ndarray, "m m"]:
    """Model distances among the protocol's stimuli, in the protocol's order."""
    ids = [stimuli.ids[i] for i in protocol.positions]
    mean = None
    if center:
        training = [stimuli.ids[i] for i in np.flatnonzero(stimuli.train)]
        mean = model.select(training).values.astype(np.float64).mean(axis=0)
    return model_rdm(model.select(ids).values, distance, mean)


def _p_value(
    rdm: Float64[np.ndarray, "m m"], protocol: Protocol, permutations: int, seed: int
) -> float | None:
    if not permutations:
        return None
    human = human_rdm(PairCounts.from_trials(protocol.judgments).subset(protocol.positions))
    return permutation_p_value(rdm, human, permutations=permutations, seed=seed)


def bootstrap_draws(
    comparison: Comparison, resamples: int, seed: int
) -> dict[str, Float64[np.ndarray, "r 4 e"]]:
    """:data:`MEASURES` of every model over the resamples of each design."""
    sizes = comparison.n_clips, comparison.pairs.n_participants
    return {
        design: bootstrap(comparison, *sizes, design=design, resamples=resamples, seed=seed)
        for design in DESIGNS
    }


def _ceilings(
    protocol: Protocol, comparison: Comparison, resamples: int, seed: int
) -> tuple[dict[str, Metric], list[str]]:
    rsa, rsa_warnings = rsa_ceiling(comparison.pairs, comparison.n_clips, resamples=resamples, seed=seed)
    odd, odd_warnings = odd_one_out_ceiling(protocol.trials, resamples=resamples, seed=seed)
    return {**rsa, **odd}, [*rsa_warnings, *odd_warnings]


def _model_warnings(summaries: list[dict[str, Metric]], comparison: Comparison) -> list[str]:
    warnings = []
    if any(np.isnan(metrics["rsa_spearman"].value) for metrics in summaries):
        warnings.append(
            "RSA is undefined where all model distances, or all human dissimilarities, are the same"
        )
    if comparison.pairs.n_participants < 2:
        warnings.append("one participant: there are no intervals over participants, nor over both")
    if not len(comparison.triplets):
        warnings.append("no judgment is among three evaluated stimuli: odd-one-out accuracy is undefined")
    return warnings


def _distance_warnings(models: list[Embeddings], distance: str) -> list[str]:
    """Embeddings may say in their details for which distance they were made."""
    return [
        f"{model.source} was made for {model.details['distance']} distances, and is measured by {distance} ones"
        for model in models
        if model.details.get("distance", distance) != distance
    ]


def _provenance(
    models: list[Embeddings], stimuli: StimulusSet, trials: Trials, known: Mapping[str, Any]
) -> dict[str, Any]:
    hashes = {"stimuli": stimuli.hash(), "trials": trials.hash(), **known.get("data_hashes", {})}
    described = [
        {"source": model.source, "sha256": model.hash(), "details": dict(model.details)} for model in models
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


def _sizes(protocol: Protocol, comparison: Comparison) -> dict[str, int]:
    return {
        "n_clips": comparison.n_clips,
        "n_participants": comparison.pairs.n_participants,
        "n_trials": len(comparison.triplets),
        "n_pair_trials": len(protocol.judgments),
        "n_pairs": len(comparison.pairs),
    }
