"""A real server process: killed at random while observers answer, it loses nothing that it acknowledged."""

from __future__ import annotations

import random
import time

import pytest

from bgs._files import read_json
from collection.conftest import N_TRIALS
from collection.served_process import Observers, Process, assert_nothing_lost, command

pytest.importorskip("uvicorn")


def survive(process: Process, people: int, kills: int, out) -> None:
    """Observers take part while the server is killed; the ledger of what was acknowledged equals the export."""
    observers = Observers(process.address, people)
    chance, done = random.Random(0), 0
    while observers.busy and done < kills:
        time.sleep(chance.uniform(0.05, 0.4))
        process.kill()
        process.start()
        done += 1
    ledger = observers.ledger()
    assert done == kills
    assert_nothing_lost(process, ledger, people, N_TRIALS, out)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_what_was_acknowledged_outlives_kills(process, tmp_path):
    survive(process(12), people=12, kills=2, out=tmp_path / "export.csv")


@pytest.mark.slow
def test_fifty_kills(process, tmp_path):
    survive(process(300), people=300, kills=50, out=tmp_path / "export.csv")


def test_status_and_simulation_by_command(process, tmp_path, capsys):
    served = process(3)
    study, ledger, status = str(served.study), tmp_path / "ledger.json", tmp_path / "status.json"
    assert command("simulate", study, served.address, "--participants", "2", "--json", str(ledger)) == 0
    assert read_json(ledger) == {"completed": 2, "answers": 2 * N_TRIALS, "refused": {}}
    assert command("status", study, "--json", str(status), *served.where) == 0
    found = read_json(status)
    assert (found["complete"], found["free"], found["answers"]) == (2, 1, 2 * N_TRIALS)
    assert found["pairs"] <= found["pairs_planned"]
    assert command("erase", study, "sim-0-0", "--source", "simulated", *served.where) == 0
    assert f"{N_TRIALS} answers erased" in capsys.readouterr().out


def test_a_taken_port_is_one_line(process, capsys):
    served = process(1)
    assert command("serve", str(served.study), "--port", str(served.port)) == 2
    assert "cannot listen here" in capsys.readouterr().err
