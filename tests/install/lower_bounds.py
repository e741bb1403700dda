"""See that every lower bound of pyproject.toml can be had: what it names is what the lowest resolution chooses.

Usage: ``python lower_bounds.py RESOLVED.txt [EXTRA ...]``, where the file is what ``uv pip compile --resolution
lowest-direct`` wrote. A bound that another package makes impossible is never tried, and promises what nobody tested.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def requirements(extras: Iterable[str]) -> Iterator[Requirement]:
    """What the package and its ``extras`` ask for, those of extras within extras too."""
    todo = [
        *PROJECT["dependencies"],
        *(text for extra in extras for text in PROJECT["optional-dependencies"][extra]),
    ]
    while todo:
        wanted = Requirement(todo.pop(0))
        if wanted.name == PROJECT["name"]:
            todo += [
                text for part in sorted(wanted.extras) for text in PROJECT["optional-dependencies"][part]
            ]
        else:
            yield wanted


def lower_bounds(extras: Iterable[str]) -> dict[str, Version]:
    """Package -> the highest of the lower bounds that are stated for it."""
    bounds: dict[str, Version] = {}
    for wanted in requirements(extras):
        stated = [Version(part.version) for part in wanted.specifier if part.operator in (">=", "==")]
        bounds[wanted.name] = max([bounds.get(wanted.name, Version("0")), *stated])
    return bounds


def main(file: str, extras: list[str]) -> int:
    pinned = re.findall(
        r"^([A-Za-z0-9._-]+)==([^\s;]+)", Path(file).read_text(encoding="utf-8"), re.MULTILINE
    )
    chosen = {re.sub(r"[-_.]+", "-", name).lower(): Version(version) for name, version in pinned}
    bounds = lower_bounds(extras)
    wrong = {
        name: bound
        for name, bound in bounds.items()
        if chosen[name].public != str(bound) and chosen[name] != bound
    }
    for name, bound in wrong.items():
        print(f"{name}>={bound} is never installed: the lowest that goes with the others is {chosen[name]}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
