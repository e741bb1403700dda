"""Puts the pages into the wheel: they are built from web/ where Node is there, and left out, with a word, where not."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
#: Page -> the packages that make it, in this order: the study page uses the plugin.
PAGES = {
    ROOT / "src/bgs/collection/web/page/index.html": ("web/plugin-odd-one-out", "web/study"),
    ROOT / "src/bgs/library/web/page/index.html": ("web/browse",),
}


def build_pages() -> bool:
    """Build the pages that are not there; whether all are."""
    npm = shutil.which("npm")
    for page, packages in PAGES.items():
        if page.is_file() or npm is None:
            continue
        for package in packages:
            for command in (("ci", "--no-audit", "--no-fund"), ("run", "build")):
                subprocess.run([npm, *command], cwd=ROOT / package, check=True)
    return all(page.is_file() for page in PAGES)


class PageBuildHook(BuildHookInterface):
    """Runs before a wheel is packed; an editable installation uses what `make web` built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the pages for an ordinary wheel."""
        if version != "editable" and not build_pages():
            self.app.display_warning(
                "Node is not installed: the wheel lacks pages (`bgs collect serve` and `bgs browse` say so)"
            )
