"""A small data set of captions and judgments, with ratings of five kinds, as both kinds of track."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from bgs.benchmarks.tracks import HeldOut, Track

LABELS = ("calm", "lively", "tense")


@pytest.fixture(scope="session")
def rated_study(small_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small study, with the shares of three labels that 12 raters gave each stimulus."""
    folder = tmp_path_factory.mktemp("rated") / "rated"
    shutil.copytree(small_study, folder)
    rows = list(csv.DictReader((folder / "stimuli.csv").read_text(encoding="utf-8").splitlines()))
    random = np.random.default_rng(0)
    for row in rows:
        votes = random.multinomial(12, random.dirichlet(np.ones(3)))
        row |= dict(zip(LABELS, votes / 12, strict=True)) | {"n_raters": 12}
    with (folder / "stimuli.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.fixture
def tracks(rated_study: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Track, ...]:
    """Choices, then ratings; a few epochs, two pulls."""
    monkeypatch.setattr("bgs.benchmarks.recipe.EPOCHS", 3)
    monkeypatch.setattr("bgs.runs.pull.PULLS", (0.1, 1.0))
    name = str(rated_study)
    return (
        Track(name, (HeldOut(name),)),
        Track(name, (HeldOut(name, LABELS),), ratings=LABELS, trials=200),
    )
