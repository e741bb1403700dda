"""Several models at once: differences between any two of them, all over the same resamples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bgs._errors import ConfigError
from bgs.embeddings import Embeddings
from bgs.evaluation.comparison import MEASURES, Comparison
from bgs.evaluation.evaluate import bootstrap_draws, protocol_rdm
from bgs.evaluation.protocols import select_protocol
from bgs.evaluation.result import Metric
from bgs.evaluation.summary import summarise_difference
from bgs.judgments import Trials
from bgs.stimuli import StimulusSet


def contrasts(
    models: Mapping[str, Embeddings],
    pairs: Sequence[tuple[str, str]],
    stimuli: StimulusSet,
    trials: Trials,
    *,
    protocol: str = "held-out-trials",
    distance: str = "cosine",
    center: bool | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> list[dict[str, Metric]]:
    """Paired differences between embeddings, as :func:`bgs.evaluation.evaluate` gives them, for many pairs at once.

    Args:
        models: embeddings by name.
        pairs: names (first, second); the difference is first minus second.
        stimuli, trials, protocol, distance, center, resamples, seed: see :func:`bgs.evaluation.evaluate`.

    Returns:
        For each pair the difference in every measure, with the intervals of every design.

    Raises:
        ConfigError: a name that is not among the models, or less than one resample.
        DataError: a stimulus without embedding, no split or no judgment for the protocol.
    """
    if resamples < 1:
        raise ConfigError("too few resamples", where="resamples", expected="at least 1", got=resamples)
    names = list(models)
    for name in {name for pair in pairs for name in pair}:
        if name not in models:
            raise ConfigError("no such model to compare", expected=", ".join(names), got=name)
    if not pairs:
        return []
    chosen = select_protocol(protocol, stimuli, trials)
    rdms = [protocol_rdm(model, stimuli, chosen, distance, center) for model in models.values()]
    comparison = Comparison.of(chosen, np.stack(rdms))
    values, draws = comparison(), bootstrap_draws(comparison, resamples, seed)
    n_pairs, n_trials = len(comparison.pairs), len(comparison.triplets)
    counts = dict(zip(MEASURES, (n_pairs, n_pairs, n_trials, n_trials), strict=True))
    found = []
    for first, second in pairs:
        two = [names.index(first), names.index(second)]
        of_two = {design: sample[..., two] for design, sample in draws.items()}
        found.append(summarise_difference(values[:, two], of_two, counts))
    return found
