"""What a researcher may get wrong: one line each, and nothing is lost or half-written."""

from __future__ import annotations

import csv
import json

import pytest

from bgs import BgsError, load_dataset
from bgs._config import validate
from bgs.api.collecting import Study
from bgs.cli.main import main
from bgs.collection.preparing import prepare
from bgs.collection.schedule import Schedule
from bgs.collection.secrets import FILE, open_secrets
from bgs.collection.settings import StudySettings
from bgs.collection.study_folder import open_study
from bgs.stimuli.playability import playback_fault
from clips import write_clip
from collection.conftest import CONTENT, Visitor


def fails(capsys, *arguments: object) -> str:
    with pytest.raises(SystemExit) as caught:
        main([str(each) for each in arguments])
    assert caught.value.code == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    return line


@pytest.mark.parametrize("act", ["erase", "exclude"])
@pytest.mark.parametrize(
    ("who", "source", "message"),
    [("nobody", "link", "no such participant"), ("a", "prolfic", "nobody comes from there"), ("\udcff", "link", "no such")],
)  # fmt: skip
def test_participants_who_never_came(serve, study_path, capsys, act, who, source, message):
    serve(study_path)
    reason = ["--reason", "x"] if act == "exclude" else []
    assert message in fails(capsys, "collect", act, study_path, who, "--source", source, *reason)


def test_the_admin_token_is_shown_by_serving_whatever_came_before(study_path):
    with pytest.raises(BgsError, match="no study in this database"):
        Study(study_path).erase("nobody")
    assert not (study_path / FILE).exists()
    assert open_secrets(study_path)[1] is not None


@pytest.mark.parametrize(
    ("name", "value"),
    [("salt", None), ("signing_key", "None"), ("admin_sha256", 5), ("salt", "g" * 64), ("salt", "a" * 63)],
)
def test_secrets_that_are_none(study_path, name, value):
    open_secrets(study_path)
    found = json.loads((study_path / FILE).read_text())
    (study_path / FILE).write_text(json.dumps({**found, name: value}))
    with pytest.raises(BgsError, match=f"{name} is not a secret"):
        open_secrets(study_path)


def renamed(path, before: str, after: str) -> None:
    """Replace a name in both tables."""
    for table in ("stimuli.csv", "schedule.csv"):
        rows = list(csv.reader((path / table).read_text().splitlines()))
        with (path / table).open("w", newline="") as stream:
            csv.writer(stream).writerows(
                [[after if cell == before else cell for cell in row] for row in rows]
            )


@pytest.mark.parametrize("before", ["clip 0", "block-0"])
@pytest.mark.parametrize(
    ("after", "message"),
    [("x" * 301, "too long"), ("a\tb", "control characters"), ("a\x01b", "control"), ("a\x7fb", "control"), ("=a", "formula")],
)  # fmt: skip
def test_names_that_no_answer_could_hold(study_path, before, after, message):
    renamed(study_path, before, after)
    (study_path / "study.yaml").unlink()
    with pytest.raises(BgsError, match=message):
        open_study(study_path)


@pytest.mark.parametrize(
    "given",
    [{"lease_minutes": 1e308}, {"limits": {"requests_per_minute": 10**400}}, {"consent": {"version": "a\0"}},
     {"scales": {"valence": {"low": -1e308, "high": 1e308}}}, {"playback": {"allowed_unplayed": 1.1}}],
)  # fmt: skip
def test_settings_out_of_bounds(given):
    with pytest.raises(BgsError):
        validate(StudySettings, given, "study.yaml")


@pytest.mark.parametrize("change", ["deleted", "folder", "link"])
def test_a_clip_that_is_not_there_any_more(serve, study_path, change):
    served = serve(study_path)
    visitor = served.join().consent()
    url = visitor.session()["trials"][0]["clips"][0]["url"]
    assert served.client.get(url).status_code == 200
    for path in (study_path / "clips").iterdir():
        path.unlink()
        if change == "folder":
            path.mkdir()
        elif change == "link":
            path.symlink_to(study_path / FILE)
    assert served.client.get(url).status_code == 404


