"""Puts the study page into the wheel: it is built from web/ where Node is there, and left out, with a word, where not."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
PAGE = ROOT / "src/bgs/collection/web/page/index.html"
#: In this order: the page uses the plugin.
PACKAGES = ("web/plugin-odd-one-out", "web/study")


def build_page() -> bool:
    """Build the page; whether it is there."""
    npm = shutil.which("npm")
    if PAGE.is_file() or npm is None:
        return PAGE.is_file()
    for package in PACKAGES:
        for command in (("ci", "--no-audit", "--no-fund"), ("run", "build")):
            subprocess.run([npm, *command], cwd=ROOT / package, check=True)
    return PAGE.is_file()


class PageBuildHook(BuildHookInterface):
    """Runs before a wheel is packed; an editable installation uses what `make web` built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page for an ordinary wheel."""
        if version != "editable" and not build_page():
            self.app.display_warning(
                "Node is not installed: the wheel has no study page (`bgs collect serve` says so)"
            )
