"""What is asked of a selection, checked before anything is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bgs._errors import ConfigError, DataError
from bgs.datasets import Dataset
from bgs.library.selecting.matched_sets import SetSettings
from bgs.library.selecting.measures import MOTION, PIXELS, SOCIAL, source_of


@dataclass(frozen=True)
class Request:
    """What to choose, checked before anything is read.

    Attributes:
        k: number of clips.
        cover: whether they are to cover the space of a model.
        differ: what two sets differ in.
        match: what they are matched in.
        gap, caliper: see :class:`SetSettings`.
        seed: of random choices.

    Raises:
        ConfigError: options that contradict each other or are out of range.
    """

    k: int
    cover: bool
    differ: str | None
    match: tuple[str, ...]
    gap: float
    caliper: float
    seed: int

    def __post_init__(self) -> None:
        if self.cover == (self.differ is not None):
            raise ConfigError(
                "which clips?", expected="--cover or --differ", got="both" if self.cover else "neither"
            )
        if self.cover and self.match:
            raise ConfigError(
                "--match applies to --differ", where=", ".join(self.match), expected="--cover alone"
            )
        if self.differ in self.match:
            raise ConfigError("sets cannot differ and be matched in the same", where=self.differ)
        if self.k < (1 if self.cover else 4):
            raise ConfigError(
                "too few clips", where="-k", expected="1 or more" if self.cover else "4 or more", got=self.k
            )
        if not self.cover:
            if self.k % 2:
                raise ConfigError(
                    "two sets of the same size", where="-k", expected="an even number", got=self.k
                )
            self.settings  # noqa: B018 checks its numbers

    @property
    def settings(self) -> SetSettings:
        """What is asked of two sets."""
        return SetSettings(self.k // 2, self.gap, self.caliper)

    def needs(self, data: Dataset, has_space: bool) -> set[str]:
        """What has to be measured: ``motion``, ``pixels``, ``social``."""
        names = [SOCIAL] if self.cover else [str(self.differ), *self.match]
        if self.differ == PIXELS:
            raise ConfigError("sets differ in one number", where=PIXELS, expected="luminance or contrast")
        sources = {source_of(name, data.stimuli) for name in names} - {None}
        if SOCIAL in sources and not has_space:
            raise ConfigError("needs the space of a model", where="--cover" if self.cover else SOCIAL,
                              expected="--model, --embeddings or --index")  # fmt: skip
        if has_space:
            sources.add(SOCIAL)
        if data.stimuli.videos is None and sources & {MOTION, PIXELS}:
            raise DataError(
                "has no clips to measure", where=data.name, expected="clips", hint=data.stimuli.obtain_clips
            )
        return {str(source) for source in sources}

    def require_enough(self, n: int) -> None:
        """Check that there are as many clips as are to be chosen."""
        if self.k > n:
            raise ConfigError("more clips than there are", where="-k", expected=f"at most {n}", got=self.k)

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        what: dict[str, Any] = {"k": self.k, "cover": self.cover, "seed": self.seed}
        if self.differ is not None:
            what |= {
                "differ": self.differ,
                "match": list(self.match),
                "gap": self.gap,
                "caliper": self.caliper,
            }
        return what


def matched_names(match: str | Sequence[str], differ: str | None) -> tuple[str, ...]:
    """What sets are matched in: as given; by default motion and pixels."""
    names = (match,) if isinstance(match, str) else tuple(dict.fromkeys(match))
    if names or differ is None:
        return names
    if differ in (MOTION, PIXELS, "motion_energy", "luminance", "contrast"):
        raise ConfigError(
            "say what the sets are to be matched in",
            where=f"--differ {differ}",
            expected="--match social, or a rating",
        )
    return (MOTION, PIXELS)