def test_a_server_waits_for_blocks_that_it_does_not_know_yet(serve, study_path):
    """Another one, started with the longer schedule, hands them out."""
    new = serve(study_path)
    new.join("anna").consent()
    bert = new.join("bert").consent()
    bert.answer(0)
    old = serve(study_path)
    old.study.schedule.__dict__.update(vars(Schedule.first(old.study.schedule, 1)))
    for name in ("positions", "bounds"):
        old.study.schedule.__dict__.pop(name, None)
    message = bert.message(1)
    same = Visitor(old, bert.token)
    for method, path, more in (
        ("GET", "session", {}),
        ("POST", "answers", {"json": message}),
        ("POST", "complete", {}),
    ):
        response = same.call(method, path, **more)
        assert (response.status_code, response.json()) == (429, {"error": "outdated"})
    head = {"authorization": f"Bearer {new.admin}"}
    progress = old.client.get("/api/admin/status", headers=head).json()["progress"]
    assert (progress["blocks"], progress["active"], progress["free"], progress["answers"]) == (1, 1, 0, 0)


@pytest.mark.parametrize("separator", [",", ";"])
def test_copies_are_named_by_stimulus(tmp_path, separator):
    """Of two clips with one file name, one is converted; copies never meet each other or another clip."""
    for name in ("a/x.mp4", "a/x.avi", "b/x.mp4", "b/y.web.mp4", "b/y.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(CONTENT[0])
    write_clip(tmp_path / "a/x.mp4", 3, rate=25, codec="mpeg4")
    write_clip(tmp_path / "a/x.avi", 4, rate=25, codec="mpeg4")
    write_clip(tmp_path / "b/y.mp4", 5, rate=25, codec="mpeg4")
    before = (tmp_path / "b/y.web.mp4").read_bytes()
    rows = [("Stimulus ID", "note", "video"), ("one", "", "a/x.mp4"), (), ("two", "é, 1", "b/x.mp4"), ("three", "", "a/x.avi"),
            ("four", "", "b/y.web.mp4"), ("five", "", "b/y.mp4"), ("six", "", "a/x.mp4")]  # fmt: skip
    with (tmp_path / "stimuli.csv").open("w", newline="") as stream:
        csv.writer(stream, delimiter=separator).writerows(rows)
    assert set(prepare(tmp_path)) == {"one", "three", "five", "six"}
    stimuli = load_dataset(tmp_path).stimuli
    found = {
        name: str(path.relative_to(tmp_path)) for name, path in zip(stimuli.ids, stimuli.videos, strict=True)
    }
    assert found == {
        "one": "a/x.web.mp4", "two": "b/x.mp4", "three": "a/x-1.web.mp4", "four": "b/y.web.mp4",
        "five": "b/y-1.web.mp4", "six": "a/x.web.mp4",
    }  # fmt: skip
    assert stimuli.labels["note"][1] == "é, 1"
    assert (tmp_path / "b/y.web.mp4").read_bytes() == before
    assert all(playback_fault(path) is None for path in stimuli.videos)


def test_a_table_without_clips_is_one_line(tmp_path, capsys):
    (tmp_path / "stimuli.csv").write_text("stimulus_id\na\n")
    assert "missing column video" in fails(capsys, "collect", "prepare", tmp_path)


@pytest.mark.parametrize(
    "address", ["http://[::1", "http://h:port", "h:80", "ftp://h", "http://", "http://ü..x"]
)
def test_addresses_of_no_server(study_path, capsys, address):
    line = fails(capsys, "collect", "simulate", study_path, address)
    assert "not the address of a server" in line


def test_a_host_that_none_can_have(study_path, capsys):
    assert "cannot listen here" in fails(capsys, "collect", "serve", study_path, "--host", "ü..x")
