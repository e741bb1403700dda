"""Writes docs/licences.md: the licence of every package that bgs asks for, from what is installed.

    python reproduce/licences.py

Needs the extra dev (`make licences`). A package whose licence obliges those who pass it on has a note in NOTES; the script
fails where a licence is unknown, or such a note is missing.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

from bgs._files import write_text

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/licences.md"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
#: Extras of the package itself; the others are for those who develop it.
TOOLS = ("dev", "docs", "browser")
#: Where metadata name no licence, or a text instead of a name: what the package's own licence file says.
STATED = {
    "uv": "MIT OR Apache-2.0",
    "ai-edge-litert": "Apache-2.0",  # not installed with the extra dev
    "torchcodec": "BSD-3-Clause",  # likewise
}
#: Licences that ask for more than to be named, and why they are no obstacle.
NOTES = {
    "codespell": "GPL: a tool that checks spelling; nothing of it gets into the package",
    "hypothesis": "MPL: a tool of the tests; nothing of it gets into the package",
    "av": "its wheels contain FFmpeg, built under the LGPL 3",
    "psycopg": "LGPL: used as a library and not changed; passed on only by who bundles it",
}
PERMISSIVE = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|Python-2|HPND|Unlicense|CC0|0BSD|Zlib|Public Domain",
    re.IGNORECASE,
)
COPYLEFT = re.compile(r"GPL|MPL|Mozilla|EUPL|CDDL|EPL|SSPL|Affero", re.IGNORECASE)


def normal(name: str) -> str:
    """A name as package indices compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def asked_for(texts: Iterable[str]) -> set[str]:
    """Packages named by requirements, those of extras within extras too."""
    found: set[str] = set()
    for wanted in map(Requirement, texts):
        if wanted.name == PROJECT["name"]:
            for part in wanted.extras:
                found |= asked_for(PROJECT["optional-dependencies"][part])
        else:
            found.add(normal(wanted.name))
    return found


def licence(name: str) -> str:
    """What a package's metadata, or STATED, name; empty where neither does."""
    if name in STATED:
        return STATED[name]
    about = distribution(name).metadata
    classified = [
        text.rpartition(" :: ")[2]
        for text in about.get_all("Classifier", ())
        if text.startswith("License ::")
    ]
    short = (about.get("License") or "").strip()
    named = about.get("License-Expression") or ", ".join(c for c in classified if c != "OSI Approved")
    return named or (short if 0 < len(short) < 60 and "\n" not in short else "")


def faults(licences: dict[str, str]) -> list[str]:
    """Packages whose licence is unknown, or obliges and has no note."""
    wrong = []
    for name, text in licences.items():
        if not text or not (PERMISSIVE.search(text) or COPYLEFT.search(text)):
            wrong.append(f"{name}: unknown licence {text!r}")
        elif COPYLEFT.search(text) and name not in NOTES:
            wrong.append(f"{name}: {text} needs a note")
    return wrong


def table(licences: dict[str, str], extras: dict[str, set[str]]) -> str:
    """A row for each package."""
    rows = []
    for name, text in sorted(licences.items()):
        of = ", ".join(
            f"`{extra}`" if extra else "always" for extra, packages in extras.items() if name in packages
        )
        rows.append(f"| {name} | {text} | {of} | {NOTES.get(name, '')} |")
    return "\n".join(["| package | licence | installed with | note |", "|---|---|---|---|", *rows])


INTRODUCTION = """# Licences of dependencies

bgs is under the MIT licence. It asks for the following packages and contains none of them. Each is under its own licence, as its
metadata name it. Packages that these ask for in turn are not listed. Model weights and data sets have licences of their own
(`bgs models list`, `bgs data list`). `make licences` writes this page.
"""


def main() -> int:
    extras = {"": asked_for(PROJECT["dependencies"])}
    extras |= {
        name: asked_for(texts) - extras[""] for name, texts in PROJECT["optional-dependencies"].items()
    }
    names = set().union(*extras.values())
    try:
        licences = {name: licence(name) for name in sorted(names)}
    except PackageNotFoundError as error:
        print(f"{error.name} is not installed")
        return 1
    wrong = faults(licences)
    print("\n".join(wrong))
    tools = set().union(*(extras[name] for name in TOOLS))
    used = set().union(*(packages for name, packages in extras.items() if name not in TOOLS))
    parts = {
        "Of the package": (used, {name: packages for name, packages in extras.items() if name not in TOOLS}),
        "For developing it": (tools - used, {name: extras[name] for name in TOOLS}),
    }
    tables = [
        f"## {title}\n\n{table({name: licences[name] for name in sorted(of)}, columns)}\n"
        for title, (of, columns) in parts.items()
    ]
    if not wrong:
        write_text(PAGE, "\n".join([INTRODUCTION, *tables]))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
