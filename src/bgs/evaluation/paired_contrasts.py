"""Paired differences between several models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bgs._errors import ConfigError
from bgs.embeddings import Embeddings
from bgs.evaluation.agreement import protocol_rdm
from bgs.evaluation.comparison import Comparison
from bgs.evaluation.protocols import select_protocol
from bgs.evaluation.result import Metric
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
) -> list[dict[str, Metric]]:
    """Paired differences between embeddings, as in :func:`bgs.evaluation.evaluate`, for many pairs of models.

    Args:
        models: embeddings by name.
        pairs: names (first, second); the difference is first minus second.
        stimuli, trials, protocol, distance, center: see :func:`bgs.evaluation.evaluate`.

    Returns:
        For each pair, the difference in every measure, with the intervals of all designs.

    Raises:
        ConfigError: unknown name of a model.
        DataError: a stimulus has no embedding, or the protocol has no split or no judgments.
    """
    names = list(models)
    for name in {name for pair in pairs for name in pair}:
        if name not in models:
            raise ConfigError("no such model to compare", expected=", ".join(names), got=name)
    if not pairs:
        return []
    chosen = select_protocol(protocol, stimuli, trials)
    rdms = [protocol_rdm(model, stimuli, chosen, distance, center) for model in models.values()]
    comparison = Comparison.of(chosen, np.stack(rdms))
    return [comparison.difference(names.index(first), names.index(second)) for first, second in pairs]
