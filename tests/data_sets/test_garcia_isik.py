"""The published facts of garcia-isik-2025, on the real files; and faults in files of that form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bgs._errors import DataError
from bgs.datasets import Dataset, audit_dataset
from bgs.datasets.garcia_isik import load_garcia_isik, read_matrix
from bgs.datasets.published import counts_with_checks
from bgs.datasets.registry import GARCIA_ISIK
from bgs.judgments import PairCounts, Trials
from bgs.judgments.trial_audit import Audit

UTILS = "data/raw/utils"


@pytest.fixture(scope="module")
def trials(garcia: Dataset) -> Trials:
    return garcia.need_trials()


@pytest.fixture(scope="module")
def found(garcia: Dataset) -> Audit:
    return audit_dataset(garcia)


@pytest.mark.real
def test_clips(garcia: Dataset) -> None:
    stimuli = garcia.stimuli
    assert (len(stimuli), stimuli.train.sum(), stimuli.test.sum()) == (250, 200, 50)
    assert stimuli.ids[:2] == ("-YwZOeyAQC8_15.mp4", "1AIVH5cEWrI_35.mp4")
    assert stimuli.captions is not None
    counts = [len(captions) for captions in stimuli.captions]
    assert (min(counts), max(counts)) == (5, 11)
    assert sorted(stimuli.ratings) == [
        "agent_distance", "arousal", "communication", "dominance", "expanse", "facingness", "indoor", "intimacy",
        "joint_action", "object", "valence",
    ]  # fmt: skip
    assert all(((values >= 0) & (values <= 1)).all() for values in stimuli.ratings.values())


@pytest.mark.real
def test_rows_participants_and_attention_checks(found: Audit) -> None:
    assert (found.rows, len(found.participants)) == (49_484, 215)
    assert (found.attention.shown, found.attention.passed, found.attention.pass_rate) == (2_356, 2_356, 1.0)
    assert all(person.passed == person.checks for person in found.participants)
    assert len(found.flagged) == 10  # see docs/simulated-observers.md
    assert {reason.test for flag in found.flagged for reason in flag.reasons[:1]} == {"choices"}
    assert (found.copies.rows, found.doubles.rows) == (0, 166)
    shares = [slot.value for slot in found.odd_by_slot]
    assert sum(shares) == pytest.approx(1)
    assert sum(person.rows for person in found.participants) == found.rows
    assert (found.degenerate, found.judgments) == (2, 47_126)


@pytest.mark.real
def test_response_times(found: Audit) -> None:
    assert found.rt is not None
    assert found.rt.maximum == 59_599.98
    assert found.rt.median == pytest.approx(4.8, abs=0.05)
    assert (found.rt.known, found.rt.outliers) == (49_484, 466)


@pytest.mark.real
def test_splits_leak_into_each_other(found: Audit) -> None:
    assert found.leakage is not None
    assert found.leakage.rows == (25_623, 18_660, 4_750, 451)
    assert found.leakage.judgments == (24_096, 18_288, 4_374, 368)


@pytest.mark.real
def test_pair_coverage(found: Audit) -> None:
    every, inside = found.coverage["all"], found.coverage["test trials"]
    assert (every.pairs, every.observed) == (31_125, 31_125)
    assert every.times_shown == pytest.approx(4.5, abs=0.05)
    assert (found.coverage["test"].pairs, found.coverage["test"].observed) == (1_225, 1_225)
    assert (inside.pairs, inside.observed) == (1_225, 637)
    assert inside.share == pytest.approx(0.5, abs=0.03)


@pytest.mark.real
def test_repeated_triplets_agree_about_half_of_the_time(found: Audit) -> None:
    assert found.agreement.over_pairs == pytest.approx(0.55, abs=0.005)
    assert found.agreement.over_triplets == pytest.approx(0.55, abs=0.005)


@pytest.mark.real
def test_published_files_against_the_trials(found: Audit) -> None:
    compared = {entry.file: (entry.compared, entry.differing) for entry in found.published}
    assert compared == {
        "train.csv": (200, 0), "test.csv": (50, 0),
        "train_triplets.csv": (24_096, 0), "test_triplets.csv": (368, 0),
        "count_df_train.csv": (62_250, 0), "test_df_counts.csv": (62_250, 130),
        "sim_judg_train_rsm.csv": (39_800, 0), "sim_judg_test_rsm.csv": (2_450, 24),
    }  # fmt: skip


@pytest.mark.real
def test_the_24_cells_count_attention_checks_as_judgments(garcia: Dataset, trials: Trials) -> None:
    assert garcia.folder is not None
    published = read_matrix(garcia.folder, "sim_judg_test_rsm.csv", 250)
    grid = np.ix_(*[np.flatnonzero(garcia.stimuli.test)] * 2)
    off = ~np.eye(50, dtype=bool)
    inside = trials.within(garcia.stimuli.test)
    for counts, differing in ((PairCounts.from_trials(inside), 24), (counts_with_checks(inside), 0)):
        derived = counts.together / np.maximum(counts.shown, 1)
        assert (~np.isclose(published, derived))[grid][off].sum() == differing


@pytest.mark.real
def test_provenance(garcia: Dataset) -> None:
    assert garcia.hashes == GARCIA_ISIK.hashes
    assert "cite" in garcia.licence
    assert "arXiv:2510.01502" in garcia.citation


def write_repository(folder: Path, **changed: str) -> Path:
    """A repository of three clips in the authors' form, with some files changed."""
    files = {
        "mapping": "index,video_name\n0,x.mp4\n1,y.mp4\n2,z.mp4\n",
        "annotations": (
            "video_name,rating-valence,stimulus_set,captions\n"
            "z.mp4,0.3,test,\"['a z']\"\nx.mp4,0.1,train,\"['an x', 'it''s x']\"\ny.mp4,0.2,train,\"['a y']\"\n"
        ),
        "triplets": (
            "participation,task,trial,stim1_name,stim2_name,stim3_name,choice,response_time\n"
            "ann,set1,0,0,1,2,2,1.5\nann,set1,1,2,0,0,2,2.5\nann,set1,2,1,0,0,0,2.5\n"
        ),
    } | changed
    for name, path in (
        ("mapping", f"{UTILS}/video_mapping.csv"),
        ("annotations", f"{UTILS}/annotations.csv"),
        ("triplets", "data/interim/similarity/all_triplets.csv"),
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(files[name], encoding="utf-8")
    return folder


def test_annotations_are_matched_by_name_not_position(tmp_path: Path) -> None:
    stimuli, trials = load_garcia_isik(write_repository(tmp_path))
    assert stimuli.ids == ("x.mp4", "y.mp4", "z.mp4")
    assert stimuli.split == ("train", "train", "test")
    assert stimuli.ratings["valence"].tolist() == [0.1, 0.2, 0.3]
    assert stimuli.captions == (("an x", "its x"), ("a y",), ("a z",))
    assert trials.odd.tolist() == [2, 0, 1]
    assert trials.block.tolist() == ["set1"] * 3


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"mapping": "index,video_name\n0,x.mp4\n2,y.mp4\n"}, "indices have gaps or repeats; expected 0 to 1"),
        ({"mapping": "index,video_name\n0,x.mp4\n1,y.mp4\n"}, "clips differ from video_mapping.csv"),
        (
            {"annotations": "video_name,stimulus_set,captions\nx.mp4,train,__import__('os')\ny.mp4,train,[]\nz.mp4,test,[]\n"},
            "row 2, column 'captions': not a list of captions",
        ),
        (
            {"triplets": "participation,task,trial,stim1_name,stim2_name,stim3_name,choice,response_time\na,s,0,0,1,2,3,1\n"},
            "row 2, column 'choice': not an index of a stimulus; expected 0 to 2",
        ),
    ],
)  # fmt: skip
def test_files_that_contradict_each_other(tmp_path: Path, changed: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_garcia_isik(write_repository(tmp_path, **changed))


def test_a_matrix_must_be_square_over_known_stimuli(tmp_path: Path) -> None:
    path = tmp_path / "data/interim/similarity/m.csv"
    path.parent.mkdir(parents=True)
    path.write_text("2,0\n1,0.5\n0.25,1\n")
    matrix = read_matrix(tmp_path, "m.csv", 3)
    assert matrix[2, 0] == 0.5
    assert matrix[0, 2] == 0.25
    assert np.isnan(matrix[1]).all()
    path.write_text("2,0\n1,0.5\n")
    with pytest.raises(DataError, match="not a square matrix"):
        read_matrix(tmp_path, "m.csv", 3)
