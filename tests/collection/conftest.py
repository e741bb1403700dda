"""A small study folder: six clips, four blocks of five trials, and its server."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from clips import write_clip
from collection.postgres import cluster, programs

CLIPS = tuple(f"clip {k}" for k in range(6))
N_BLOCKS, N_TRIALS = 4, 5


#: Where screenshots of every page are kept: with SIMULATED clips, which are fit to be seen in the docs.
SHOTS = os.environ.get("BGS_SCREENSHOTS")


def _contents() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{k}.mp4" for k in range(len(CLIPS))]
        for k, path in enumerate(
            paths
        ):  # their lengths differ, by which the test tells which clip is shown twice
            pictures = _simulated(Path(folder) / "films", k)[: 20 + k] if SHOTS else 6 + k
            write_clip(path, pictures, rate=25, options={"movflags": "faststart"})
        return [path.read_bytes() for path in paths]


def _simulated(folder: Path, number: int) -> list[np.ndarray]:
    import av

    from bgs.experiments.simulated import film_world
    from bgs.simulation.clip_folder import ClipSettings

    film_world(ClipSettings(clips=16, size=256), folder)
    with av.open(str(sorted(folder.rglob("*.mp4"))[number])) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


#: Short real clips, made once.
CONTENT = _contents()


def write_study(folder: Path, blocks: int = N_BLOCKS, trials: int = N_TRIALS, settings: str = "") -> Path:
    """A study folder; the last trial of each block shows one clip twice."""
    (folder / "clips").mkdir(parents=True)
    rows = [["stimulus_id", "video"]]
    for k, name in enumerate(CLIPS):
        (folder / f"clips/{k}.mp4").write_bytes(CONTENT[k])
        rows.append([name, f"clips/{k}.mp4"])
    random = np.random.default_rng(0)
    schedule: list[list[Any]] = [["block", "trial", "stim1", "stim2", "stim3", "kind"]]
    for block in range(blocks):
        for trial in range(trials):
            a, b, c = (CLIPS[i] for i in random.choice(len(CLIPS), 3, replace=False))
            check = trial == trials - 1
            schedule.append(
                [f"block-{block}", trial, a, b, a if check else c, "check" if check else "judgment"]
            )
    for name, table in (("stimuli.csv", rows), ("schedule.csv", schedule)):
        with (folder / name).open("w", newline="") as stream:
            csv.writer(stream).writerows(table)
    (folder / "study.yaml").write_text(settings or SETTINGS)
    return folder


SETTINGS = """
title: A small study
codes: {completed: DONE-1, no_consent: NO-2, failed_attention: FAIL-3, incompatible: DEVICE-4, return_url: "https://example.org/?cc="}
attention: {allowed_failures: 0}
practice: [["clip 0", "clip 1", "clip 2"]]
"""


@pytest.fixture
def study_path(tmp_path: Path) -> Path:
    return write_study(tmp_path / "study")


@dataclass
class Clock:
    """A wall clock that the test sets."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Served:
    """A server without a network."""

    client: Any
    database: Any
    study: Any
    secrets: Any
    clock: Clock
    admin: str
    ledger: list[dict[str, Any]] = field(default_factory=list)

    def join(self, who: str = "anna", source: str = "prolific") -> Visitor:
        response = self.client.post("/api/join", json={"source": source, "participant": who})
        assert response.status_code == 200, response.text
        return Visitor(self, response.json()["token"])


@dataclass
class Visitor:
    """A participant with a token."""

    served: Served
    token: str

    def call(self, method: str, path: str, **more: Any) -> Any:
        return self.served.client.request(
            method, f"/api/{path}", headers={"authorization": f"Bearer {self.token}"}, **more
        )

    def session(self) -> dict[str, Any]:
        return self.call("GET", "session").json()

    def consent(self) -> Visitor:
        assert self.call("POST", "consent").status_code == 200
        return self

    def message(self, trial: int, choose: Callable[[list[str]], int] | None = None) -> dict[str, Any]:
        shown = [clip["id"] for clip in self.session()["trials"][trial]["clips"]]
        return {
            "client_id": str(uuid4()), "trial": trial, "stimuli": shown, "odd": (choose or attentive)(shown),
            "rt": 1234.5, "enabled_after": 3000.0, "plays": [1, 2, 1],
        }  # fmt: skip

    def answer(self, trial: int, choose: Callable[[list[str]], int] | None = None) -> Any:
        return self.call("POST", "answers", json=self.message(trial, choose))

    def finish(self, choose: Callable[[list[str]], int] | None = None) -> Any:
        for trial in range(N_TRIALS):
            assert self.answer(trial, choose).status_code == 200
        return self.call("POST", "complete")


def attentive(shown: list[str]) -> int:
    """The clip that is shown once, where one is shown twice; else the first."""
    return next((slot for slot in range(3) if shown.count(shown[slot]) == 1), 0)


def careless(shown: list[str]) -> int:
    """One of the two where one clip is shown twice."""
    return next((slot for slot in range(3) if shown.count(shown[slot]) == 2), 0)


@pytest.fixture
def serve():
    """Serve a study folder; several at a time, with one clock each."""
    pytest.importorskip("fastapi")
    from fastapi.testclient import TestClient

    from bgs.collection.opening import open_database
    from bgs.collection.secrets import open_secrets
    from bgs.collection.study_folder import open_study
    from bgs.collection.web.app import create_app

    opened = []

    def start(path: Path, url: str | None = None, at: float = Clock.now) -> Served:
        clock = Clock(at)
        study = open_study(path)
        database = open_database(study, clock(), url)
        secrets, admin = open_secrets(path)
        client = TestClient(create_app(study, database, secrets, clock=clock), raise_server_exceptions=True)
        opened.append((client, database))
        return Served(client, database, study, secrets, clock, admin or "")

    yield start
    for client, database in opened:
        client.close()
        database.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[], str]]:
    """Empties the database, and says where it is."""
    pytest.importorskip("psycopg")
    if programs() is None:
        pytest.skip("no PostgreSQL server on this machine (apt install postgresql)")
    from sqlalchemy import create_engine, text

    with cluster() as address:
        engine = create_engine(
            address.format(name="postgres"), pool_pre_ping=True
        )  # tests restart the server

        def new() -> str:
            with engine.begin() as connection:  # thousands of files fewer than a database for each test
                connection.execute(text("DROP SCHEMA public CASCADE"))
                connection.execute(text("CREATE SCHEMA public"))
            return address.format(name="postgres")

        yield new
        engine.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str | None:
    """Where the database is: in the study's folder, or on a server."""
    return request.getfixturevalue("postgres")() if request.param == "postgres" else None


@pytest.fixture
def served(serve, study_path: Path, url: str | None) -> Served:
    return serve(study_path, url)


@pytest.fixture
def process(tmp_path: Path, url: str | None):
    """Serve a study of so many blocks by a process of its own."""
    pytest.importorskip("uvicorn")
    from collection.served_process import Process

    made = []

    def start(blocks: int, trials: int = N_TRIALS) -> Process:
        made.append(Process(write_study(tmp_path / "study", blocks, trials), url))
        return made[-1]

    yield start
    for one in made:
        one.kill()


@pytest.fixture
def in_thread(tmp_path: Path, url: str | None):
    """The same by a thread of the tests."""
    pytest.importorskip("uvicorn")
    from collection.served_process import InThread

    made = []

    def start(blocks: int, trials: int = N_TRIALS) -> InThread:
        made.append(InThread(write_study(tmp_path / "study", blocks, trials), url))
        return made[-1]

    yield start
    for one in made:
        one.stop()
