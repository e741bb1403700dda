"""Lazy imports: public names are resolved on first use, so that each part needs only its own optional packages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from bgs._optional import missing_extra


def lazy(package: str, names: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """The ``__getattr__`` of a package.

    Args:
        package: its ``__name__``.
        names: module of the package -> its public names; none may have the name of a module.

    Returns:
        The function. If the module of a name needs a package that is not installed, it raises
        :class:`bgs._errors.MissingExtraError`.
    """
    where = {name: module for module, inside in names.items() for name in inside}

    def getattr_(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        try:
            module = import_module(f"{package}.{where[name]}")
        except ModuleNotFoundError as error:
            raise missing_extra(error) or error from error
        return getattr(module, name)

    return getattr_
