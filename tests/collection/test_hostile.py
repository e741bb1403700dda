"""What a bad network or an attacker may send: exact ranges, no path to the disk, no forged token, nothing too large."""

from __future__ import annotations

import pytest

from bgs._errors import BgsError
from bgs.serving.guards import MAX_BODY, RateLimit
from collection.conftest import N_TRIALS, write_study


@pytest.fixture
def served(serve, study_path):
    return serve(study_path)


def first_clip(served):
    clip = served.join().session()["trials"][0]["clips"][0]
    return clip["url"], served.study.clips[clip["id"]].read_bytes()


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-1", 206, slice(0, 2)),
        ("bytes=100-", 206, slice(100, None)),
        ("bytes=-7", 206, slice(-7, None)),
        ("bytes=0-999999", 206, slice(0, None)),
        ("bytes=999999-", 416, None),
        ("bytes=0-0,2-2,4-4,6-6", 416, None),
        (None, 200, slice(0, None)),
    ],
)
def test_clips_come_by_exact_ranges(served, asked, status, part):
    url, content = first_clip(served)
    headers = {"accept-encoding": "gzip"} | ({} if asked is None else {"range": asked})
    response = served.client.get(url, headers=headers)
    assert response.status_code == status
    if part is not None:
        assert response.content == content[part]
        assert response.headers["content-length"] == str(len(content[part]))
        assert response.headers["content-type"] == "video/mp4"
        assert response.headers["accept-ranges"] == "bytes"
        assert "max-age" in response.headers["cache-control"]
        assert response.headers.get("content-encoding", "identity") == "identity"


def test_a_head_says_the_size_and_sends_nothing(served):
    url, content = first_clip(served)
    response = served.client.head(url)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-length"] == str(len(content))


@pytest.mark.parametrize(
    "name",
    [
        "../study.yaml",
        "..%2fstudy.yaml",
        "%2e%2e/secrets.json",
        "....//secrets.json",
        "/etc/passwd",
        "0.mp4",
        "\x00",
        "a" * 5000,
    ],
)
def test_no_other_file_is_served(served, name):
    from urllib.parse import quote

    for path in {name, quote(name, safe="")} - {"\x00"}:
        response = served.client.get(f"/clips/{path}")
        assert response.status_code in (404, 405)
        assert b"DONE-1" not in response.content


def test_names_of_clips_say_nothing(served):
    url, _ = first_clip(served)
    assert not any(name.replace(" ", "") in url for name in served.study.stimuli.ids)


def test_forged_old_and_foreign_tokens_are_refused(served, serve, tmp_path):
    visitor = served.join().consent()
    token = visitor.token
    forged = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
    other = serve(write_study(tmp_path / "other", blocks=2)).join().token
    for bad in (forged, other, "", "null", "x" * 1900, token.split(".")[0]):
        response = served.client.get("/api/session", headers={"authorization": f"Bearer {bad}"})
        assert (response.status_code, response.json()["error"]) == (401, "token")
    assert served.client.get("/api/session", headers={"authorization": token}).status_code == 401
    assert served.client.get("/api/session").status_code == 401


def test_the_admin_token_opens_the_status_and_nothing_else_does(served):
    visitor = served.join().consent()
    visitor.finish()
    for token in (visitor.token, "", served.admin[:-1], served.secrets.admin_sha256):
        response = served.client.get("/api/admin/status", headers={"authorization": f"Bearer {token}"})
        assert (response.status_code, response.json()) == (401, {"error": "token"})
    found = served.client.get("/api/admin/status", headers={"authorization": f"Bearer {served.admin}"}).json()
    assert (found["progress"]["complete"], found["progress"]["answers"]) == (1, N_TRIALS)
    assert sum(found["seconds"]["count"]) == N_TRIALS
    counts = found["coverage"]
    assert sum(map(sum, counts)) == 2 * (3 * (N_TRIALS - 1) + 2)  # the check shows one pair twice
    assert all(counts[i][j] == counts[j][i] for i in range(6) for j in range(6))


