"""The generated pages of the documentation site, and links between pages."""

from __future__ import annotations

import html
import sys
from pathlib import Path

import pytest

from test_docs import COMMANDS

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "website"))


def test_the_page_of_commands_has_every_option_of_every_command():
    from command_reference import command_reference

    sections = {part.partition("\n")[0].lstrip("# "): part for part in command_reference().split("\n##")}
    for path, command in COMMANDS.items():
        shown = html.unescape(sections["bgs " + " ".join(path)])
        for parameter in command.params:
            if parameter.name != "help":
                assert " ".join((parameter.help or "").split()) in shown
                assert parameter.param_type_name == "argument" or all(
                    name in shown for name in parameter.opts
                )
        assert (command.epilog or "").removeprefix("Example: ") in shown


@pytest.mark.parametrize(
    ("page", "link", "on_the_site"),
    [
        ("simulated-clips.md", "../src/bgs/backbones/weights/README.md", "tiny-videomae.md"),
        ("changes.md", "docs/decisions/0015-chapters.md#why", "decisions/0015-chapters.md#why"),
        ("concepts/noise-ceiling.md", "../../README.md", "../overview.md"),
        ("tutorials/cluster.md", "../limits.md", "../limits.md"),
        ("limits.md", "https://arxiv.org/abs/2510.01502", "https://arxiv.org/abs/2510.01502"),
        ("limits.md", "#here", "#here"),
        ("limits.md", "../configs/nowhere.yaml", "../configs/nowhere.yaml"),
    ],
)
def test_links_of_the_repository_lead_to_pages_of_the_site(page, link, on_the_site):
    pages = pytest.importorskip("pages", reason="the extra docs is not installed")
    assert pages.relinked(f"See [it]({link}).", page) == f"See [it]({on_the_site})."
