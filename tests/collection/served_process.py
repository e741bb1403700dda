"""`bgs collect serve` as a process of its own, observers who take part in it, and whether it lost anything."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from bgs._files import read_json
from bgs.cli.main import main
from bgs.embeddings import Embeddings
from collection.conftest import CLIPS

GEOMETRY = Embeddings(np.random.default_rng(1).normal(size=(len(CLIPS), 3)), CLIPS, "made up")
#: Seconds that observers wait for a server that is away for most of the time.
PATIENCE = 600.0


class Process:
    """A server on one port, however often it is started."""

    def __init__(self, study: Path, url: str | None) -> None:
        self.study, self.url, self.port, self.admin = study, url, 0, ""
        self.process: subprocess.Popen[str] | None = None
        self.start()

    @property
    def command(self) -> list[str]:
        code = "import sys; from bgs.cli.main import main; main(sys.argv[1:])"
        arguments = ["collect", "serve", str(self.study), "--port", str(self.port), *self.where]
        return [sys.executable, "-c", code, *arguments]

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"}
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

    @property
    def where(self) -> list[str]:
        """Options that name the database."""
        return [] if self.url is None else ["--database", self.url]


class Running:
    """What a server runs, in a thread of the tests."""

    def __init__(self, made) -> None:
        self._server = made.server()
        self._thread = threading.Thread(target=self._server.run, args=([made.socket],))
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()


class InThread:
    """A server in a thread of the tests, which starts sooner than a process and cannot be killed."""

    def __init__(self, study: Path, url: str | None = None) -> None:
        from bgs.collection.serving import StudyServer

        self.study, self.url = study, url
        self._study_server = StudyServer(study, port=0, database=url)
        self.address, self.admin = self._study_server.about.address, self._study_server.about.admin_token
        self.port = self._study_server.socket.getsockname()[1]
        self._running = Running(self._study_server)

    def stop(self) -> None:
        self._running.stop()
        self._study_server.database.close()

    where = Process.where


class Observers:
    """Simulated observers who take part in a thread; what they were acknowledged is their ledger.

    Args:
        address: of the server, or of what stands before it.
        people: who all come at once.
        pace: mean seconds between answers of one of them.
    """

    def __init__(self, address: str, people: int, pace: float = 0.0) -> None:
        from bgs.collection.simulating import simulate_participants

        self.people, self._done = people, []
        self._thread = threading.Thread(
            target=lambda: self._done.append(
                simulate_participants(address, GEOMETRY, people, at_once=people, pace=pace, patience=PATIENCE)
            )
        )
        self._thread.start()

    @property
    def busy(self) -> bool:
        return self._thread.is_alive()

    def ledger(self):
        """Once everybody has finished."""
        self._thread.join()
        (ledger,) = self._done
        return ledger


def command(*arguments: str) -> int:
    """Exit status of `bgs collect`."""
    with pytest.raises(SystemExit) as end:
        main(["collect", *arguments])
    return end.value.code or 0


def export(process: Process | InThread, out: Path, *options: str) -> list[dict[str, str]]:
    assert command("export", str(process.study), "--out", str(out), *options, *process.where) == 0
    return list(csv.DictReader(out.read_text().splitlines()))


def assert_nothing_lost(process: Process | InThread, ledger, people: int, trials: int, out: Path) -> None:
    """Everybody got the code; the export is what was acknowledged, each answer once; nobody had two blocks, and no block two."""
    from bgs.collection.secrets import open_secrets

    assert Counter(ledger.codes.values()) == {"DONE-1": people}
    assert len(ledger.codes) == people
    secrets, _ = open_secrets(process.study)
    acknowledged = Counter(
        (f"p-{secrets.participant_key('simulated', name)[:16]}", one.trial, *one.stimuli, one.stimuli[one.odd], one.rt_ms / 1000)
        for name, one in ledger.answers
    )  # fmt: skip
    rows = export(process, out, "--with-excluded")
    names = ("participant", "trial", "stim1", "stim2", "stim3", "odd", "rt")
    kinds = (str, int, str, str, str, str, float)
    stored = Counter(tuple(kind(row[name]) for kind, name in zip(kinds, names, strict=True)) for row in rows)
    assert stored == acknowledged
    assert set(stored.values()) == {1}
    assert len(rows) == people * trials
    assert rows == export(process, out)  # no block went to somebody else
    assert set(Counter((row["block"], row["trial"]) for row in rows).values()) == {1}
    assert len({(row["block"], row["participant"]) for row in rows}) == people
    assert command("status", str(process.study), "--json", str(out.with_suffix(".json")), *process.where) == 0
    status = read_json(out.with_suffix(".json"))
    assert (status["complete"], status["active"] + status["abandoned"]) == (people, 0)
    assert status["answers"] == len(rows)
