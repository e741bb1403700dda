"""A folder of simulated clips is an ordinary data set, and nothing else is touched."""

import numpy as np
import pytest

from bgs import BgsError
from bgs.cli.main import main
from bgs.datasets import load_dataset
from bgs.simulation.behaviours import BEHAVIOURS
from bgs.simulation.clip_folder import ClipSettings, write_clips
from bgs.simulation.latents import LATENTS
from bgs.simulation.wordings import WORDINGS
from bgs.stimuli import Sampling
from bgs.stimuli.decoding import decode
from bgs.stimuli.masks import masks_of


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips") / "world"
    main_ok(["simulate", "clips", str(folder), "--clips", "14", "--size", "64", "--seed", "5"])
    return folder


def main_ok(arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code in (0, None)


def test_a_folder_loads_as_a_data_set(world):
    dataset = load_dataset(world)
    assert dataset.licence == "simulated"
    assert len(dataset.stimuli) == 14
    assert set(LATENTS) <= set(dataset.stimuli.ratings)
    assert sorted(dataset.stimuli.labels["behaviour"]) == sorted(BEHAVIOURS)
    assert dataset.stimuli.test.sum() == round(0.25 * 14)
    assert all(len(captions) == 5 for captions in dataset.stimuli.captions)


def test_clips_are_three_seconds_and_masks_fit(world):
    stimuli = load_dataset(world).stimuli
    frames = decode(stimuli.videos[0], Sampling(frames=90, size=64))
    masks = masks_of(world, stimuli.ids[0])
    assert frames.shape == (90, 64, 64, 3)
    assert masks.labels.shape == (90, 64, 64)
    assert {1, 2} <= set(np.unique(masks.labels))


def test_the_same_seed_gives_the_same_clips(world, tmp_path):
    again = write_clips(tmp_path / "again", ClipSettings(clips=14, size=64, seed=5), workers=1)
    first = load_dataset(world).stimuli
    assert again.captions == first.captions
    for name in LATENTS:
        np.testing.assert_array_equal(again.ratings[name], first.ratings[name])
    sampling = Sampling(frames=8, size=64)
    np.testing.assert_array_equal(decode(again.videos[3], sampling), decode(first.videos[3], sampling))


def test_every_behaviour_has_wordings():
    assert set(WORDINGS) == set(BEHAVIOURS)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"clips": 2}, "invalid number of clips"),
        ({"clips": 10**12}, "invalid number of clips; expected 6 to 1,000,000"),
        ({"clips": 8, "test_share": 0.1}, "too few clips for a split"),
        ({"style": "cubist"}, "unknown style"),
        ({"behaviours": ("chase", "sulk")}, "unknown behaviour sulk"),
        ({"size": 63}, "impossible size"),
        ({"size": 20_000}, "impossible size; expected an even number of pixels from 32 to 1024"),
        ({"test_share": 1.0}, "invalid proportion"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(BgsError, match=message):
        ClipSettings(**settings)


def test_a_folder_with_foreign_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(BgsError, match="not empty"):
        write_clips(tmp_path, ClipSettings(clips=12))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_nothing_is_left_of_a_run_that_fails(tmp_path, monkeypatch):
    def fail(*_args, **_kwargs):
        raise RuntimeError("disk full")

    monkeypatch.setattr("bgs.simulation.clip_folder.write_video", fail)
    with pytest.raises(RuntimeError, match="disk full"):
        write_clips(tmp_path / "world", ClipSettings(clips=12, size=64), workers=1)
    assert list(tmp_path.iterdir()) == []
