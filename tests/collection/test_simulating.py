"""Simulated observers are refused where they would only wait, and whoever reads their answers can tell."""

from __future__ import annotations

import csv
import socket

import httpx
import pytest

import bgs
from bgs._errors import BgsError
from collection.conftest import N_BLOCKS, N_TRIALS, write_study
from collection.served_process import InThread, command

pytest.importorskip("uvicorn")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    server = InThread(write_study(tmp_path_factory.mktemp("simulated") / "study"))
    yield server
    server.stop()


@pytest.fixture
def closed():
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}/"


def test_their_answers_are_marked_everywhere(served, tmp_path, caplog, capsys):
    study = bgs.Study(served.study)
    join = {"source": "prolific", "participant": "anna"}
    assert httpx.post(f"{served.address}api/join", json=join).status_code == 200
    study.simulate(served.address, 2)
    assert "people have come to this study (1); SIMULATED observers now take blocks of it" in caplog.text
    found = study.progress()
    assert (found.participants, found.simulated) == (3, 2)
    assert command("export", str(served.study), "--out", str(tmp_path / "trials.csv")) == 0
    assert f"Note: of SIMULATED observers (column source): {2 * N_TRIALS} answers" in capsys.readouterr().out
    rows = list(csv.DictReader((tmp_path / "trials.csv").read_text().splitlines()))
    assert {row["source"] for row in rows} == {"simulated"}
    (tmp_path / "stimuli.csv").write_bytes((served.study / "stimuli.csv").read_bytes())
    assert bgs.load_dataset(tmp_path).simulated
    # When the study is full, that is said, and there is no time of an answer that nobody gave.
    assert (
        command("simulate", str(served.study), served.address, "--participants", str(N_BLOCKS), "--seed", "1")
        == 0
    )
    assert "refused: 3 full" in capsys.readouterr().out
    assert command("simulate", str(served.study), served.address, "--participants", "2", "--seed", "2") == 2
    said = capsys.readouterr()
    assert "nobody answered a trial; got refused: 2 full" in said.err
    assert "nan" not in said.out + said.err


def test_another_study_is_refused(served, tmp_path):
    other = write_study(tmp_path / "other", trials=4)
    with pytest.raises(BgsError, match="another study is served here, or an earlier schedule of this one"):
        bgs.Study(other).simulate(served.address, 1)
    with pytest.raises(BgsError, match="this is not the server of a study"):
        bgs.Study(other).simulate(f"{served.address}clips/", 1)


def test_a_dead_address_is_known_at_once(study_path, closed):
    with pytest.raises(BgsError, match="nobody answers here: Connection refused") as error:
        bgs.Study(study_path).simulate(closed, 1)
    assert "Errno" not in str(error.value)