def test_a_token_ends(served):
    visitor = served.join()
    served.clock.now += 24 * 3600
    assert visitor.call("GET", "session").status_code == 200
    served.clock.now += 1
    assert visitor.call("GET", "session").status_code == 401


def test_answers_that_do_not_fit_are_refused_and_not_stored(served):
    visitor = served.join().consent()
    good = visitor.message(0)
    other = served.join("ben").consent().message(1)
    wrong = [
        ({**good, "stimuli": good["stimuli"][::-1]}, 422),
        ({**good, "trial": 1}, 422),
        ({**good, "trial": 99}, 404),
        ({**good, "trial": -1}, 422),
        ({**good, "trial": True}, 422),
        ({**good, "odd": 3}, 422),
        ({**good, "odd": "0"}, 422),
        ({**good, "rt": -1.0}, 422),
        ({**good, "rt": "NaN"}, 422),
        ({**good, "client_id": "1; DROP TABLE answer"}, 422),
        ({**good, "stimuli": ["a\x00", "b", "c"]}, 422),
        ({**good, "playback_errors": [{"slot": 0, "error": "=cmd()\n", "count": 1}]}, 422),
        ({**good, "playback_errors": [{"slot": 0, "error": "x", "count": 1}] * 31}, 422),
        ({**good, "extra": 1}, 422),
        ({**other, "trial": 0}, 422),
        ([], 422),
    ]  # fmt: skip
    for message, status in wrong:
        assert visitor.call("POST", "answers", json=message).status_code == status, message
    for content in (b'{"odd": NaN', b"", b"\xff\xfe"):
        assert visitor.call("POST", "answers", content=content).status_code == 422
    assert visitor.session()["answered"] == []


def test_large_bodies_are_refused_declared_or_not(served):
    visitor = served.join()
    headers = {"authorization": f"Bearer {visitor.token}", "content-type": "application/json"}
    for content in (b"x" * (MAX_BODY + 1), iter([b"x" * 5000] * 3)):
        response = served.client.post("/api/answers", content=content, headers=headers)
        assert (response.status_code, response.json()["error"]) == (413, "too-large")


def test_every_response_has_the_headers(served):
    url, _ = first_clip(served)
    for path in ("/api/session", url, "/nowhere", "/health"):
        headers = served.client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == ("public, max-age=86400" if path == url else "no-store")


def test_more_requests_than_a_person_makes_are_refused_for_a_while():
    now = [0.0]
    rates = RateLimit(lambda: now[0], names=2)
    assert [rates.allows("a", 60) for _ in range(61)] == [True] * 60 + [False]
    assert rates.allows("b", 60)
    now[0] = 1.0
    assert [rates.allows("a", 60) for _ in range(2)] == [True, False]
    for name in "cd":
        rates.allows(name, 60)
    assert len(rates._buckets) == 2


def test_a_busy_session_is_told_so(serve, tmp_path):
    served = serve(write_study(tmp_path / "s", settings="limits: {requests_per_minute: 3}"))
    visitor = served.join()
    codes = [visitor.call("GET", "session").status_code for _ in range(5)]
    assert codes == [200, 200, 200, 429, 429]


def test_storage_that_fails_is_said_and_nothing_is_acknowledged(served):
    visitor = served.join().consent()
    message = visitor.message(0)
    with served.database.engine.connect() as connection:  # somebody else writes, for longer than anyone waits
        cursor = connection.connection.cursor()
        cursor.execute("PRAGMA query_only = 1")
        cursor.close()
    for _ in range(3):
        with served.database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA query_only = 1")
    response = visitor.call("POST", "answers", json=message)
    assert (response.status_code, response.json()["error"]) == (503, "storage")
    assert visitor.call("POST", "complete").status_code == 503
    served.database.engine.dispose()
    assert visitor.call("POST", "answers", json=message).json() == {"stored": True, "new": True}
    assert visitor.call("POST", "complete").json()["missing"] == list(range(1, N_TRIALS))


