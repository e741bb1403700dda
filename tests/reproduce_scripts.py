"""Loads a script of reproduce/ as a module."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest

SCRIPTS = Path(__file__).parents[1] / "reproduce"


def load_script(name: str) -> ModuleType:
    """The module ``reproduce/<name>.py``; it finds the modules beside it while it is loaded."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        return importlib.import_module(name)
