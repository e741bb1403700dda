"""A schedule that is made anew never locks answers to the one before, wherever their database is."""

from __future__ import annotations

import shutil

import pytest

import bgs
from bgs._errors import BgsError
from bgs.collection import secrets
from bgs.collection.earlier_schedules import SECRETS
from bgs.collection.opening import opened_study
from collection.conftest import CONTENT, N_TRIALS
from collection.served_process import command

SMALL = {"trials": 8, "block_trials": 4, "studies": 0}


def test_the_mark_of_a_served_study_is_its_secrets():
    assert secrets.FILE == SECRETS


def test_answers_in_another_database_are_not_locked(serve, study_path, tmp_path, capsys):
    url = f"sqlite:///{tmp_path / 'elsewhere.sqlite'}"
    serve(study_path, url).join().consent().finish()
    bgs.design(study_path, **SMALL).save(study_path)
    with pytest.raises(
        BgsError, match=r"another schedule.*its schedule is schedule-\w{8}\.csv: copy it"
    ) as error:
        bgs.Study(study_path, url).export(tmp_path / "x.csv")
    (kept,) = study_path.glob("schedule-*.csv")
    assert kept.name in str(error.value)
    (study_path / "schedule.json").unlink()  # it came without one
    shutil.copy(kept, study_path / "schedule.csv")
    assert bgs.Study(study_path, url).export(tmp_path / "x.csv").answers == N_TRIALS


def test_plans_that_nobody_saw_leave_no_copies_and_batches_do(study_path, caplog):
    for seed in (1, 2):
        bgs.design(study_path, **SMALL, seed=seed).save(study_path)
    assert not list(study_path.glob("schedule-*"))
    bgs.design(study_path, **SMALL, append=True).save(study_path)
    whole = (study_path / "schedule.csv").read_bytes()
    bgs.design(study_path, **SMALL).save(study_path)
    (kept,) = study_path.glob("schedule-*.csv")
    assert kept.read_bytes() == whole
    assert kept.with_suffix(".json").is_file()
    assert kept.name in caplog.text


def test_a_study_that_nobody_came_to_may_get_other_clips(serve, tmp_path, study_path):
    """Names in stimuli.csv are made after a first schedule of the videos' own names, which was looked at already."""
    folder = tmp_path / "videos"
    folder.mkdir()
    for k, content in enumerate(CONTENT):
        (folder / f"{k}.mp4").write_bytes(content)
    bgs.design(folder, **SMALL).save(folder)
    with opened_study_made(serve, folder):
        pass
    rows = "".join(f"clip-{k},{k}.mp4\n" for k in range(len(CONTENT)))
    (folder / "stimuli.csv").write_text("stimulus_id,video\n" + rows)
    bgs.design(folder, **SMALL).save(folder)
    assert serve(folder).join().session()["block"] == "block-0001"


def opened_study_made(serve, folder):
    serve(folder)
    return opened_study(folder)


@pytest.mark.parametrize("where", [[], ["--database", "sqlite:///typo.sqlite"]])
@pytest.mark.parametrize("what", [("status",), ("export", "--out", "x.csv"), ("erase", "anna")])
def test_looking_at_a_study_that_was_never_served_writes_nothing(
    study_path, monkeypatch, capsys, what, where
):
    monkeypatch.chdir(study_path)
    before = sorted(study_path.iterdir())
    assert command(what[0], str(study_path), *what[1:], *where) == 2
    assert "no study in this database" in capsys.readouterr().err
    assert sorted(study_path.iterdir()) == before
