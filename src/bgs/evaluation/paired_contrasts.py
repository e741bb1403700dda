"""Several models at once: paired differences between any two of them."""

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
    """Paired differences between embeddings, as :func:`bgs.evaluation.evaluate` gives them, for many pairs at once.

    Args:
        models: embeddings by name.
        pairs: names (first, second); the difference is first minus second.
        stimuli, trials, protocol, distance, center: see :func:`bgs.evaluation.evaluate`.

    Returns:
        For each pair the difference in every measure, with the intervals of every design.

    Raises:
        ConfigError: a name that is not among the models.
        DataError: a stimulus without embedding, no split or no judgment for the protocol.
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
