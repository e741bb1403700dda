"""Rows that a table itself marks as excluded, as an export does, are left out, with a note and a way to keep them."""

from __future__ import annotations

import pytest

import bgs
from bgs._errors import DataError

HEADER = "participant,trial,stim1,stim2,stim3,odd,excluded,source\n"
PUBLISHED = "participation,task,trial,stim1_name,stim2_name,stim3_name,choice,response_time,excluded,source\n"


def _folder(path, rows, header=HEADER):
    path.mkdir()
    (path / "stimuli.csv").write_text("stimulus_id\na\nb\nc\n")
    (path / "trials.csv").write_text(header + "".join(f"{row}\n" for row in rows))
    return path


ROWS = [
    "p1,0,a,b,c,a,,prolific",
    "p1,1,a,b,c,b,no,prolific",
    "p2,0,a,b,c,c,failed attention checks,link",
    "p3,0,a,b,c,c,the block went to somebody else,link",
]


def test_marked_rows_are_left_out_with_a_note(tmp_path):
    folder = _folder(tmp_path / "data", ROWS)
    found = bgs.load_dataset(folder)
    assert found.need_trials().participant.tolist() == ["p1", "p1"]
    assert any("left out, since the column 'excluded' marks them: 2 rows" in note for note in found.notes)
    assert not any("'excluded' ignored" in note for note in found.notes)
    whole = bgs.load_dataset(folder, options=bgs.TrialOptions(with_excluded=True))
    assert len(whole.need_trials()) == 4


def test_the_audit_counts_them_only_when_asked(tmp_path, capsys):
    from bgs.cli.main import main

    folder = _folder(tmp_path / "data", ROWS)
    counted = []
    for options in ([], ["--with-excluded"]):
        with pytest.raises(SystemExit) as end:
            main(["data", "audit", str(folder), *options])
        assert not end.value.code
        (line,) = [line for line in capsys.readouterr().out.splitlines() if line.strip().startswith("rows")]
        counted.append(line.split()[-1])
    assert counted == ["2", "4"]


def test_a_table_of_marked_rows_only_is_an_error(tmp_path):
    folder = _folder(tmp_path / "data", ROWS[2:])
    with pytest.raises(DataError, match="every row is marked in the column 'excluded'"):
        bgs.load_dataset(folder)


def test_simulated_observers_make_the_data_simulated(tmp_path):
    assert not bgs.load_dataset(_folder(tmp_path / "people", ROWS)).simulated
    assert bgs.load_dataset(_folder(tmp_path / "mixed", [*ROWS, "s,0,a,b,c,a,,simulated"])).simulated


def test_published_names_are_no_way_round(tmp_path):
    rows = ["p1,t,0,a,b,c,a,1.5,,simulated", "p2,t,0,a,b,c,b,1.5,failed attention checks,prolific"]
    (tmp_path / "x.csv").write_text(PUBLISHED + "".join(f"{row}\n" for row in rows))
    made = bgs.import_judgments([tmp_path / "x.csv"], "published", tmp_path / "out")
    assert made.need_trials().participant.tolist() == ["p1"]
    assert any("the column 'excluded' marks them: 1 row" in note for note in made.notes)
    assert any("SIMULATED observers" in note for note in made.notes)
