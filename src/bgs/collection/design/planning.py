"""From settings to a schedule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bgs._errors import ConfigError, DataError, listed
from bgs._rng import generator
from bgs._typing import Bool, Float, Int
from bgs.collection.design.adaptive import informative_triplets
from bgs.collection.design.balanced import balanced_triplets
from bgs.collection.design.blocks import BlockSizes, lay_out
from bgs.collection.design.covering import covering, covering_triplets
from bgs.collection.design.settings import DesignSettings
from bgs.collection.schedule import Schedule, numbered_blocks

Clips = Int[np.ndarray, " _"]


def make_schedule(
    settings: DesignSettings,
    stimulus_ids: Sequence[str],
    test: Bool[np.ndarray, " n"] | None = None,
    people: Float[np.ndarray, "k n n"] | None = None,
    first_block: int = 1,
) -> Schedule:
    """A schedule of trials; the same settings and stimuli give the same schedule.

    Args:
        settings: what to make.
        stimulus_ids: n distinct ids.
        test: (n,) test clips, for a split other than ``mixed``.
        people: (k, n, n) distances in log odds for ``adaptive``, e.g. from
            :func:`bgs.collection.design.people_ensemble`; None falls back to balanced random triplets.
        first_block: number of the first block, from 1. Those after the first batch draw other random triplets.

    Raises:
        DataError: ids are repeated, or fewer than three clips (on a side of the split).
        ConfigError: there is no split to keep to, ``trials`` do not suffice for ``per_pair``, or too many repeats or
            checks for the blocks.
    """
    ids = tuple(stimulus_ids)
    if len(set(ids)) != len(ids):
        twice = sorted({name for name in ids if ids.count(name) > 1})
        raise DataError(f"stimulus listed twice: {listed(twice)}", expected="distinct stimulus ids")
    parts = sides(settings, len(ids), test)
    groups = [[part] for part in parts] if settings.split == "blocks" else [parts]
    laid, first = [], 0
    for number, (group, sizes) in enumerate(zip(groups, _block_sizes(settings, groups), strict=True)):
        batch = () if first_block == 1 else (first_block,)
        rng = generator(settings.seed, "design", settings.method, number, *batch)
        n = int(sizes.judgments.sum())
        numbers = _numbers(settings, group, n)
        drawn = [_drawn(settings, part, k, people, rng) for part, k in zip(group, numbers, strict=True)]
        triplets = _interleaved(drawn, rng)
        block, *rest = lay_out(triplets, sizes, settings.repeats_in, rng)
        laid.append((block + first, *rest))
        first += len(sizes.judgments)
    names = numbered_blocks(first, first_block)
    return Schedule(ids, names, *(np.concatenate(column) for column in zip(*laid, strict=True)))


def sides(settings: DesignSettings, n_clips: int, test: Bool[np.ndarray, " n"] | None) -> list[Clips]:
    """Positions of the clips that can be shown together: one set, or train and test clips.

    Raises:
        DataError: a set has fewer than three clips.
        ConfigError: there is no split to keep to.
    """
    if settings.split == "mixed":
        named = {"clips": np.arange(n_clips)}
    elif test is None or not test.any():
        raise ConfigError("the stimuli have no test clips", where="split", expected="mixed", got=settings.split)  # fmt: skip
    else:
        named = {"train clips": np.flatnonzero(~test), "test clips": np.flatnonzero(test)}
    for name, clips in named.items():
        if len(clips) < 3:
            raise DataError(
                "too few clips for a trial", where=name, expected="at least three", got=len(clips)
            )
    return list(named.values())


def allowed_pairs(parts: Sequence[Clips], n_clips: int) -> Bool[np.ndarray, "n n"]:
    """(n, n) pairs within one of the sets."""
    allowed = np.zeros((n_clips, n_clips), dtype=bool)
    for clips in parts:
        allowed[np.ix_(clips, clips)] = True
    return allowed


def _block_sizes(settings: DesignSettings, groups: Sequence[Sequence[Clips]]) -> list[BlockSizes]:
    """Numbers of trials in the blocks of each group.

    Raises:
        ConfigError: too few trials.
    """
    wanted = [sum(_judgments_of(settings, group)) for group in groups] if settings.per_pair else []
    needed = [BlockSizes.of_judgments(n, settings) for n in wanted]
    if settings.trials is None:
        return needed
    if settings.trials < len(groups):
        raise _too_few(settings, len(groups))
    found = _divided(settings.trials, [sum(_shares(settings, group)) for group in groups])
    sizes = [BlockSizes.of_trials(n, settings) for n in found]
    if wanted and any(int(one.judgments.sum()) < n for one, n in zip(sizes, wanted, strict=True)):
        raise _too_few(settings, max(sum(map(len, needed)), settings.trials + 1))
    return sizes


def _too_few(settings: DesignSettings, least: int) -> ConfigError:
    for_pairs = f" for {settings.per_pair} observations of each pair" if settings.per_pair else ""
    return ConfigError(
        f"too few trials{for_pairs}",
        where="trials",
        expected=f"at least {least:,}",
        got=f"{settings.trials:,}",
    )


def _numbers(settings: DesignSettings, group: Sequence[Clips], n: int) -> list[int]:
    """n triplets, divided among the sets of clips of a group."""
    wanted = _judgments_of(settings, group)
    if not settings.per_pair:
        return _divided(n, _shares(settings, group))
    spare = _divided(n - sum(wanted), wanted)
    return [least + more for least, more in zip(wanted, spare, strict=True)]


def _shares(settings: DesignSettings, group: Sequence[Clips]) -> list[int]:
    """Relative numbers of trials: as wanted for each pair; or every clip equally often, with a covering every pair."""
    if settings.per_pair:
        return _judgments_of(settings, group)
    return [len(covering(len(part))) if settings.method == "covering" else len(part) for part in group]


def _divided(n: int, shares: Sequence[int]) -> list[int]:
    """n in proportion to shares, as integers with the same sum."""
    bounds = np.round(n * np.cumsum([0, *shares]) / sum(shares)).astype(np.int64)
    found: list[int] = np.diff(bounds).tolist()
    return found


def _judgments_of(settings: DesignSettings, group: Sequence[Clips]) -> list[int]:
    """Triplets for the wanted observations a pair, for each set of clips."""
    times, sizes = settings.per_pair or 0, [len(part) for part in group]
    if settings.method == "covering":
        return [times * len(covering(m)) for m in sizes]
    return [-(-times * m * (m - 1) // 6) for m in sizes]


def _drawn(
    settings: DesignSettings, part: Clips, n: int, people: Float[np.ndarray, "k c c"] | None, rng: np.random.Generator
) -> Int[np.ndarray, "t 3"]:  # fmt: skip
    if settings.method == "covering":
        local = covering_triplets(len(part), n, rng)
    elif settings.method == "adaptive" and people is not None:
        known = people[:, part[:, None], part]
        local = informative_triplets(known, n, rng, settings.random_share, settings.candidates)
    else:
        local = balanced_triplets(len(part), n, rng)
    triplets: Int[np.ndarray, "t 3"] = part[local]
    return triplets


def _interleaved(parts: Sequence[Int[np.ndarray, "_ 3"]], rng: np.random.Generator) -> Int[np.ndarray, "j 3"]:
    """Triplets of all sets in random order, except that each set keeps its own order, which is balanced."""
    source = rng.permutation(np.repeat(np.arange(len(parts)), [len(part) for part in parts]))
    mixed = np.empty((len(source), 3), dtype=np.int64)
    for number, part in enumerate(parts):
        mixed[source == number] = part
    return mixed
