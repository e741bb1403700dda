"""Every public name of `bgs` as one page of Markdown, for mkdocstrings to fill in."""

from __future__ import annotations

import inspect

import bgs

INTRODUCTION = """# Calls

Every name of `import bgs`, from its docstring. [bgs from Python](python.md) shows them at work.
"""


def call_reference() -> str:
    """The page: a table of names, then each with its signature and docstring."""
    names = [name for name in bgs.__all__ if not name.startswith("__")]
    rows = [f"| [`bgs.{name}`](#{_address(name)}) | {_summary(name)} |" for name in names]
    return "\n".join([INTRODUCTION, "| | |\n|---|---|", *rows, "", *(_entry(name) for name in names)])


def _address(name: str) -> str:
    """Where the name is defined, which is also its anchor."""
    found = getattr(bgs, name)
    return f"{found.__module__}.{found.__qualname__}"


def _summary(name: str) -> str:
    first = (inspect.getdoc(getattr(bgs, name)) or "").split("\n\n")[0]
    return " ".join(first.split()).replace("|", "&#124;").replace("``", "`")


def _entry(name: str) -> str:
    return f"::: {_address(name)}\n    options:\n      heading: bgs.{name}\n      toc_label: {name}\n"