def test_no_free_connection_is_storage_that_fails(served, monkeypatch):
    from sqlalchemy.exc import TimeoutError as PoolTimeout

    visitor = served.join().consent()
    message = visitor.message(0)

    def none_free():
        raise PoolTimeout("QueuePool limit reached")

    monkeypatch.setattr(served.database.engine, "connect", none_free)
    response = visitor.call("POST", "answers", json=message)
    assert (response.status_code, response.json()) == (503, {"error": "storage"})
    monkeypatch.undo()
    assert visitor.call("POST", "answers", json=message).json() == {"stored": True, "new": True}


def test_names_are_not_stored(served, study_path):
    served.join("5f1e-prolific-id").consent().finish()
    served.database.close()
    for path in study_path.rglob("*"):
        if path.is_file():
            assert b"5f1e-prolific-id" not in path.read_bytes(), path
    assert (study_path / "secrets.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: (p / "schedule.csv").unlink(), "no schedule.*bgs design"),
        (lambda p: (p / "schedule.csv").write_text("a,b\n"), "schedule.csv, row 1: missing column block"),
        (
            lambda p: (p / "schedule.csv").write_text("block,trial,stim1,stim2,stim3,kind\n"),
            "no rows below the header",
        ),
        (
            lambda p: _row(p, "b,0,clip 0,clip 1,nowhere,judgment"),
            "row 2, column 'stim3': schedule of other clips.*nowhere",
        ),
        (
            lambda p: _row(p, "b,1,clip 0,clip 1,clip 2,judgment"),
            "row 2, column 'trial': trials of a block are not numbered",
        ),
        (lambda p: _row(p, "b,0,clip 0,clip 1,clip 1,judgment"), "row 2, column 'kind': not a judgment"),
        (lambda p: _row(p, "b,0,clip 0,clip 1,clip 2,check"), "row 2, column 'kind': not a check"),
        (lambda p: _row(p, "b,0,clip 0,clip 1,clip 2,joke"), "row 2, column 'kind': unknown kind"),
        (lambda p: _row(p, "b,0,clip 0"), "row 2.*cells"),
        (lambda p: (p / "clips/0.mp4").unlink(), "0.mp4"),
        (lambda p: (p / "study.yaml").write_text("titel: x"), "titel"),  # codespell:ignore titel
        (
            lambda p: (p / "study.yaml").write_text("practice: [[a, b, c]]"),
            "practice.0: a clip that the study has not",
        ),
        (
            lambda p: (p / "study.yaml").write_text("codes: {completed: A, no_consent: A}"),
            "two of them are the same",
        ),
        (lambda p: (p / "secrets.json").write_text("{}"), "secrets.json"),
    ],
)
def test_bad_study_folders_are_one_line(serve, study_path, change, message):
    change(study_path)
    with pytest.raises(BgsError, match=message) as caught:
        serve(study_path)
    assert "\n" not in str(caught.value)


def _row(path, text):
    (path / "schedule.csv").write_text(f"block,trial,stim1,stim2,stim3,kind\n{text}\n")


def test_an_id_that_is_a_formula_is_refused(serve, study_path):
    text = (study_path / "stimuli.csv").read_text().replace("clip 0", "=cmd()")
    (study_path / "stimuli.csv").write_text(text)
    with pytest.raises(BgsError, match=r"run as a formula.*=cmd\(\)"):
        serve(study_path)


def test_a_database_of_another_schedule_or_a_newer_version_is_refused(serve, study_path):
    from sqlalchemy import text

    served = serve(study_path)
    served.join()
    lines = (study_path / "schedule.csv").read_text().splitlines(keepends=True)
    (study_path / "schedule.csv").write_text("".join(lines[:-N_TRIALS]))
    with pytest.raises(BgsError, match="belongs to another study"):
        serve(study_path)
    with served.database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(BgsError, match="newer version of bgs"):
        serve(study_path)
