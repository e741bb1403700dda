"""A participant in a real browser, in a study without our server: on a host of files, with DataPipe, on JATOS."""

from __future__ import annotations

import csv
import json
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from bgs.api.collecting import Study
from bgs.cli.main import main
from bgs.collection.bundling import DataPipe
from collection.bundle_hosts import Files, JatosRun, Pipe, host
from collection.conftest import write_study
from collection.test_study_page import ENABLED, Participant, chromium, pytestmark  # noqa: F401

N_TRIALS = 3
#: Where the button is still there: the page tries by itself, too.
PRESS_AGAIN = "() => [...document.querySelectorAll('button')].find((one) => one.textContent === 'Try again now')?.click()"


@pytest.fixture
def study(tmp_path) -> Study:
    return Study(write_study(tmp_path / "study", blocks=2, trials=N_TRIALS))


def imported(files: list[Path], kind: str, out: Path) -> list[dict[str, str]]:
    """The trial table that `bgs data import` writes; every trial of a block once."""
    with pytest.raises(SystemExit) as ended:
        main(["data", "import", *map(str, files), "--from", kind, "--out", str(out)])
    assert ended.value.code == 0
    with (out / "trials.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert Counter(int(row["trial"]) for row in rows) == Counter(range(N_TRIALS))
    assert len({(row["participant"], row["block"]) for row in rows}) == 1
    assert all(float(row["rt"]) > 0 for row in rows)
    return rows


def answer_some(person: Participant) -> None:
    """A trial, and a reload in the second one."""
    person.begin()
    person.choose()
    person.page.locator(ENABLED).nth(2).wait_for(timeout=20_000)
    seen = trial_on_screen(person)
    person.page.reload()
    person.page.locator(ENABLED).nth(2).wait_for(timeout=20_000)
    assert trial_on_screen(person) == seen


def trial_on_screen(person: Participant) -> tuple[int, list[float]]:
    done = person.page.evaluate("() => document.querySelector('progress').value")
    return done, person.page.evaluate(
        "() => [...document.querySelectorAll('video')].map((one) => one.duration)"
    )


@pytest.mark.slow
def test_answers_are_downloaded(chromium, study, tmp_path):  # noqa: F811
    study.bundle(tmp_path / "bundle", "static")
    with host(Files, tmp_path / "bundle") as (address, _):
        person = Participant(chromium, f"{address}?PROLIFIC_PID=anna")
        answer_some(person)
        for _ in range(N_TRIALS - 1):
            person.choose()
        with person.page.expect_download() as download:
            person.press("Download my answers")
        person.shoot("download")
        assert person.page.get_by_text("DONE-1").count() == 0
        person.press("Yes, I have the file")
        person.page.get_by_text("DONE-1").wait_for()
        file = tmp_path / download.value.suggested_filename
        download.value.save_as(file)
        assert person.said == []
        person.page.goto(f"{address}?PROLIFIC_PID=anna")
        person.page.get_by_text("You have taken part already").wait_for()
    saved = json.loads(file.read_text())
    assert "anna" not in file.read_text()
    assert {trial["participant"] for trial in saved} == {study.bundled_name("anna")}
    rows = imported([file], "jspsych", tmp_path / "results")
    assert [(row["stim1"], row["stim2"], row["stim3"]) for row in rows] == [
        tuple(trial["stimuli"]) for trial in saved
    ]
    assert [trial["kind"] for trial in saved] == ["judgment"] * (N_TRIALS - 1) + ["check"]


@pytest.mark.slow
def test_datapipe_fails_at_first_and_has_every_answer_in_the_end(chromium, study, tmp_path):  # noqa: F811
    faults = [(400, "OSF_UPLOAD_ERROR")] + [(503, "down")] * 8
    with host(Pipe, tmp_path, files={}, faults=faults) as (service, pipe):
        study.bundle(tmp_path / "bundle", "static", DataPipe("AbC123", every=2, service=f"{service}api"))
        with host(Files, tmp_path / "bundle") as (address, _):
            person = Participant(chromium, address)
            answer_some(person)
            for _ in range(N_TRIALS - 1):
                person.choose()
            person.page.get_by_text("Your answers are not saved yet").wait_for()
            person.shoot("not-saved")
            assert person.page.get_by_text("DONE-1").count() == 0
            while not person.page.get_by_text("DONE-1").count():
                person.page.evaluate(PRESS_AGAIN)
                person.page.wait_for_timeout(50)
            assert [line for line in person.said if "status of" not in line] == []
        assert len(pipe.files) == 2
        files = [tmp_path / name for name in pipe.files]
        for path in files:
            path.write_text(pipe.files[path.name])
    imported(files, "jspsych", tmp_path / "results")


@pytest.mark.slow
def test_on_jatos_a_reload_resumes_and_the_results_are_read(chromium, study, tmp_path):  # noqa: F811
    study.bundle(tmp_path / "bundle", "jatos")
    (archive,) = (tmp_path / "bundle").glob("*.jzip")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path)
    state = {
        "results": [], "session": {}, "batch": {}, "version": 1, "faults": 2, "query": {"PROLIFIC_PID": "ben"},
    }  # fmt: skip
    with host(JatosRun, tmp_path / archive.stem, state=state) as (address, _):
        person = Participant(chromium, address)
        answer_some(person)
        for _ in range(N_TRIALS - 1):
            person.choose()
        person.page.get_by_text("All answers are stored").wait_for()
        assert state["batch"]["bgs-block-0"]["outcome"] == "completed"
        assert person.page.get_by_text("DONE-1").count() == 0  # JATOS has it
        assert [line for line in person.said if "status of 503" not in line] == []
        person.press("Finish")
        person.page.wait_for_url("**/end?successful=true*")
    results = tmp_path / "results.jrzip"
    with zipfile.ZipFile(results, "w") as made:
        for k, text in enumerate(state["results"], start=1):
            made.writestr(f"study_result_12/comp-result_{k}/data.txt", text)
    assert len(state["results"]) == 2
    imported([results], "jatos", tmp_path / "results")
    text = tmp_path / "results.txt"
    text.write_text("".join(state["results"]))
    imported([text], "jatos", tmp_path / "again")
