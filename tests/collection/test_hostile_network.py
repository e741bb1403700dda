"""Requests that are meant to keep a server busy, or to reach another study or a spreadsheet."""

from __future__ import annotations

import asyncio
import csv
import socket
from contextlib import ExitStack

import pytest

from bgs._errors import BgsError
from bgs.collection.exporting import export
from bgs.serving.guards import BodyLimit
from collection.conftest import N_TRIALS, write_study

httpx = pytest.importorskip("httpx")
pytest.importorskip("uvicorn")
FORMULAS = ("=", "+", "-", "@", "\t", "\r")
NAMES = ('=cmd|" /C calc"!A0', "+1", "-1", "@SUM(1)", "<script>alert(1)</script>", "'; DROP TABLE answer; --")


@pytest.fixture
def server(in_thread):
    return in_thread(4)


def speak(port: int, text: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.sendall(text)
    return connection


def head(lines: str) -> bytes:
    return f"POST /api/join HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{lines}".encode()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_many_who_never_finish_a_request_keep_nobody_waiting(server):
    with ExitStack() as stack:
        for k in range(200):
            text = head("content-length: 100\r\n\r\n{") if k % 2 else head("")
            stack.enter_context(speak(server.port, text))
        join = {"source": "link", "participant": "anna"}
        assert httpx.post(f"{server.address}api/join", json=join, timeout=20).status_code == 200


def test_a_body_that_does_not_end_is_given_up():
    sent = []

    async def application(_scope, _receive, _send):
        raise AssertionError("it must not be called")

    async def receive():
        if not sent:
            await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"", "more_body": True}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    asyncio.run(BodyLimit(application, seconds=0.1)(scope, receive, send))
    assert sent[0]["status"] == 408


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_huge_headers_are_refused(server):
    for text in (head(f"x: {'a' * 200_000}\r\n\r\n"), head("x: a\r\n" * 40_000), b"a" * 200_000):
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        with connection:
            try:
                connection.sendall(text)
                answer = connection.recv(1000)
            except ConnectionError:  # refused before its end
                answer = b""
        assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert httpx.get(f"{server.address}health").status_code == 200


def test_floods_of_ranges_make_no_large_answer(serve, study_path):
    served = serve(study_path)
    clip = served.join().session()["trials"][0]["clips"][0]
    size = served.study.clips[clip["id"]].stat().st_size
    many = ("0-," * 2000, "0-,-1," * 2000, ",".join(f"{k}-{k}" for k in range(1000)))
    for asked in (*many, "5-2", "0-0,0-0,0-0", "-", "a-b", "0-,0-,0-"):
        response = served.client.get(clip["url"], headers={"range": f"bytes={asked.rstrip(',')}"})
        assert response.status_code in (200, 206, 400, 416)
        assert len(response.content) < size + 1000


def test_tokens_of_a_study_with_the_same_secrets_are_of_no_use_in_another(serve, tmp_path):
    first = serve(write_study(tmp_path / "first"))
    token = first.join().token
    other = write_study(tmp_path / "other", blocks=3)
    (other / "secrets.json").write_bytes((tmp_path / "first/secrets.json").read_bytes())
    served = serve(other, at=first.clock() + 1)
    served.join()
    response = served.client.get("/api/session", headers={"authorization": f"Bearer {token}"})
    assert (response.status_code, response.json()) == (401, {"error": "token"})


def test_no_cell_of_an_export_is_a_formula(serve, tmp_path):
    served = serve(write_study(tmp_path / "study", blocks=len(NAMES)))
    for name in NAMES:
        visitor = served.join(name).consent()
        for trial in range(N_TRIALS):
            errors = [{"slot": 0, "error": name[:100], "count": 1}]
            message = {**visitor.message(trial), "playback_errors": errors}
            assert visitor.call("POST", "answers", json=message).status_code == 200
    path = tmp_path / "export.csv"
    assert export(served.database, served.study, path, with_excluded=True).answers == len(NAMES) * N_TRIALS
    rows = list(csv.reader(path.read_text().splitlines()))
    assert {len(row) for row in rows} == {16}
    assert not [cell for row in rows for cell in row if cell.startswith(FORMULAS)]


def test_blocks_and_reasons_that_are_formulas_are_refused(serve, study_path):
    from bgs.api.collecting import Study

    serve(study_path).join("anna")
    with pytest.raises(BgsError, match=r"this reason would be run as a formula.*=cmd\(\)"):
        Study(study_path).exclude("anna", "=cmd()")
    text = (study_path / "schedule.csv").read_text().replace("block-0", "@block")
    (study_path / "schedule.csv").write_text(text)
    with pytest.raises(BgsError, match=r"this name of a block would be run as a formula.*@block"):
        serve(study_path)
