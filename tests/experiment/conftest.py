"""Two tiny experiments, run once: a sentence encoder on captions, and a video encoder on clips with regions."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bgs.experiments.chapters import CHAPTERS
from bgs.experiments.config import validated_experiment
from bgs.experiments.grid import run_experiment
from bgs.stimuli import RegionMasks, write_masks
from bgs.stimuli.masks import mask_path
from clips import write_clip


@pytest.fixture
def restored():
    """The chapters may be changed; they are put back in the end, or when this is called."""
    before = list(CHAPTERS)

    def restore() -> None:
        CHAPTERS[:] = before

    yield restore
    restore()


@pytest.fixture
def swap(restored):
    """``swap("probes", analyse=..., result=...)`` changes a chapter for one test."""

    def _swap(name: str, **changes: object) -> None:
        CHAPTERS[:] = [replace(one, **changes) if one.name == name else one for one in CHAPTERS]

    return _swap


@pytest.fixture(scope="module")
def settings(tiny_text, small_study):
    """Two seeds of a tiny sentence encoder, with dropout; a module may add to these."""
    return {
        "data": str(small_study),
        "models": {"tiny": {"model": f"text:{tiny_text}"}},
        "conditions": ["hybrid"],
        "seeds": [0, 1],
        "analyses": dict.fromkeys(["variance", "probes", "dimensions", "disagreement"]),  # see test_analyses.py
        "training": {
            "epochs": 3, "validation": {"every": 1}, "lora": {"rank": 2, "dropout": 0.2},
            "optimizer": {"learning_rate": 0.02, "warmup": 0},
            "evaluation": {"resamples": 100, "permutations": 0, "protocols": ["held-out-pairs"]},
        },
    }  # fmt: skip


@pytest.fixture(scope="module")
def config(settings):
    """The experiment of a module's settings."""
    return validated_experiment(settings, "grid.yaml")


@pytest.fixture(scope="session")
def text_settings(tiny_text, small_study):
    """Two seeds of a tiny sentence encoder; transfer and attention are asked for though they do not apply."""
    return {
        "data": str(small_study),
        "models": {"tiny": {"model": f"text:{tiny_text}"}},
        "captions": f"text:{tiny_text}",
        "conditions": ["hybrid", "language-distillation"],
        "seeds": [0, 1],
        "training": {
            "epochs": 3, "lora": {"rank": 2, "dropout": 0.0}, "optimizer": {"learning_rate": 0.02, "warmup": 0},
            "evaluation": {"resamples": 100, "permutations": 20, "protocols": ["held-out-pairs"]},
        },
        "analyses": {
            "variance": {"folds": 3, "low_level": ["motion:energy"]},
            "probes": {"shots": 4},
            "dimensions": {"dimensions": 3, "starts": 1},
            "disagreement": {"examples": 3},
            "transfer": {"data": "no-such-folder", "ratings": ["friendly"]},
            "attention": {},
        },
    }  # fmt: skip


@pytest.fixture(scope="session")
def text_experiment(text_settings, tmp_path_factory):
    """(outcome, folder) of the first one."""
    folder = tmp_path_factory.mktemp("text-experiment") / "out"
    return run_experiment(validated_experiment(text_settings, "x"), folder), folder


@pytest.fixture(scope="session")
def clip_settings(tmp_path_factory):
    """A small video encoder from random weights on 18 clips, 9 held out, and a second data set of 8 other clips."""
    first, second = (tmp_path_factory.mktemp(name) for name in ("films", "others"))
    _write_study(first, 18, test=9)
    _write_others(second, 8)
    return {
        "data": str(first),
        "models": {"film": {"model": "scratch:videomae-tiny?seed={seed}"}},
        "conditions": ["hybrid"],
        "seeds": [0, 1],
        "training": {
            "epochs": 1, "lora": None, "micro_batch": 18, "validation": {"fraction": 0.0},
            "evaluation": {"resamples": 100, "permutations": 20, "protocols": ["held-out-pairs"]},
        },
        "analyses": {
            "variance": {
                "folds": 3, "low_level": ["pixels:grey", "motion:energy"],
                "beyond": {"heights": {"ratings": ["height", "same"]}},
            },
            "probes": {"folds": 3},
            "dimensions": {"dimensions": 2, "starts": 1},
            "transfer": {
                "data": str(second), "ratings": ["friendly", "hostile"], "label": "relation", "raters": "n_raters",
            },
            "attention": {"regions": {"agents": ["left", "right"]}, "strips": 1},
        },
    }  # fmt: skip


@pytest.fixture(scope="session")
def clip_experiment(clip_settings, tmp_path_factory):
    """(outcome, folder) of the second one."""
    folder = tmp_path_factory.mktemp("clip-experiment") / "out"
    return run_experiment(validated_experiment(clip_settings, "x"), folder), folder


def _film(path: Path, number: int) -> np.ndarray:
    """A clip of a bright square that moves to the right at a height of its own; the masks of its two halves."""
    random = np.random.default_rng(number)
    y, speed = int(random.integers(0, 48)), int(random.integers(1, 5))
    pictures, labels = [], np.zeros((8, 64, 64), np.uint8)
    for t in range(8):
        picture = np.full((64, 64, 3), 30 + 8 * (number % 8), np.uint8)
        x = speed * t
        picture[y : y + 16, x : x + 16] = 220
        labels[t, y : y + 16, x : x + 8], labels[t, y : y + 16, x + 8 : x + 16] = 1, 2
        pictures.append(picture)
    write_clip(path, pictures, rate=8)
    return labels


def _write_study(folder: Path, n: int, test: int) -> None:
    heights = []
    for number in range(n):
        labels = _film(folder / f"film{number:02d}.mp4", number)
        write_masks(
            mask_path(folder, f"film{number:02d}"), RegionMasks(labels, ("background", "left", "right"))
        )
        heights.append(float(np.argwhere(labels[0])[0, 0]))
    with (folder / "stimuli.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["stimulus_id", "video", "split", "height", "same"])
        for i, height in enumerate(heights):
            rows.writerow(
                [f"film{i:02d}", f"film{i:02d}.mp4", "test" if i >= n - test else "train", height, 1]
            )
    # Observers without noise, so that pages speak of observers.
    (folder / "about.json").write_text('{"licence": "simulated", "citation": "SIMULATED"}')
    random = np.random.default_rng(0)
    with (folder / "trials.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["participant", "stim1", "stim2", "stim3", "odd"])
        for row in range(240):
            among = np.arange(n - test) if row % 2 else np.arange(n - test, n)
            trio = random.choice(among, 3, replace=False)
            h = np.array(heights)[trio]
            gaps = [abs(h[1] - h[2]), abs(h[0] - h[2]), abs(h[0] - h[1])]
            names = [f"film{i:02d}" for i in trio]
            rows.writerow([f"p{row % 6}", *names, names[int(np.argmin(gaps))]])


def _write_others(folder: Path, n: int) -> None:
    with (folder / "stimuli.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["stimulus_id", "video", "friendly", "hostile", "n_raters", "relation"])
        for i in range(n):
            _film(folder / f"other{i}.mp4", 100 + i)
            friendly = (3 * i + 1) % 10 / 10
            label = "friendly" if i % 2 else "hostile"
            rows.writerow([f"other{i}", f"other{i}.mp4", friendly, 1 - friendly, 10, label])
