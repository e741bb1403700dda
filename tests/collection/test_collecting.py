"""Joining, answering and completing: nobody shares a block, no answer is lost or counted twice, no code comes too early."""

from __future__ import annotations

import csv
import threading
from collections import Counter

import pytest

from bgs.collection.completing import erase, exclude
from bgs.collection.exporting import COLUMNS, export
from collection.conftest import CLIPS, N_BLOCKS, N_TRIALS, attentive, careless


def exported(served, tmp_path, **more):
    path = tmp_path / "export.csv"
    export(served.database, served.study, path, **more)
    return list(csv.DictReader(path.read_text().splitlines()))


def test_a_participant_completes_a_block_and_gets_the_code_at_the_end_only(served, tmp_path):
    visitor = served.join().consent()
    session = visitor.session()
    assert [trial["trial"] for trial in session["trials"]] == list(range(N_TRIALS))
    assert session["answered"] == []
    assert "DONE-1" not in str(session)
    for trial in range(N_TRIALS):
        early = visitor.call("POST", "complete")
        assert (early.status_code, early.json()["missing"]) == (409, list(range(trial, N_TRIALS)))
        assert visitor.answer(trial).json() == {"stored": True, "new": True}
    end = visitor.call("POST", "complete").json()
    assert end == {"outcome": "completed", "code": "DONE-1", "url": "https://example.org/?cc=DONE-1"}
    assert visitor.call("POST", "complete").json() == end
    rows = exported(served, tmp_path)
    assert [int(row["trial"]) for row in rows] == list(range(N_TRIALS))
    assert {row["block"] for row in rows} == {"block-0"}
    assert all(float(row["rt"]) == 1.2345 for row in rows)
    assert all(row["odd"] in (row["stim1"], row["stim2"], row["stim3"]) for row in rows)
    back = served.client.post("/api/join", json={"source": "prolific", "participant": "anna"})
    assert (back.status_code, back.json()["error"], back.json()["code"]) == (410, "done", "DONE-1")


def test_the_order_on_screen_is_drawn_and_the_same_after_a_reload(served):
    orders = Counter()
    for who in ("a", "b", "c"):
        visitor = served.join(who)
        shown = [[clip["id"] for clip in trial["clips"]] for trial in visitor.session()["trials"]]
        assert shown == [
            [clip["id"] for clip in trial["clips"]] for trial in served.join(who).session()["trials"]
        ]
        planned = served.study.schedule.blocks[f"block-{'abc'.index(who)}"]
        assert [sorted(one) for one in shown] == [sorted(trial.stimuli) for trial in planned]
        orders.update(tuple(one) == trial.stimuli for one, trial in zip(shown, planned, strict=True))
    assert orders[False] > 5  # of 15, 12.5 are expected to differ from the schedule


def test_the_same_person_resumes_and_a_new_one_gets_another_block(served):
    first = served.join("anna").consent()
    first.answer(0)
    again = served.join("anna")
    assert again.session()["answered"] == [0]
    assert served.client.post("/api/join", json={"source": "prolific", "participant": "anna"}).json()[
        "consented"
    ]
    blocks = {served.join(who).session()["block"] for who in ("anna", "ben", "cleo", "dana")}
    assert len(blocks) == 4
    full = served.client.post("/api/join", json={"source": "prolific", "participant": "emil"})
    assert (full.status_code, full.json()["error"]) == (410, "full")


def test_an_abandoned_block_goes_to_somebody_else_and_is_then_refused_to_the_first(served, tmp_path):
    for who in "abcd":
        served.join(who).consent()
    slow = served.join("a")
    slow.answer(0)
    served.clock.now += 3601
    assert slow.answer(1).status_code == 200  # nobody took it meanwhile: an answer renews the lease
    served.clock.now += 3500
    other = served.join("eve").consent()  # takes a block that is still abandoned
    assert other.session()["block"] == "block-1"
    served.clock.now += 200
    third = served.join("fay").consent()
    assert third.session()["block"] == "block-0"
    late = slow.answer(2)
    assert (late.status_code, late.json()["error"]) == (409, "released")
    third.finish()
    rows = [row for row in exported(served, tmp_path) if row["block"] == "block-0"]
    assert Counter(int(row["trial"]) for row in rows) == Counter(range(N_TRIALS))


