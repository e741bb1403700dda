"""The program as a user runs it, in this process: what it prints, and its one line where it refuses."""

from __future__ import annotations

import pytest

from bgs.cli.main import main


def runs(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Standard output of a command that succeeds."""
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    assert caught.value.code == 0, said.err
    return said.out


def fails(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The last line of a command that refuses with exit code 2 and without a traceback."""
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    said = capsys.readouterr().err.splitlines()
    assert caught.value.code == 2
    assert said[-1].startswith("bgs: ")
    assert not any(line.startswith("Traceback") for line in said)
    return said[-1]
