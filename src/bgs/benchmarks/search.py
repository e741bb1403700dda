"""The tuned state's layer, pooling and pull: chosen together on training clips that transforms were not trained on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import parse_qsl

from bgs.benchmarks.row import Candidate, Choice

#: Settings of candidates in the order in which they are varied.
KEYS = ("layer", "pool", "time")
#: Trains a transform of a candidate with a pull, and validates it: the candidate's settings and the pull.
Validate = Callable[[str, float], Candidate]


def search(frozen: Choice, pulls: Sequence[float], validate: Validate) -> Choice:
    """Vary one setting at a time: the pull, then the layer, the pooling over space, that over time, and the pull again.

    Beginning with the layer that is best frozen. A step tries all values of its setting, with the others as the steps before left
    them; the published embedding, which names no layer, is tried among the layers. A grid would train a transform for every
    candidate and pull: 590 for an image encoder of 12 layers, where these steps train at most 26.

    Args:
        frozen: the frozen encoder's choice, with all candidates.
        pulls: strengths of the pull.
        validate: called once for every combination that is tried.

    Returns:
        The best of the last step; ``candidates`` are all combinations that were tried, in this order.
    """
    known = {one.settings: one.value for one in frozen.candidates if math.isfinite(one.value)}
    settings = max((name for name in known if name), key=known.__getitem__, default=frozen.settings)
    tried: dict[tuple[str, float], Candidate] = {}

    def best(options: Iterable[tuple[str, float]]) -> tuple[str, float]:
        """Of equals, the first."""
        listed = list(options)
        for option in listed:
            if option not in tried:
                tried[option] = validate(*option)
        return max(listed, key=lambda option: _finite(tried[option].value))

    settings, pull = best((settings, pull) for pull in pulls)
    for key in KEYS:
        settings, _ = best((name, pull) for name in _varied(settings, key, known))
    settings, pull = best((settings, pull) for pull in pulls)
    return Choice(settings, list(tried.values()), pull)


def _varied(settings: str, key: str, names: Iterable[str]) -> list[str]:
    """The settings themselves first, then those that differ from them only in one."""
    same = _without(settings, key)
    others = [
        name
        for name in names
        if name != settings and (_without(name, key) == same if name else key == "layer")
    ]
    return [settings, *others]


def _without(settings: str, key: str) -> dict[str, str]:
    return {name: value for name, value in parse_qsl(settings.replace("+", "%2B")) if name != key}


def _finite(value: float) -> float:
    return value if math.isfinite(value) else -math.inf
