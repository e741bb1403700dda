"""A long video is described in pieces, with times kept; in Python, as a table and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from moving_clips import RATE, shots_of

import bgs
from bgs.api.describing import ClipDescription
from bgs.evaluation.readout import (
    AttributePrediction,
    ChoiceRule,
    Density,
    Description,
    Familiarity,
    KeptTogether,
    Readout,
)
from bgs.evaluation.readout.attributes import AttributeReadout, LinearProbe
from bgs.library import Cutting
from bgs.runs.opened_model import open_model
from bgs.views.console import as_text
from bgs.views.description import description_view, pieces_view
from clips import write_clip
from program import fails, runs

TIMES = [(0.0, 3.0), (3.0, 5.0), (5.0, 13.0)]


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    """A folder with a film of three shots and a short clip."""
    folder = tmp_path_factory.mktemp("films")
    write_clip(folder / "film.mp4", shots_of(3, 2, 8), RATE)
    write_clip(folder / "short.mp4", shots_of(2), RATE)
    return folder


@pytest.fixture
def model(monkeypatch):
    """Pixels, which rate by their sum; no clip is like those of the study."""
    opened = open_model("pixels:", "cpu")
    width = opened.backbone.width
    probe = LinearProbe(np.random.default_rng(0).normal(size=width), 0.5)
    valence = AttributeReadout("valence", probe, np.linspace(0, 1, 99), (-1.0, 1.0), 0.4)
    density = Density(np.full(width, 100.0), np.eye(width)[:2], np.ones(2), 1.0)
    readout = Readout(
        KeptTogether(1.0, 2.0, 100), ChoiceRule(1.0, 100), (valence,), Familiarity(density, np.linspace(0.5, 1.5, 40)),
        {"data": "films", "simulated": True},
    )  # fmt: skip
    found = bgs.Model(replace(opened, readout=readout))
    monkeypatch.setattr("bgs.api.model.load_model", lambda reference, **_: found)
    return found


def test_each_piece_is_described_by_its_own_frames(model, described):
    film = described / "film.mp4"
    found = model.describe_all([film])
    assert [one.span for one in found] == TIMES
    assert {one.file for one in found} == {str(film)}
    part = bgs.StimulusSet(("x",), videos=(film,), spans=(TIMES[1],))
    assert found[1]["valence"].value == pytest.approx(model.describe_all(part)[0]["valence"].value)
    assert len({one["valence"].value for one in found}) == 3
    assert model.describe_all(film).to_json() == found.to_json()
    whole = model.describe(film)
    assert whole.span is None
    assert whole["valence"] == model.describe_all([film], cutting=Cutting("none"))[0]["valence"]


def test_the_command_prints_a_row_a_piece_and_writes_times(model, described, capsys):
    printed = runs(capsys, "describe", described / "film.mp4", described / "short.mp4", "--model", "any")
    for text in (
        "0:00.0–0:03.0 far",
        "0:03.0–0:05.0",
        "0:05.0–0:13.0",
        "3 of 3 pieces are far",
        "interval ±",
    ):
        assert text in printed
    assert printed.count("SIMULATED") == 2  # a table for the film, and one for the clip
    found = json.loads(runs(capsys, "describe", described, "--model", "any", "--json", "-"))
    assert [(one["clip"], one["start"], one["end"]) for one in found] == [
        *((f"film.mp4#t={start:.2f},{end:.2f}", start, end) for start, end in TIMES), ("short.mp4", None, None),
    ]  # fmt: skip


def test_windows_and_whole_videos(model, described, capsys):
    film = described / "film.mp4"
    cut = ["--cut", "windows", "--window", "6", "--whole", "5", "--json", "-"]
    found = json.loads(runs(capsys, "describe", film, "--model", "any", *cut))
    assert [(one["start"], one["end"]) for one in found] == [(0, 6.5), (6.5, 13)]
    found = json.loads(runs(capsys, "describe", film, "--model", "any", "--cut", "none", "--json", "-"))
    assert [one["clip"] for one in found] == [str(film)]


def test_bad_input_is_named(model, described, tmp_path, capsys):
    (tmp_path / "text.mp4").write_text("no video")
    error = fails(
        capsys,
        "describe",
        described / "film.mp4",
        tmp_path / "text.mp4",
        tmp_path / "gone.mp4",
        "--model",
        "any",
    )
    assert "2 of 3 clips cannot be read" in error
    assert "No such file" in error
    error = fails(
        capsys, "odd", *(described / name for name in ("film.mp4", "short.mp4", "gone.mp4")), "--model", "any"
    )
    assert "gone.mp4 (No such file" in error
    assert "--skip-bad" not in error  # which this command does not have
    assert "unknown way to cut" in fails(capsys, "describe", "film.mp4", "--model", "any", "--cut", "scenes")


def test_a_model_finds_clips_like_one_and_indexes_a_data_set(model, described, tmp_path):
    stimuli = bgs.StimulusSet(("a", "b"), videos=(described / "film.mp4", described / "short.mp4"))
    index = bgs.index(bgs.Dataset(stimuli, simulated=True), model, tmp_path / "index")
    assert set(index.ids) == {"short.mp4", *(f"film.mp4#t={start:.2f},{end:.2f}" for start, end in TIMES)}
    found = model.similar("short.mp4", index, k=2)
    assert found == bgs.similar("short.mp4", index, k=2)
    assert len(found) == 2
    with pytest.raises(bgs.BgsError, match="not a clip; expected pairs of an id and frames, or a folder"):
        bgs.index(iter([described / "short.mp4"]), model, tmp_path / "paths")
    with pytest.raises(bgs.BgsError, match="no clips to index"):
        bgs.index(bgs.Dataset(bgs.StimulusSet(("a",)), simulated=True), model, tmp_path / "other")


def test_many_ratings_fit_the_width_of_a_terminal():
    """Bars of one line beside long names; pieces in tables of a few ratings."""
    rating = {"value": 0.5, "low": 0.1, "high": 0.9, "scale": (0.0, 1.0), "r_squared": 0.4}
    names = [f"a_very_long_rating_name_{k}" for k in range(7)]
    found = Description(
        "film.mp4#t=0.00,3.00", tuple(AttributePrediction(name, **rating) for name in names), 0.9, 0.5, False, 40, "films", True,
    )  # fmt: skip
    lines = as_text(description_view(found)).splitlines()
    bars = [line for line in lines if "●" in line]
    assert len(bars) == 7
    assert all(line.count("░") + line.count("·") + 1 == 18 for line in bars)
    shown = as_text(pieces_view("film.mp4", [((0.0, 3.0), found), ((3.0, 5.0), found)]))
    assert shown.count("0:03.0–0:05.0") == 2
    assert shown.count(".500") == 14
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (7, "held only 7 clips out, and 10 rated ones are needed"),
        (40, "have none, fewer than 10, or all the same"),
    ],
)
def test_no_ratings_is_said_with_its_reason_and_without_an_empty_table(held, said):
    found = Description("a.mp4", (), 0.9, 0.5, False, held, "films", False)
    for view in (description_view(found), pieces_view("film.mp4", [((0.0, 3.0), found)])):
        shown = " ".join(as_text(view).split())
        assert said in shown
        assert "R²" not in shown
    with pytest.raises(bgs.BgsError, match=said):
        ClipDescription(found)["valence"]
