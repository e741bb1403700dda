"""Torch's deterministic algorithms, for as long as a training takes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from bgs._errors import ConfigError, message_of


@contextmanager
def deterministic(wanted: bool) -> Iterator[None]:
    """Use only deterministic algorithms within, if wanted; torch's settings of before are restored.

    Raises:
        ConfigError: an operation has no deterministic algorithm on this device.
    """
    if not wanted:
        yield
        return
    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    # cuBLAS reads this when it is first used
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    try:
        yield
    except RuntimeError as error:
        if "deterministic" not in str(error):
            raise
        raise ConfigError(
            "an operation of this model has no deterministic algorithm here", where="deterministic",
            got=message_of(error)[:150], hint="deterministic: false, or another device",
        ) from error  # fmt: skip
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
