"""Blocks that are added to a study which people take part in."""

from __future__ import annotations

import csv

import numpy as np
import pytest

import bgs
from bgs._errors import BgsError, ConfigError, DataError
from bgs._files import read_json
from bgs.collection.progress import counted_answers, progress
from bgs.collection.schedule_table import read_schedule
from collection.conftest import CLIPS, N_BLOCKS, N_TRIALS, Visitor, write_study


def _batch(path, **options):
    return bgs.design(path, trials=6, block_trials=3, checks=0.0, studies=0, append=True, **options)


def test_blocks_are_added_after_those_that_are_there(study_path):
    before = read_schedule(study_path, CLIPS)
    added = _batch(study_path)
    added.save(study_path)
    whole = read_schedule(study_path, CLIPS)
    assert whole.names == (*before.names, "block-0005", "block-0006")
    assert dict(whole.first(N_BLOCKS).blocks) == dict(before.blocks)
    assert len(added.schedule) == 6
    assert added.coverage == whole.coverage()
    _batch(study_path).save(study_path)
    third = read_schedule(study_path, CLIPS)
    assert third.names[-2:] == ("block-0007", "block-0008")
    assert third.blocks["block-0005"] != third.blocks["block-0007"]  # another draw, by the same seed
    about = read_json(study_path / "schedule.json")
    assert (about["trials"], about["before"]["trials"]) == (6, 6)


def test_an_added_schedule_equals_its_blocks_alone():
    """Names, blocks and counts of two schedules, one after the other, by hand."""
    from bgs.collection.schedule import Schedule

    def one(name, rows):
        t = len(rows)
        zeros = np.zeros(t, dtype=np.int64)
        return Schedule(("a", "b", "c", "d"), (name,), zeros, np.arange(t), np.array(rows), zeros)

    joined = one("x", [[0, 1, 2]]).followed_by(one("y", [[1, 2, 3], [3, 0, 1]]))
    assert dict(joined.blocks) == {
        "x": ((0, ("a", "b", "c"), "judgment"),),
        "y": ((0, ("b", "c", "d"), "judgment"), (1, ("d", "a", "b"), "judgment")),
    }
    assert dict(joined.first(1).blocks) == {"x": joined.blocks["x"]}
    with pytest.raises(DataError, match="two blocks have the same name; got x"):
        joined.followed_by(one("x", [[0, 1, 3]]))


def test_a_study_goes_on_with_more_blocks(serve, study_path, url):
    served = serve(study_path, url)
    visitor = served.join("anna").consent()
    assert visitor.answer(0).status_code == 200
    _batch(study_path).save(study_path)
    later = serve(study_path, url)
    # The session goes on, with its token and its order on screen.
    same = Visitor(later, visitor.token)
    assert same.answer(1).status_code == 200
    assert same.session()["answered"] == [0, 1]
    people = [later.join(f"person {k}") for k in range(5)]
    assert people[-1].session()["block"] == "block-0006"
    assert later.client.post("/api/join", json={"source": "link", "participant": "late"}).status_code == 410
    # The old server, still running, does not hand out blocks that it does not know.
    assert served.client.post("/api/join", json={"source": "link", "participant": "old"}).status_code == 410
    found = progress(later.database, later.study, later.clock(), counted_answers(later.database))
    assert (found.blocks, found.answers, found.planned) == (6, 2, N_BLOCKS * N_TRIALS + 6)


def test_before_anybody_came_the_schedule_may_be_replaced(serve, study_path, url):
    serve(study_path, url)
    bgs.design(study_path, trials=8, block_trials=4, studies=0, seed=3).save(study_path)
    served = serve(study_path, url)
    assert served.join().session()["block"] == "block-0001"


def test_a_begun_study_keeps_its_schedule(serve, study_path):
    serve(study_path).join()
    kept = (study_path / "schedule.csv").read_bytes()
    with pytest.raises(ConfigError, match=r"the study has begun.*got 1 participant \(`--append` adds blocks"):
        bgs.design(study_path, trials=8, studies=0).save(study_path)
    assert (study_path / "schedule.csv").read_bytes() == kept


def test_a_token_of_another_database_is_refused(serve, study_path, tmp_path):
    """The same folder with a new database: the same ids are somebody else's."""
    first = serve(study_path)
    visitor = first.join("anna").consent()
    second = serve(study_path, f"sqlite:///{tmp_path / 'new.sqlite'}", at=first.clock() + 1)
    second.join("ben").consent()
    assert Visitor(second, visitor.token).call("GET", "session").status_code == 401


@pytest.mark.slow
def test_adaptive_batches_follow_the_answers(serve, tmp_path):
    """Export, design, serve: the next blocks show what the answers so far say least about."""
    path = write_study(tmp_path / "study", blocks=20)
    served = serve(path)
    for k in range(20):
        served.join(f"p{k}").consent().finish()
    bgs.Study(path).export(path / "trials.csv")
    informed = _batch(path, method="adaptive", judgments=path)
    random = _batch(path, method="adaptive")
    assert random.notes[0].startswith("adaptive without judgments")
    assert informed.schedule.unanswered().hash() != random.schedule.unanswered().hash()
    informed.save(path)
    again = serve(path)
    assert again.join("next").session()["block"] == "block-0021"


def test_appending_needs_a_schedule(tmp_path):
    folder = tmp_path / "new"
    folder.mkdir()
    with (folder / "stimuli.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["stimulus_id"], *([name] for name in CLIPS)])
    with pytest.raises(DataError, match=r"no schedule.*bgs design"):
        _batch(folder)
    with pytest.raises(BgsError, match="append adds to a study folder"):
        _batch(12)
