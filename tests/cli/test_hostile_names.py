"""Names of files as others chose them: they are shown as they are, and do nothing to the terminal or to the program."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from bgs._errors import shown
from bgs._files import json_text
from bgs.cli.main import main
from bgs.views.console import as_text, facts, table
from clips import write_clip
from program import fails, runs

CLIPS = ("They[b] hug[/b] [red].", "They argue.", "She\x1b[31m waits.")


def test_brackets_are_no_markup(tiny_text, capsys):
    said = runs(capsys, "odd", *CLIPS, "--model", f"text:{tiny_text}")
    assert CLIPS[0] in said
    assert "\x1b[31m" not in said
    assert "[/b] [red]" in as_text(table("[/b] [red]", ["[/b] [red]"], []))
    assert "[/b] [red]" in as_text(facts("[/b] [red]", [("[/x]", "[/y]")]))


def test_control_characters_are_shown(capsys, tmp_path):
    assert shown("a\x1b[31m\u202f\n\udcff") == "a\\x1b[31m\u202f\n\\udcff"
    (tmp_path / "a\x1b[31m.mp4").write_bytes(b"")
    with pytest.raises(SystemExit):
        main(["odd", str(tmp_path / "a\x1b[31m.mp4"), "b.mp4", "c.mp4", "--model", "pixels:"])
    said = capsys.readouterr().err
    assert "\\x1b[31m.mp4: empty file" in said
    assert "\x1b" not in said


def test_json_has_every_file_name():
    name = os.fsdecode(b"x\xe9.mp4")
    assert json.loads(json_text({name: "é"}).encode()) == {name: "é"}


def test_a_sentence_that_is_no_text_is_one_line(tiny_text, capsys):
    assert "a caption that is not UTF-8" in fails(
        capsys, "odd", "x\udce9", "b", "c", "--model", f"text:{tiny_text}"
    )


@pytest.mark.parametrize("options", [(), ("--json", "-")])
def test_names_that_are_no_text_can_be_printed(tmp_path, options):
    names = [os.fsencode(tmp_path) + name for name in (b"/x\xe9.mp4", b"/b.mp4", b"/c.mp4")]
    for seed, name in enumerate(names):
        picture = np.full((64, 64, 3), 80 * seed, np.uint8)
        write_clip(tmp_path / "new.mp4", [picture] * 8).rename(os.fsdecode(name))
    command = [sys.executable, "-m", "bgs.cli.main", "odd", *names, "--model", "pixels:", *options]
    done = subprocess.run(command, capture_output=True, env=os.environ | {"PYTHONIOENCODING": "utf-8:strict"})
    assert done.returncode == 0, done.stderr
    assert rb"x\udce9" in done.stdout
