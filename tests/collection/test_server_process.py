"""A real server process: killed at random while observers answer, it loses nothing that it acknowledged."""

from __future__ import annotations

import csv
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from bgs._files import read_json
from bgs.cli.main import main
from bgs.embeddings import Embeddings
from collection.conftest import CLIPS, N_TRIALS, write_study

pytest.importorskip("uvicorn")
GEOMETRY = Embeddings(np.random.default_rng(1).normal(size=(len(CLIPS), 3)), CLIPS, "made up")


class Process:
    """`bgs collect serve` as a process of its own, on one port, however often it is started."""

    def __init__(self, study: Path, url: str | None) -> None:
        self.study, self.url, self.port, self.admin = study, url, 0, ""
        self.process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        code = "import sys; from bgs.cli.main import main; main(sys.argv[1:])"
        more = [] if self.url is None else ["--database", self.url]
        arguments = ["collect", "serve", str(self.study), "--port", str(self.port), *more]
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        line = self.process.stdout.readline()
        self.address = line.split(" at ")[1].split(" ")[0]
        self.port = int(self.address.rstrip("/").rpartition(":")[2])
        if not self.admin:  # shown when the study is first served
            self.admin = self.process.stdout.readline().rpartition(" ")[2].strip()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def process(tmp_path, url):
    made = []

    def start(blocks: int) -> Process:
        made.append(Process(write_study(tmp_path / "study", blocks=blocks), url))
        return made[-1]

    yield start
    for one in made:
        one.kill()


def export(process: Process, out: Path) -> list[dict[str, str]]:
    more = [] if process.url is None else ["--database", process.url]
    with pytest.raises(SystemExit) as end:
        main(["collect", "export", str(process.study), "--out", str(out), *more])
    assert not end.value.code
    return list(csv.DictReader(out.read_text().splitlines()))


def survive(process: Process, people: int, kills: int, out: Path) -> None:
    """Observers take part while the server is killed; the ledger of what was acknowledged equals the export."""
    from bgs.collection.simulating import simulate_participants

    ledger = []
    working = threading.Thread(
        target=lambda: ledger.append(simulate_participants(process.address, GEOMETRY, people, at_once=people))
    )
    working.start()
    chance, done = random.Random(0), 0
    while working.is_alive() and done < kills:
        time.sleep(chance.uniform(0.05, 0.4))
        process.kill()
        process.start()
        done += 1
    working.join()
    assert done == kills
    (found,) = ledger
    assert set(found.codes.values()) == {"DONE-1"}
    assert len(found.codes) == people
    acknowledged = Counter(
        (answer.stimuli, answer.stimuli[answer.odd], answer.rt_ms) for _, answer in found.answers
    )
    rows = export(process, out)
    stored = Counter(
        ((row["stim1"], row["stim2"], row["stim3"]), row["odd"], 1000 * float(row["rt"])) for row in rows
    )
    assert len(rows) == len(found.answers) == people * N_TRIALS
    assert Counter(key[:2] for key in stored) == Counter(key[:2] for key in acknowledged)
    np.testing.assert_allclose(sorted(key[2] for key in stored), sorted(key[2] for key in acknowledged))
    assert set(Counter((row["block"], row["trial"]) for row in rows).values()) == {1}


def test_what_was_acknowledged_outlives_kills(process, tmp_path):
    survive(process(12), people=12, kills=2, out=tmp_path / "export.csv")


@pytest.mark.slow
def test_fifty_kills(process, tmp_path):
    survive(process(300), people=300, kills=50, out=tmp_path / "export.csv")


def test_status_and_simulation_by_command(process, tmp_path, capsys):
    served = process(3)
    study, more = str(served.study), [] if served.url is None else ["--database", served.url]

    def run(*arguments: str) -> None:
        with pytest.raises(SystemExit) as end:
            main(["collect", *arguments])
        assert not end.value.code

    run("simulate", study, served.address, "--participants", "2", "--json", str(tmp_path / "ledger.json"))
    assert read_json(tmp_path / "ledger.json") == {"completed": 2, "answers": 2 * N_TRIALS, "refused": {}}
    run("status", study, "--json", str(tmp_path / "status.json"), *more)
    found = read_json(tmp_path / "status.json")
    assert (found["complete"], found["free"], found["answers"]) == (2, 1, 2 * N_TRIALS)
    assert found["pairs"] <= found["pairs_planned"]
    run("erase", study, "sim-0-0", "--source", "link", *more)
    assert f"{N_TRIALS} answers erased" in capsys.readouterr().out


def test_a_taken_port_is_one_line(process, capsys):
    served = process(1)
    with pytest.raises(SystemExit) as end:
        main(["collect", "serve", str(served.study), "--port", str(served.port)])
    assert end.value.code == 2
    assert "cannot listen here" in capsys.readouterr().err
