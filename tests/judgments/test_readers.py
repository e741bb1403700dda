"""Formats of other programs: a table written in each and read back is the same; each bad input is one line that says where."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import written_formats as formats
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import bgs
from bgs._errors import BgsError
from bgs.cli.data import app
from bgs.datasets import load_dataset
from bgs.datasets.imported import import_judgments
from bgs.judgments import PairCounts, Trials
from bgs.judgments.readers import FORMATS

INDEXED = ("published", "triplets", "salmon")


def imported(folder: Path, name: str, trials: Trials, **options: object) -> bgs.Dataset:
    kind, write, mapping, _ = formats.WRITERS[name]
    if kind == "table" and name.endswith(".xlsx"):
        pytest.importorskip("openpyxl")
    write(folder / name, trials)
    if mapping is not None:
        (folder / "mapping.yaml").write_text(mapping, encoding="utf-8")
        options["mapping"] = folder / "mapping.yaml"
    if kind in INDEXED:
        (folder / "ids.txt").write_text("\n".join(formats.IDS) + "\n", encoding="utf-8")
        options["ids"] = folder / "ids.txt"
    return import_judgments([folder / name], kind, folder / "data", **options)


@pytest.mark.parametrize("name", formats.WRITERS)
def test_what_is_written_in_a_format_is_read_back(tmp_path: Path, name: str) -> None:
    trials = formats.example()
    found = imported(tmp_path, name, trials)
    keeps = formats.WRITERS[name][3]
    read = found.need_trials()
    assert found.stimuli.ids == formats.IDS
    for column in keeps:
        assert getattr(read, column).tolist() == getattr(trials, column).tolist(), column
    if keeps:
        assert read.stimuli.tolist() == trials.stimuli.tolist()
        assert read.odd.tolist() == trials.odd.tolist()
    else:
        assert read.stimuli.tolist() == formats.triplets(trials).tolist()
        same, counts = PairCounts.from_trials(read), PairCounts.from_trials(trials)
        assert (same.together == counts.together).all()
        assert (same.shown == counts.shown).all()
    assert load_dataset(tmp_path / "data").need_trials().hash() == read.hash()
    assert not load_dataset(tmp_path / "data").simulated


def test_every_format_is_tried_and_described() -> None:
    page = (Path(__file__).parents[2] / "docs/importing.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` | " in page for name in FORMATS)
    assert {kind for kind, *_ in formats.WRITERS.values()} | {"salmon"} == set(FORMATS)


_NAME = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=6)
_TRIAL = st.fixed_dictionaries(
    {
        "trial_type": st.just("odd-one-out"),
        "stimuli": st.lists(_NAME, min_size=3, max_size=3, unique=True),
        "odd": st.integers(0, 2),
        "rt": st.none() | st.integers(0, 10**6) | st.floats(0, 1e6),
        "participant": _NAME,
        "block": _NAME,
        "trial": st.integers(-(2**63), 2**63 - 1),
    }
)


@given(rows=st.lists(_TRIAL, min_size=1, max_size=8))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_trial_of_the_plugin_survives_the_way_to_a_table_and_back(
    tmp_path_factory, rows: list[dict]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "a.json").write_text(json.dumps(rows), encoding="utf-8")
    found = import_judgments([folder / "a.json"], "jspsych", folder / "data")
    read, ids = found.need_trials(), found.stimuli.ids
    assert [[ids[i] for i in shown] for shown in read.stimuli] == [row["stimuli"] for row in rows]
    assert read.odd.tolist() == [row["odd"] for row in rows]
    assert read.participant.tolist() == [row["participant"] for row in rows]
    assert read.trial.tolist() == [row["trial"] for row in rows]
    expected = [np.nan if row["rt"] is None else row["rt"] / 1000 for row in rows]
    np.testing.assert_array_equal(read.rt, expected)


@given(text=st.text(max_size=60) | st.binary(max_size=60))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "qualtrics"])
def test_any_file_is_read_or_refused_in_one_line(tmp_path_factory, kind: str, text: str | bytes) -> None:
    folder = tmp_path_factory.mktemp("noise")
    ending = ".npy" if kind == "triplets" and isinstance(text, bytes) else FORMATS[kind].endings[0]
    path = folder / f"a{ending}"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    line = None
    try:
        import_judgments([path], kind, folder / "data")
    except BgsError as error:
        line = str(error)
    assert (line is None) == (folder / "data").exists()
    assert line is None or "\n" not in line


NO_TIME = {"trial_type": "odd-one-out", "stimuli": ["a", "b", "c"], "odd": 1}
TRIAL = {"trial_type": "odd-one-out", "stimuli": ["a", "b", "c"], "odd": 1, "rt": 900, "participant": "p"}
HEAD = "participation,task,trial,stim1_name,stim2_name,stim3_name,choice,response_time"
NOTES = "task,participation,stim1_id,stim2_id,stim3_id,stim1_name,stim2_name,stim3_name,start,resp,label"
TIMES = "2020-09-14T18:00:00.000Z,2020-09-14T18:00:05.000Z"
TWO_ROWS = f"{HEAD}\np,s,0,a,b,c,d,1\np,s,1,a,b,d,c,1\n"
BACKWARDS = f"{NOTES}\nt,p,1,2,3,a,b,c,{','.join(TIMES.split(',')[::-1])},a\n"


def trial(**other: object) -> str:
    return json.dumps([TRIAL, {**TRIAL, **other}])


BAD = {
    "no JSON": ("jspsych", "a.json", '[{"trial_type": ', "line 1, character 17", "not JSON"),
    "two slots": ("jspsych", "a.json", trial(stimuli=["a", "b"]), "line 1, element 2, field 'stimuli'", "three stimulus ids"),
    "slot 3": ("jspsych", "a.json", trial(odd=3), "element 2, field 'odd'", "expected a slot: 0, 1 or 2, got 3"),
    "slot true": ("jspsych", "a.json", trial(odd=True), "element 2, field 'odd'", "got True"),
    "slow text": ("jspsych", "a.json", trial(rt="900"), "element 2, field 'rt'", "got '900'"),
    "time below 0": ("jspsych", "a.json", trial(rt=-1), "element 2, field 'rt'", "milliseconds ≥ 0"),
    "time not finite": ("jspsych", "a.json", trial(rt=float("nan")), "element 2, field 'rt'", "got nan"),
    "no time": ("jspsych", "a.json", json.dumps([NO_TIME]), "element 1, field 'rt'", "missing"),
    "spaces": ("jspsych", "a.json", trial(stimuli=["a", "b", "c "]), "element 2, field 'stimuli'", "'c '"),
    "surrogate": ("jspsych", "a.json", trial(participant="\ud800"), "element 2, field 'participant'", "a name"),
    "nobody": ("jspsych", "a.jsonl", json.dumps({**TRIAL, "participant": ""}), "line 1, field 'participant'", "PROLIFIC_PID"),
    "other plugins": ("jspsych", "a.json", '[{"trial_type": "survey"}]', "a.json", "got trials of survey"),
    "practice only": ("jspsych", "a.json", json.dumps([{**TRIAL, "practice": True}]), "a.json", "1 of practice"),
    "too deep": ("jspsych", "a.json", "[" * 100_000, "a.json, line 1", "not JSON that can be read"),
    "text between": ("jatos", "a.txt", f"[{json.dumps(TRIAL)}]\nage 30\n", "line 2, character 1", "not JSON"),
    "no archive": ("jatos", "a.jrzip", "PK", "a.jrzip", "damaged"),
    "no column": ("published", "a.csv", "task\n1\n", "row 1", "missing column"),
    "odd outside": ("published", "a.csv", f"{HEAD}\np,s,0,a,b,c,d,1\n", "row 2, column 'choice'", "unknown stimulus"),
    "odd elsewhere": ("published", "a.csv", TWO_ROWS, "row 2, column 'choice'", "a or b or c, got d"),
    "trial 1.5": ("published", "a.csv", f"{HEAD}\np,s,1.5,a,b,c,a,1\n", "row 2, column 'trial'", "an integer"),
    "fast text": ("published", "a.csv", f"{HEAD}\np,s,0,a,b,c,a,fast\n", "row 2, column 'response_time'", "'fast'"),
    "no time stamp": ("meadows", "a.csv", f"{NOTES}\nt,p,1,2,3,a,b,c,now,now,a\n", "row 2, column 'start'", "ISO 8601"),
    "answer first": ("meadows", "a.csv", BACKWARDS, "row 2, column 'resp'", "before its question"),
    "label elsewhere": ("meadows", "a.csv", f"{NOTES}\nt,p,1,2,3,a,b,c,{TIMES},x\n", "row 2, column 'label'", "unknown stimulus"),
    "single stimuli": ("meadows", "a.csv", f"{NOTES}\nt,p,1,,,a,,,{TIMES},x\n", "a.csv", "no row with three stimuli"),
    "same twice": ("salmon", "a.csv", "head,winner,loser,puid\n1,2,2,p\n", "row 2, column 'loser'", "compared with itself"),
    "two indices": ("triplets", "a.txt", "0 1 2\n0 1\n", "row 2", "expected 3 indices, got 2"),
    "below 0": ("triplets", "a.txt", "0 1 2\n0 -1 2\n", "row 2, column 2", "got '-1'"),
    "nothing": ("triplets", "a.txt", "\n", "a.txt", "no triplets"),
    "two columns": ("table", "a.csv", "participant,stim1\np,a\n", "row 1", "missing column"),
    "no mapping": ("qualtrics", "a.csv", "a\n1\n", "a.csv", "--mapping FILE"),
    "other ending": ("meadows", "a.xlsx", "a", "a.xlsx", "not a file of --from meadows"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "text", "where", "what"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line_that_says_where(tmp_path, kind, name, text, where, what) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(BgsError) as caught:
        import_judgments([tmp_path / name], kind, tmp_path / "data")
    assert where in str(caught.value)
    assert what in str(caught.value)
    assert str(tmp_path / name) in str(caught.value)
    assert not (tmp_path / "data").exists()


def test_pickled_and_odd_arrays_are_refused(tmp_path: Path) -> None:
    arrays = {
        "pickled": np.array([[1, 2, "x"]], dtype=object), "wide": np.zeros((2, 4), int), "text": np.array([["a", "b", "c"]]),
        "half": np.array([[0, 1, 1.5]]), "minus": np.array([[0, 1, -2]]), "empty": np.zeros((0, 3), int),
        "huge": np.array([[0, 1, 2**40]]),
    }  # fmt: skip
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
        with pytest.raises(BgsError, match=name):
            import_judgments([tmp_path / f"{name}.npy"], "triplets", tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_indices_need_ids_that_reach_far_enough(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("0 1 2\n3 1 0\n", encoding="utf-8")
    (tmp_path / "ids.txt").write_text("x\ny\nz\n", encoding="utf-8")
    with pytest.raises(BgsError, match=r"row 2, column 'stim1': not an index.*0 to 2.*got '3'"):
        import_judgments([tmp_path / "a.txt"], "triplets", tmp_path / "data", ids=tmp_path / "ids.txt")
    (tmp_path / "ids.txt").write_text("x\ny\nx\nz", encoding="utf-8")
    with pytest.raises(BgsError, match=r"ids.txt, row 3: stimulus 'x' listed twice"):
        import_judgments([tmp_path / "a.txt"], "triplets", tmp_path / "data", ids=tmp_path / "ids.txt")
    found = import_judgments([tmp_path / "a.txt"], "triplets", tmp_path / "data")
    assert found.stimuli.ids == ("0", "1", "2", "3")


def test_anchored_comparisons_are_kept_but_are_not_trials(tmp_path: Path) -> None:
    text = "head,left,right,winner,loser,puid,response_time\n0,1,2,2,1,ann,1.25\n2,0,1,0,1,ann,-1\n1,0,2,0,2,,0.5\n"
    (tmp_path / "r.csv").write_text(text, encoding="utf-8")
    (tmp_path / "ids.txt").write_text("hug\nargue\nchase\n", encoding="utf-8")
    found = import_judgments([tmp_path / "r.csv"], "salmon", tmp_path / "data", ids=tmp_path / "ids.txt")
    assert found.trials is None
    assert not (tmp_path / "data/trials.csv").exists()
    written = (tmp_path / "data/comparisons.csv").read_text(encoding="utf-8").splitlines()
    assert written == [
        "participant,trial,head,winner,loser,rt",
        "ann,0,hug,chase,argue,1.25",
        "ann,1,chase,hug,argue,",
        "unknown,0,argue,hug,chase,0.5",
    ]
    with pytest.raises(BgsError, match="anchored comparisons, which are not odd-one-out choices"):
        load_dataset(tmp_path / "data").need_trials()


def test_a_study_folder_keeps_its_stimuli_and_refuses_others(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "stimuli.csv").write_text(
        "stimulus_id,valence\nc.mp4,1\nb.mp4,2\na.mp4,3\nd.mp4,4\n", encoding="utf-8"
    )
    (tmp_path / "a.json").write_text(json.dumps([TRIAL]), encoding="utf-8")
    (tmp_path / "x.json").write_text(
        json.dumps([{**TRIAL, "stimuli": ["a.mp4", "x", "c.mp4"]}]), encoding="utf-8"
    )
    with pytest.raises(
        BgsError, match=r"x.json, line 1, element 1, column 'stimuli\[1\]': unknown stimulus.*got 'x'"
    ):
        import_judgments([tmp_path / "x.json"], "jspsych", data)
    assert sorted(path.name for path in data.iterdir()) == ["stimuli.csv"]
    found = import_judgments([tmp_path / "a.json"], "jspsych", data)
    assert found.need_trials().stimuli.tolist() == [[2, 1, 0]]
    assert found.stimuli.ratings["valence"].tolist() == [1, 2, 3, 4]
    with pytest.raises(BgsError, match="licence, citation and simulated are for a new folder"):
        import_judgments([tmp_path / "a.json"], "jspsych", data, simulated=True)
    with pytest.raises(BgsError, match=r"holds judgments already: trials.csv"):
        import_judgments([tmp_path / "a.json"], "jspsych", data)


def test_the_same_answers_twice_are_refused_or_named(tmp_path: Path) -> None:
    formats.jspsych(tmp_path / "a.json", formats.example(4))
    (tmp_path / "b.json").write_bytes((tmp_path / "a.json").read_bytes())
    with pytest.raises(BgsError, match=r"b\.json: the same answers are given twice"):
        import_judgments([tmp_path / "a.json", tmp_path / "b.json"], "jspsych", tmp_path / "data")
    (tmp_path / "b.json").write_text((tmp_path / "a.json").read_text() + "\n")
    found = import_judgments([tmp_path / "a.json", tmp_path / "b.json"], "jspsych", tmp_path / "data")
    assert any("are copies of others" in note for note in found.notes)
    assert len(found.need_trials()) == 24


def test_simulated_answers_are_marked(tmp_path: Path) -> None:
    formats.jspsych(tmp_path / "a.json", formats.example(4))
    found = import_judgments(
        [tmp_path / "a.json"], "jspsych", tmp_path / "data", simulated=True, licence="CC0"
    )
    assert (found.simulated, found.licence) == (True, "CC0")
    with pytest.raises(BgsError, match="no files to import"):
        import_judgments([], "jspsych", tmp_path / "more")


def test_unanswered_and_practice_trials_are_left_out_and_counted(tmp_path: Path) -> None:
    trials = [TRIAL, {**TRIAL, "odd": None, "rt": None}, {**TRIAL, "practice": True}]
    (tmp_path / "a.json").write_text(
        json.dumps({"participant": "q", "trials": trials[1:] + trials[:1]}), encoding="utf-8"
    )
    found = import_judgments([tmp_path / "a.json"], "jspsych", tmp_path / "data")
    assert len(found.need_trials()) == 1
    notes = " ".join(found.notes)
    assert "1 practice trials left out" in notes
    assert "1 trials without an answer left out" in notes


def test_who_is_not_named_is_called_after_the_file(tmp_path: Path) -> None:
    nameless = [{k: v for k, v in TRIAL.items() if k != "participant"}] * 2
    (tmp_path / "lab.jsonl").write_text(f"{json.dumps(nameless)}\n{json.dumps(nameless)}\n", encoding="utf-8")
    found = import_judgments([tmp_path / "lab.jsonl"], "jspsych", tmp_path / "data")
    assert found.need_trials().participant.tolist() == ["lab-1", "lab-1", "lab-2", "lab-2"]
    with zipfile.ZipFile(tmp_path / "r.jrzip", "w") as archive:
        archive.writestr("study_result_7/comp-result_9/data.txt", json.dumps(nameless))
        archive.writestr("../study_result_8/comp_result_1/data.txt", json.dumps(nameless))
        archive.writestr("study_result_8/comp_result_2/data.txt", "plain text")
    found = import_judgments([tmp_path / "r.jrzip"], "jatos", tmp_path / "more")
    assert found.need_trials().participant.tolist() == ["study_result_7"] * 2 + ["study_result_8"] * 2
    assert any("1 results of other components" in note for note in found.notes)


def test_a_damaged_result_of_the_study_is_not_passed_over(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "r.jrzip", "w") as archive:
        archive.writestr("study_result_7/comp-result_9/data.txt", json.dumps([TRIAL])[:-9])
        archive.writestr("study_result_8/comp-result_1/data.txt", json.dumps([TRIAL]))
    with pytest.raises(BgsError, match=r"r.jrzip/study_result_7/comp-result_9/data.txt, line 1.*not JSON"):
        import_judgments([tmp_path / "r.jrzip"], "jatos", tmp_path / "data")


MAPPINGS = {
    "unknown key": ("columns: {}\nfoo: 1\n", "unknown key 'foo'"),
    "too few columns": ("columns: {participant: a}\n", "columns: expected participant, stim1"),
    "wide without trials": ("layout: wide\nparticipant: a\n", "layout wide needs participant and trials"),
    "both": (
        "layout: wide\nparticipant: a\ntrials: [{odd: q, shown: [a, b, c], shown_in: [a, b, c]}]\n",
        "either shown",
    ),
    "no n": (
        "layout: wide\nparticipant: a\ntrials: [{odd: q, numbers: 1-3, shown: [a, b, c]}]\n",
        "a name with {n}",
    ),
    "range": (
        "layout: wide\nparticipant: a\ntrials: [{odd: 'q{n}', numbers: 3-1, shown: [a, b, c]}]\n",
        "a range such as",
    ),
}


@pytest.mark.parametrize(("text", "what"), MAPPINGS.values(), ids=MAPPINGS.keys())
def test_a_mapping_that_cannot_be_used_says_why(tmp_path: Path, text: str, what: str) -> None:
    formats.long_csv(tmp_path / "a.csv", formats.example(4))
    (tmp_path / "m.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BgsError, match=r"m\.yaml") as caught:
        import_judgments([tmp_path / "a.csv"], "table", tmp_path / "data", mapping=tmp_path / "m.yaml")
    assert what in str(caught.value)


def test_wide_tables_name_person_and_column(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,q1,q2\nann,Left,\nbob,Up,Left\n", encoding="utf-8")
    trials = "trials: [{odd: q1, shown: [a, b, c]}, {odd: q2, shown: [a, b, a]}]"
    (tmp_path / "m.yaml").write_text(
        f"layout: wide\nparticipant: id\nanswers: {{Left: 1}}\n{trials}\n", encoding="utf-8"
    )
    with pytest.raises(BgsError, match=r"row 3, trial of column 'q1'.*unknown answer.*got 'Up'"):
        import_judgments([tmp_path / "a.csv"], "qualtrics", tmp_path / "data", mapping=tmp_path / "m.yaml")
    (tmp_path / "a.csv").write_text("id,q1,q2\nann,Left,\nbob,Left,Left\n", encoding="utf-8")
    found = import_judgments(
        [tmp_path / "a.csv"], "qualtrics", tmp_path / "data", mapping=tmp_path / "m.yaml"
    )
    read = found.need_trials()
    assert read.participant.tolist() == ["ann", "bob", "bob"]
    assert read.trial.tolist() == [0, 0, 1]
    assert any("1 trials without an answer left out" in note for note in found.notes)


def test_damaged_workbooks_and_sheets(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    (tmp_path / "bad.xlsx").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(BgsError, match=r"bad\.xlsx: not an Excel workbook"):
        import_judgments([tmp_path / "bad.xlsx"], "table", tmp_path / "data")
    book = openpyxl.Workbook()
    book.active.append(["participant", "stim1", "stim2", "stim3", "odd", "rt"])
    book.active.append(["p", "a", "b", "c", "a", 2.5])
    book.active.append([])
    book.active.append(["p", "a", "b", "c", "x", 1])
    book.save(tmp_path / "b.xlsx")
    with pytest.raises(BgsError, match=r"b.xlsx, row 4, column 'odd': unknown stimulus"):
        import_judgments([tmp_path / "b.xlsx"], "table", tmp_path / "data")
    (tmp_path / "m.yaml").write_text("sheet: other\n", encoding="utf-8")
    with pytest.raises(BgsError, match="no sheet 'other'; expected one of Sheet"):
        import_judgments([tmp_path / "b.xlsx"], "table", tmp_path / "data", mapping=tmp_path / "m.yaml")


@pytest.mark.real
def test_the_published_table_is_read_as_the_data_set_reads_it(garcia: bgs.Dataset, tmp_path: Path) -> None:
    table = garcia.folder / "data/interim/similarity/all_triplets.csv"
    names = garcia.folder / "data/raw/utils/video_mapping.csv"
    found = import_judgments([table], "published", tmp_path / "data", ids=names)
    assert found.stimuli.ids == garcia.stimuli.ids
    assert found.need_trials().hash() == garcia.need_trials().hash()


def test_nothing_is_left_where_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    formats.jspsych(tmp_path / "a.json", formats.example(4))

    def full(*_: object) -> None:
        raise BgsError("cannot write: No space left on device", where=tmp_path)

    monkeypatch.setattr("bgs.datasets.imported.write_trials", full)
    with pytest.raises(BgsError, match="No space left"):
        import_judgments([tmp_path / "a.json"], "jspsych", tmp_path / "data")
    assert list((tmp_path / "data").iterdir()) == []


def test_the_command(tmp_path: Path) -> None:
    formats.jspsych(tmp_path / "a.json", formats.example(4))
    run = CliRunner().invoke(
        app, ["import", str(tmp_path / "a.json"), "--from", "jspsych", "--out", str(tmp_path / "d")]
    )
    assert run.exit_code == 0, run.output
    assert "12 trials, of 6 stimuli" in run.stdout
    result = CliRunner().invoke(
        app, ["import", str(tmp_path / "a.json"), "--from", "jspsyc", "--out", str(tmp_path / "e")]
    )
    assert isinstance(result.exception, BgsError)
    assert "did you mean jspsych?" in str(result.exception)