def test_a_retry_is_acknowledged_and_counted_once(served, tmp_path):
    visitor = served.join().consent()
    message = visitor.message(0)
    first = visitor.call("POST", "answers", json=message)
    again = visitor.call("POST", "answers", json=message)
    assert (first.json()["new"], again.json()) == (True, {"stored": True, "new": False})
    changed = visitor.call("POST", "answers", json={**message, "odd": (message["odd"] + 1) % 3})
    other = visitor.answer(0)
    assert (changed.status_code, other.status_code) == (409, 409)
    for trial in range(1, N_TRIALS):
        visitor.answer(trial)
    visitor.call("POST", "complete")
    assert visitor.call("POST", "answers", json=message).json() == {
        "stored": True,
        "new": False,
    }  # after the end too
    assert len(exported(served, tmp_path)) == N_TRIALS


def test_nothing_is_stored_before_consent(served, tmp_path):
    visitor = served.join()
    assert (visitor.answer(0).status_code, visitor.answer(0).json()["error"]) == (403, "consent")
    assert exported(served, tmp_path) == []


def test_failed_checks_exclude_and_the_block_goes_to_somebody_else(served, tmp_path):
    visitor = served.join().consent()
    end = visitor.finish(careless).json()
    assert (end["outcome"], end["code"]) == ("failed_attention", "FAIL-3")
    back = served.client.post("/api/join", json={"source": "prolific", "participant": "anna"})
    assert (back.status_code, back.json()["code"]) == (403, "FAIL-3")
    assert exported(served, tmp_path) == []
    rows = exported(served, tmp_path, with_excluded=True)
    assert {row["excluded"] for row in rows} == {"failed attention checks"}
    other = served.join("ben").consent()
    assert other.session()["block"] == "block-0"
    assert other.finish(attentive).json()["code"] == "DONE-1"


def test_leaving_gives_the_block_back(served):
    for path, code in (("decline", "NO-2"), ("incompatible", "DEVICE-4")):
        visitor = served.join(path)
        assert visitor.call("POST", path).json()["code"] == code
        assert visitor.answer(0).status_code == 409
    assert served.join("ben").session()["block"] == "block-0"


def test_a_preview_sees_everything_and_counts_for_nothing(served, tmp_path):
    visitor = served.join("nobody", source="preview")
    assert visitor.session()["preview"]
    visitor.consent()
    end = visitor.finish().json()
    assert end["code"] is None
    assert exported(served, tmp_path) == []
    assert served.join("ben").session()["block"] == "block-0"


