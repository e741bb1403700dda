"""Packages that are to look as if they were not installed, in the process that hides them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any


class _Finder:
    """Another finder without the hidden packages: not there for ``import`` nor for ``importlib.util.find_spec``."""

    def __init__(self, finder: Any, hidden: frozenset[str]) -> None:
        self.finder, self.hidden = finder, hidden

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        return None if name.partition(".")[0] in self.hidden else self.finder.find_spec(name, path, target)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.finder, name)


def hide(packages: Iterable[str]) -> None:
    """Hide top-level ``packages`` from all that is imported from now on."""
    hidden = frozenset(packages)
    sys.meta_path[:] = [_Finder(finder, hidden) for finder in sys.meta_path]
    for name in [name for name in sys.modules if name.partition(".")[0] in hidden]:
        del sys.modules[name]
