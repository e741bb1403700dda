"""Named random streams derived from a seed, so that no stream depends on what was drawn before it."""

from __future__ import annotations

import hashlib

import numpy as np

from bgs._errors import ConfigError


def _entropy(seed: int, names: tuple[object, ...]) -> list[int]:
    if seed < 0:
        raise ConfigError("out of range", where="seed", expected="0 or more", got=seed)
    digest = hashlib.sha256("/".join(str(name) for name in names).encode()).digest()
    return [seed, *np.frombuffer(digest, dtype=np.uint32).tolist()]


def generator(seed: int, *names: object) -> np.random.Generator:
    """A generator that depends only on ``seed`` and the path of ``names``; identical on every machine.

    Raises:
        ConfigError: the seed is negative.
    """
    return np.random.default_rng(_entropy(seed, names))


def torch_seed(seed: int, *names: object) -> int:
    """A 63-bit seed for ``torch.manual_seed``, from the same naming scheme."""
    return int(generator(seed, *names).integers(2**63 - 1))