@pytest.mark.parametrize("people", [N_BLOCKS, 12])
def test_many_at_once_never_share_a_block(served, people):
    """Threads join at the same moment, each person twice: as many blocks as people, or as there are."""
    results, gate = [], threading.Barrier(2 * people)

    def come(who: int) -> None:
        gate.wait()
        response = served.client.post("/api/join", json={"source": "link", "participant": f"p{who}"})
        token = response.json().get("token")
        results.append(
            (
                who,
                served.secrets.verify(token, 1.0, served.clock())["assignment"]
                if token
                else response.json()["error"],
            )
        )

    threads = [threading.Thread(target=come, args=(k // 2,)) for k in range(2 * people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seats = {who: {seat for other, seat in results if other == who} for who in range(people)}
    assert all(len(mine) == 1 for mine in seats.values())  # twice the same
    taken = [seat for mine in seats.values() for seat in mine if seat != "full"]
    assert len(set(taken)) == len(taken) == min(people, N_BLOCKS)


def test_the_same_answer_from_many_threads_is_stored_once(served, tmp_path):
    visitor = served.join().consent()
    message, codes = visitor.message(0), []
    threads = [
        threading.Thread(
            target=lambda: codes.append(visitor.call("POST", "answers", json=message).json()["new"])
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(codes) == {True: 1, False: 7}
    assert len(exported(served, tmp_path)) == 1


def test_exclusion_and_erasure(served, tmp_path):
    anna, ben = served.join("anna").consent(), served.join("ben").consent()
    for visitor in (anna, ben):
        visitor.finish()
    key = served.secrets.participant_key("prolific", "anna")
    assert exclude(served.database, key, "asked to be left out", served.clock())
    assert {row["block"] for row in exported(served, tmp_path)} == {"block-1"}
    assert len(exported(served, tmp_path, with_excluded=True)) == 2 * N_TRIALS
    assert erase(served.database, key) == N_TRIALS
    assert len(exported(served, tmp_path, with_excluded=True)) == N_TRIALS
    assert erase(served.database, key) is None
    assert served.join("cleo").session()["block"] == "block-0"
    assert anna.answer(0).status_code == 403


def test_the_export_is_a_trial_table(served, tmp_path):
    import bgs

    for who in "abcd":
        served.join(who).consent().finish()
    rows = exported(served, tmp_path)
    assert tuple(rows[0]) == COLUMNS
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "trials.csv").write_bytes((tmp_path / "export.csv").read_bytes())
    (folder / "stimuli.csv").write_text("stimulus_id\n" + "".join(f"{name}\n" for name in CLIPS))
    trials = bgs.load_dataset(folder).trials
    assert len(trials) == N_BLOCKS * N_TRIALS
    assert len(trials.judgments) == N_BLOCKS * (N_TRIALS - 1)
    assert trials.rt.tolist() == [1.2345] * len(trials)


def test_a_parquet_export_holds_the_same(served, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    served.join("anna").consent().finish()
    assert export(served.database, served.study, tmp_path / "x.parquet").answers == N_TRIALS
    table = parquet.read_table(tmp_path / "x.parquet").to_pylist()
    rows = exported(served, tmp_path)
    for one, other in zip(table, rows, strict=True):
        assert {name: str(value) if value is not None else "" for name, value in one.items()} == other


def test_clips_that_could_not_be_played_are_no_answer_and_end_no_session(served, tmp_path):
    visitor = served.join().consent()
    for trial in range(1, N_TRIALS):
        visitor.answer(trial)
    errors = [{"slot": 1, "error": "http-503", "count": 5}]
    skipped = {
        **visitor.message(0),
        "odd": None,
        "rt": None,
        "playback_errors": errors,
        "reloaded": True,
    }
    assert visitor.call("POST", "answers", json=skipped).json()["stored"]
    assert visitor.call("POST", "complete").json()["code"] == "DONE-1"
    assert len(exported(served, tmp_path)) == N_TRIALS - 1


def test_rules_leave_out_or_mark_whoever_breaks_one(served, tmp_path):
    """Two people, one of whom fails every check: by rules that test from one check on."""
    from bgs.judgments.quality_rules import CheckRule, RuleSet

    none = dict.fromkeys(RuleSet.model_fields)
    rules = RuleSet(**{**none, "checks": CheckRule(most=0.0, fewest=1)})
    served.join("anna").consent().finish()
    bad = served.join("ben").consent()
    for trial in range(N_TRIALS):
        bad.answer(trial, careless if trial == N_TRIALS - 1 else None)
    whole = exported(served, tmp_path)
    (ben,) = {row["participant"] for row in whole if row["block"] == "block-1"}
    found = export(served.database, served.study, tmp_path / "kept.csv", rules=rules)
    assert found.answers == N_TRIALS
    assert list(found.flagged) == [ben]
    kept = list(csv.DictReader((tmp_path / "kept.csv").read_text().splitlines()))
    assert kept == [row for row in whole if row["participant"] != ben]
    marked = exported(served, tmp_path, rules=rules, with_excluded=True)
    reasons = {row["participant"]: row["excluded"] for row in marked}
    assert reasons[ben].startswith("checks: ")
    assert sorted(reasons.values())[0] == ""
    assert len(marked) == len(whole) == 2 * N_TRIALS


def test_rules_of_the_export_are_those_of_the_audit(served, tmp_path):
    import bgs
    from bgs.judgments.quality_rules import RuleSet, apply_rules

    for who in "abcd":
        served.join(who).consent().finish(attentive if who != "c" else careless)
    found = export(served.database, served.study, tmp_path / "t.csv", rules=RuleSet())
    exported(served, tmp_path)
    (tmp_path / "export.csv").rename(tmp_path / "trials.csv")
    (tmp_path / "stimuli.csv").write_text("stimulus_id\n" + "".join(f"{name}\n" for name in CLIPS))
    expected = apply_rules(bgs.load_dataset(tmp_path).need_trials(), RuleSet())
    assert found.untested == expected.untested
    assert list(found.flagged) == [flag.participant for flag in expected.flagged]


def test_rules_without_answers_are_one_line(served, tmp_path):
    from bgs._errors import BgsError
    from bgs.judgments.quality_rules import RuleSet

    with pytest.raises(BgsError, match="no answers yet"):
        export(served.database, served.study, tmp_path / "x.csv", rules=RuleSet())
    assert not (tmp_path / "x.csv").exists()


def test_the_published_names_are_read_back(served, tmp_path):
    import bgs

    for who in "ab":
        served.join(who).consent().finish()
    rows = exported(served, tmp_path, published=True)
    assert list(rows[0])[:8] == [
        "participation", "task", "trial", "stim1_name", "stim2_name", "stim3_name", "choice", "response_time",
    ]  # fmt: skip
    made = bgs.import_judgments([tmp_path / "export.csv"], "published", tmp_path / "read")
    assert len(made.trials) == 2 * N_TRIALS
