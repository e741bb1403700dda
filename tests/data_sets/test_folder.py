"""Own data in a folder: round trip, and one line for every kind of bad input."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bgs._errors import DataError
from bgs.datasets import Dataset, audit_dataset, load_dataset, write_folder
from bgs.datasets.folder import TRUTH
from bgs.judgments import Trials
from bgs.simulation import TRUTH as TRUTH_OF_SIMULATION
from bgs.stimuli import StimulusSet

STIMULI = StimulusSet(
    ids=("a", "b, c", "ç"),
    captions=(("He said \"hi\".", "Two, people"), (), ("line\nbreak",)),
    split=("train", "train", "test"),
    ratings={"valence": np.array([0.1, np.nan, 1 / 3])},
    labels={"place": ("park", "", "in town")},
)  # fmt: skip


def dataset_in(folder: Path) -> Dataset:
    stimuli = replace(STIMULI, videos=(folder / "clips/a.mp4", None, Path("/elsewhere/c.mp4")))
    trials = Trials(
        participant=np.array(["ann", "bob"]),
        block=np.array(["1", "1"]),
        trial=np.array([0, 1]),
        stimuli=np.array([[0, 1, 2], [2, 0, 1]]),
        odd=np.array([1, 0]),
        rt=np.array([np.nan, 2.5]),
        n_stimuli=3,
    )
    return Dataset(
        stimuli, trials, simulated=False, name="mine", licence="CC0", citation="me, 2025", folder=folder
    )


def test_round_trip(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    written = dataset_in(folder)
    write_folder(written, folder)
    read = load_dataset(folder)
    assert read.name == "mine"
    assert read.stimuli.hash() == written.stimuli.hash()
    assert read.stimuli.videos == written.stimuli.videos
    assert read.need_trials().hash() == written.need_trials().hash()
    assert (read.licence, read.citation) == ("CC0", "me, 2025")
    assert sorted(read.hashes) == ["stimuli.csv", "trials.csv"]
    assert audit_dataset(read).judgments == 2


def test_a_data_set_without_judgments_replaces_one_with(tmp_path: Path) -> None:
    written = dataset_in(tmp_path)
    write_folder(written, tmp_path)
    write_folder(replace(written, trials=None), tmp_path)
    read = load_dataset(str(tmp_path))
    assert read.trials is None
    with pytest.raises(DataError, match="no odd-one-out trials"):
        audit_dataset(read)


def test_the_least_there_can_be(tmp_path: Path) -> None:
    (tmp_path / "stimuli.csv").write_text("stimulus_id\na\nb\n")
    read = load_dataset(tmp_path)
    assert read.stimuli.ids == ("a", "b")
    assert read.stimuli.captions is read.stimuli.split is read.stimuli.videos is None
    assert read.licence == "your own data"


BAD = {
    "listed twice": ("stimulus_id\na\nb\na\n", "row 4, column 'stimulus_id': stimulus 'a' listed twice"),
    "empty id": ("stimulus_id,x\na,1\n,2\n", "row 3, column 'stimulus_id': empty cell"),
    "empty file": ("", "stimuli.csv: empty file"),
    "no id column": ("id,split\na,train\n", "row 1: missing column stimulus_id; expected stimulus_id, got id, split"),
    "split": ("stimulus_id,split\na,train\nb,dev\n", "row 3, column 'split': unknown split; expected train or test, got 'dev'"),
    "not JSON": ("stimulus_id,captions\na,[one]\n", "row 2, column 'captions': not JSON"),
    "not a list": ('stimulus_id,captions\na,"""one"""\n', "row 2, column 'captions': not a list of sentences"),
    "not sentences": ("stimulus_id,captions\na,[1]\n", "row 2, column 'captions': not a list of sentences"),
    "mixed column": ("stimulus_id,valence\na,.5\nb,\nc,high\n", "row 4, column 'valence': column mixes numbers and text"),
    "bars": ("stimulus_id|split\na|train\n", "row 1: missing column stimulus_id"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD.keys())
def test_bad_stimuli_are_one_line_that_says_where(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "stimuli.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        load_dataset(tmp_path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bad_trials_name_their_file(tmp_path: Path) -> None:
    (tmp_path / "stimuli.csv").write_text("stimulus_id\na\nb\nc\n")
    (tmp_path / "trials.csv").write_text("participant,stim1,stim2,stim3,odd\nann,a,b,d,a\n")
    with pytest.raises(DataError, match=r"trials.csv, row 2, column 'stim3': unknown stimulus"):
        load_dataset(tmp_path)


def test_bad_about(tmp_path: Path) -> None:
    (tmp_path / "stimuli.csv").write_text("stimulus_id\na\n")
    for text in ("{", "[]", '{"licence": 3}', '{"simulated": "yes"}', '{"simulated": 1}', "\0"):
        (tmp_path / "about.json").write_text(text)
        with pytest.raises(DataError, match=r"about\.json: (damaged|invalid value of '\w+')"):
            load_dataset(tmp_path)


@pytest.mark.parametrize(
    ("about", "simulated"),
    [
        (None, False),
        ({"licence": "simulated"}, True),  # as older versions wrote it
        ({"licence": "CC0", "simulated": True}, True),  # another licence does not make them real
        ({"licence": "CC0", "simulated": False}, False),
        ({"licence": "a simulated licence"}, False),
    ],
)
def test_what_says_that_data_are_simulated(
    tmp_path: Path, about: dict[str, object] | None, simulated: bool
) -> None:
    (tmp_path / "stimuli.csv").write_text("stimulus_id\na\n")
    if about is not None:
        (tmp_path / "about.json").write_text(json.dumps(about))
    read = load_dataset(tmp_path)
    assert read.simulated is simulated
    write_folder(read, tmp_path / "copy")
    assert load_dataset(tmp_path / "copy").simulated is simulated
    (tmp_path / TRUTH).write_text("{}")
    assert load_dataset(tmp_path).simulated


def test_a_data_set_has_to_say_whether_it_is_simulated() -> None:
    with pytest.raises(TypeError, match="simulated"):
        Dataset(STIMULI, name="mine")  # type: ignore[call-arg]


def test_the_truth_has_one_name() -> None:
    assert TRUTH == TRUTH_OF_SIMULATION


def test_a_folder_that_is_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"not a data set: it has no stimuli\.csv"):
        load_dataset(tmp_path)


def test_unknown_names_get_a_suggestion() -> None:
    with pytest.raises(DataError, match=r"garcia-isik: no such data set.*did you mean garcia-isik-2025\?"):
        load_dataset("garcia-isik")
    with pytest.raises(DataError, match=r"expected garcia-isik-2025, phase-genset, .* or a folder"):
        load_dataset("nowhere/at/all")


def test_ratings_belong_to_phase(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not use a ratings table; expected phase-genset"):
        load_dataset(tmp_path, ratings=tmp_path / "ratings.csv")


def test_trials_must_belong_to_the_stimuli(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="another stimulus set; expected 2 stimuli, got 3"):
        replace(dataset_in(tmp_path), stimuli=StimulusSet(ids=("a", "b")))
