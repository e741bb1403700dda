"""A faulty command line is one line that says what is expected, as every other error."""

from __future__ import annotations

import pytest

from bgs.cli.main import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["design", "x", "--method", "foo"], "Invalid value for '--method': 'foo' is not one of 'balanced',"),
        (["collect", "export", "x"], "Missing option '--out'"),
        (["design", "--nothing"], "No such option: --nothing"),
        (["collect", "nothing"], "No such command 'nothing'"),
        (["collect", "serve", "x", "--port", "70000"], "Invalid value for '--port'"),
    ],
)
def test_it_is_one_line(capsys, arguments, said):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    error = capsys.readouterr().err
    assert (end.value.code, error.count("\n")) == (2, 1)
    assert error.startswith(f"bgs: {said}")
    assert "--help`)" in error
    assert "Value error" not in error


def test_without_arguments_there_is_help(capsys):
    with pytest.raises(SystemExit):
        main(["collect"])
    said = capsys.readouterr()
    assert "Commands:" in said.out + said.err


@pytest.mark.parametrize("arguments", [["--version"], ["data", "list"]])
def test_success_exits_with_0(capsys, arguments):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert not end.value.code
