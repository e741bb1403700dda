"""The version stands in ``bgs/__init__.py``; what cannot read it there says the same."""

from __future__ import annotations

import tomllib
from pathlib import Path

import yaml

import bgs

ROOT = Path(__file__).parents[2]


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == bgs.__version__


def test_the_distribution_reads_its_version_from_the_package():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["project"]["dynamic"] == ["version"]
    assert ROOT / settings["tool"]["hatch"]["version"]["path"] == Path(bgs.__file__)
