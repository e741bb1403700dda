"""Optional packages, imported when first needed; a missing one names the extra that brings it."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from bgs._errors import MissingExtraError


def require(module: str, extra: str) -> ModuleType:
    """Import ``module`` or raise :class:`MissingExtraError` naming the extra to install."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != module.partition(".")[0]:
            raise
        raise MissingExtraError(
            f"this needs the package {module.partition('.')[0]!r}",
            hint=f"pip install 'bgs-video[{extra}]'",
        ) from None
