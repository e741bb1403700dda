"""Every command of a tutorial runs, exactly as shown, in a folder of its own.

Blocks ``bash`` and ``python`` are executed in order, one with a title ``In a terminal of its own`` in the background. A
block with a file name as its title is written to that file. Blocks ``sh`` and ``text`` are only shown.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

TUTORIALS = Path(__file__).parents[2] / "docs/tutorials"
_BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.DOTALL | re.MULTILINE)
BACKGROUND = "In a terminal of its own"


def blocks(page: str) -> list[tuple[str, str, str]]:
    """Language, title and text of each."""
    found = _BLOCK.findall((TUTORIALS / page).read_text(encoding="utf-8"))
    assert any(language == "bash" for language, _, _ in found)
    return found


def run(page: str, folder: Path) -> str:
    """Do what the page says; what its commands printed."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    shown = ""
    with ExitStack() as stack:
        for language, title, text in blocks(page):
            if language in ("yaml", "csv"):
                (folder / title).write_text(text, encoding="utf-8")
            elif title == BACKGROUND:
                _in_background(text, folder, environment, stack)
            elif language in ("bash", "python"):
                shown += _done([*_PROGRAM[language], text], folder, environment)
    return shown


_PROGRAM = {"bash": ("bash", "-euo", "pipefail", "-c"), "python": (sys.executable, "-W", "ignore", "-c")}


def _done(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, f"{command[-1]}\n{done.stdout}"
    return done.stdout


def _in_background(text: str, folder: Path, environment: dict[str, str], stack: ExitStack) -> None:
    """A server: it runs until the page is done, and the next block starts once it says its address."""
    log = stack.enter_context((folder / "server.log").open("w+"))
    server = stack.enter_context(
        subprocess.Popen(
            ["bash", "-c", f"exec {text.strip()}"],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    )
    stack.callback(server.terminate)
    said = folder / "server.log"
    while "http://" not in said.read_text():
        assert server.poll() is None, said.read_text()
        time.sleep(0.1)


@pytest.mark.slow
def test_a_study_of_your_own(tmp_path):
    shown = run("own-study.md", tmp_path)
    assert "6 of 6 completed a block" in shown
    assert (tmp_path / "my-study/trials.csv").is_file()


@pytest.mark.slow
def test_your_own_clips_and_judgments(tmp_path):
    shown = run("own-clips.md", tmp_path)
    assert "Compared with" in shown
    assert (tmp_path / "gain.json").is_file()


@pytest.mark.slow
@pytest.mark.real
def test_real_judgments_and_a_sentence_encoder(tmp_path, mirror):
    shown = run("real-judgments.md", tmp_path)
    assert "submitted twice   166" in shown
    assert "90% interval" in shown
    assert shown.splitlines()[-1] == "They argue."


@pytest.mark.slow
def test_a_grid_on_several_machines(tmp_path):
    shown = run("cluster.md", tmp_path)
    assert not (tmp_path / "whole/cells/captions/hybrid/seed-0/error.json").exists()
    assert shown.count("choosing the pull") == 0
    assert (tmp_path / "whole/report.html").is_file()


def test_every_tutorial_is_run():
    here = Path(__file__).read_text(encoding="utf-8")
    assert all(f'"{page.name}"' in here for page in TUTORIALS.glob("*.md"))
