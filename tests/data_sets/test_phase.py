"""The published facts of phase-genset, and pickles that must be refused."""

from __future__ import annotations

import pickle
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from bgs._errors import DataError
from bgs.datasets import load_dataset
from bgs.datasets.phase import read_clips, read_pickle, read_ratings


@pytest.mark.real
def test_clips_and_majority_labels(mirror: Path) -> None:
    dataset = load_dataset("phase-genset", mirror=mirror)
    assert dataset.trials is None
    assert len(dataset.stimuli) == 100
    assert Counter(dataset.stimuli.labels["relation"]) == {"friendly": 37, "neutral": 27, "adversarial": 36}
    assert dataset.stimuli.ratings == {}
    with pytest.raises(DataError, match="no odd-one-out trials"):
        dataset.need_trials()


@pytest.mark.real
def test_rating_distributions(mirror: Path) -> None:
    path = mirror / "../data/phase-genset/ratings.csv"
    if not path.exists():
        pytest.skip("no ratings.csv beside the mirror")
    ratings = load_dataset("phase-genset", mirror=mirror, ratings=path).stimuli.ratings
    assert (ratings["n_raters"].min(), ratings["n_raters"].max()) == (13, 30)
    shares = np.column_stack([ratings[name] for name in ("friendly", "neutral", "adversarial")])
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)


@pytest.mark.real
def test_trajectories(mirror: Path) -> None:
    dataset = load_dataset("phase-genset", mirror=mirror)
    assert dataset.folder is not None
    clips = read_clips(dataset.folder)
    lengths = [clip.trajectories.shape[1] for clip in clips]
    assert {clip.trajectories.shape[::2] for clip in clips} == {(4, 5)}
    assert (min(lengths), max(lengths)) == (33, 101)
    assert all(np.isfinite(clip.trajectories).all() and (clip.radii > 0).all() for clip in clips)
    assert [clip.social_goal for clip in clips] == list(dataset.stimuli.labels["relation"])


class Malicious:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.write_text, (self.path, "owned")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_malicious_pickle_is_refused_before_it_runs(tmp_path: Path, protocol: int) -> None:
    path, trace = tmp_path / "clips", tmp_path / "trace"
    path.write_bytes(pickle.dumps([{"name": Malicious(trace)}], protocol=protocol))
    with pytest.raises(DataError, match=r"refused to unpickle: it refers to .* not on the allow-list"):
        read_pickle(path)
    assert not trace.exists()


@pytest.mark.parametrize(
    "name",
    [b"cbuiltins\neval\n.", b"cos\nsystem\n.", b"cnumpy\nload\n.", b"cnumpy.core.multiarray\nfromfile\n."],
)
def test_only_array_reconstruction_is_allowed(tmp_path: Path, name: bytes) -> None:
    (tmp_path / "p").write_bytes(name)
    with pytest.raises(DataError, match="allow-list"):
        read_pickle(tmp_path / "p")


@pytest.mark.parametrize("protocol", [3, 4])
def test_arrays_and_plain_data_are_allowed(tmp_path: Path, protocol: int) -> None:
    value = {"a": [1, 2.5, (None, True)], "array": np.arange(6.0).reshape(2, 3)}
    (tmp_path / "p").write_bytes(pickle.dumps(value, protocol=protocol))
    read = read_pickle(tmp_path / "p")
    assert read["a"] == value["a"]
    np.testing.assert_array_equal(read["array"], value["array"])


@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x04]"])
def test_broken_pickles_are_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "p").write_bytes(content)
    with pytest.raises(DataError, match="refused to unpickle"):
        read_pickle(tmp_path / "p")
    with pytest.raises(DataError, match="cannot read"):
        read_pickle(tmp_path / "none")


@pytest.mark.parametrize("entries", [[{"name": "x"}], [1], [{"name": "x", "trajectories": []}], 7])
def test_a_pickle_of_something_else(tmp_path: Path, entries: object) -> None:
    path = tmp_path / "PHASE/Videos_Test_humanratings"
    path.parent.mkdir()
    path.write_bytes(pickle.dumps(entries))
    with pytest.raises(DataError, match="not a list of PHASE clips"):
        read_clips(tmp_path)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,1,2,3\n", "ratings are for different clips; expected the 2 clips, each once, got b"),
        ("a,1,2,3\nb,0,0,0\n", "row 3, column 'friendly': invalid vote counts"),
        ("a,1,2,3\nb,1,x,0\n", "row 3, column 'neutral': not a number"),
        ("a,1,2,3\nb,1,2,0\na,1,1,1\n", "each once, got 3 rows"),
    ],
)
def test_ratings_are_matched_by_name_and_checked(tmp_path: Path, rows: str, message: str) -> None:
    path = tmp_path / "ratings.csv"
    path.write_text("clip,friendly,neutral,adversarial\nb,3,1,0\na,1,1,2\n")
    read, _ = read_ratings(path, ("a", "b"))
    assert read["friendly"].tolist() == [0.25, 0.75]
    assert read["n_raters"].tolist() == [4, 4]
    path.write_text(f"clip,friendly,neutral,adversarial\n{rows}")
    with pytest.raises(DataError, match=message):
        read_ratings(path, ("a", "b"))
