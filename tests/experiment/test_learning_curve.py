"""Fewer judgments: parts by hand, the number that is enough by hand, and the chapter on a small experiment."""

from __future__ import annotations

import math

import numpy as np
import pytest

import bgs
from bgs import BgsError, Dataset
from bgs._codec import from_json
from bgs._files import read_json
from bgs.experiments.chapters.learning_curve import LearningCurves
from bgs.experiments.chapters.learning_curve.enough import enough_for
from bgs.experiments.chapters.learning_curve.subsets import part_of
from bgs.experiments.config import validated_experiment
from bgs.experiments.grid import run_experiment
from bgs.experiments.page import experiment_page
from bgs.reports import CurveFigure, CurvePanel, CurvePoint, Estimate, render
from bgs.runs.study import Study
from bgs.simulation import planted_dataset


@pytest.fixture(scope="module")
def study() -> Study:
    stimuli, trials = planted_dataset(n_clips=40, n_trials=900, seed=0)
    return Study(Dataset(stimuli, trials, simulated=True), stimuli, trials.judgments)


def within(study: Study):
    return study.trials.where(study.trials.count_in(study.stimuli.train) == 3)


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_fewer_trials_of_training_and_all_of_the_test(study, share):
    part = part_of(study, "trials", share, seed=1)
    whole, left = within(study), within(part.study)
    assert part.judgments == len(left) == round(share * len(whole))
    others = study.trials.where(study.trials.count_in(study.stimuli.train) < 3)
    kept = part.study.trials.where(part.study.trials.count_in(study.stimuli.train) < 3)
    np.testing.assert_array_equal(kept.stimuli, others.stimuli)


def test_parts_of_a_draw_are_nested_and_draws_differ(study):
    def rows(share, seed):
        left = within(part_of(study, "trials", share, seed).study)
        return set(zip(left.participant.tolist(), left.trial.tolist(), strict=True))

    assert rows(0.2, 1) < rows(0.6, 1)
    assert rows(0.2, 1) != rows(0.2, 2)


def test_fewer_participants_are_whole_participants(study):
    part = part_of(study, "participants", 0.5, seed=0)
    before, after = within(study), within(part.study)
    people = set(after.participant.tolist())
    assert len(people) == round(0.5 * len(set(before.participant.tolist())))
    assert part.judgments == int(np.isin(before.participant, list(people)).sum())


def test_fewer_clips_have_only_the_judgments_among_them(study):
    part = part_of(study, "clips", 0.5, seed=0)
    stimuli = part.study.stimuli
    assert int(stimuli.train.sum()) == round(0.5 * study.stimuli.train.sum())
    assert int(stimuli.test.sum()) == int(study.stimuli.test.sum())
    inside = np.isin(study.stimuli.ids, stimuli.ids)
    expected = study.trials.within(inside)
    np.testing.assert_array_equal(
        np.array(stimuli.ids)[part.study.trials.stimuli], np.array(study.stimuli.ids)[expected.stimuli]
    )


def test_too_little_is_no_part(study):
    assert part_of(study, "clips", 0.1, seed=0) is None
    assert part_of(study, "trials", 0.0001, seed=0) is None


def test_enough_by_hand():
    # 90 % of the last gain, .18, lies halfway between .16 and .20: at the geometric mean of 100 and 400.
    found = enough_for(
        [10.0, 100.0, 400.0], [0.05, 0.16, 0.20], [[0.1, 0.19, 0.2], [0.0, 0.16, 0.2], [0.0, 0.0, -0.1]]
    )
    assert found.judgments == pytest.approx(200)
    assert (found.most, found.of) == (pytest.approx(200), 400)
    # The first draw: .18 lies 8/9 of the way from .1 to .19, between 10 and 100.
    assert found.least == pytest.approx(10 * 10 ** (8 / 9))


def test_enough_is_reached_for_good_and_only_by_a_gain():
    assert (
        enough_for([10.0, 100.0, 400.0], [0.3, 0.1, 0.2], []).judgments > 100
    )  # what is lost again does not count
    assert enough_for([10.0, 100.0], [0.2, 0.2], []).judgments == 10
    assert math.isnan(enough_for([10.0, 100.0], [-0.2, -0.1], []).judgments)


def test_the_chapter_measures_every_part(text_settings, tmp_path):
    given = {**text_settings, "conditions": ["hybrid"], "seeds": [0], "transform_only": {"epochs": 5}}
    given["analyses"] = dict.fromkeys(("gap", "variance", "probes", "dimensions", "disagreement"))
    given["analyses"]["learning_curve"] = {"shares": [0.3, 1.0], "draws": 2, "along": ["trials", "clips"]}
    outcome = run_experiment(validated_experiment(given, "x"), tmp_path / "out")
    assert outcome.failed == {}
    path = tmp_path / "out/analyses/learning_curve.json"
    found = from_json(LearningCurves, read_json(path)["result"]).models["tiny"]
    assert set(found.curves) == {"trials", "clips"}
    few, all_of_it = found.curves["trials"]
    assert few.judgments < 0.31 * all_of_it.judgments
    assert set(all_of_it.rsa.seeds) == {0, 1}
    # The same held-out pairs as everywhere: the base model's figure is that of its cell.
    cell = outcome.table.protocols["held-out-pairs"].models["tiny"]["base"].metrics.rsa_spearman
    assert found.base.value == pytest.approx(cell.value, abs=1e-6)
    page = experiment_page(outcome.experiment, outcome.table, outcome.failed)
    (section,) = [part for part in page.sections if part.key == "learning-curve"]
    assert "of its full gain with" in section.sentence or "does not gain" in section.sentence
    assert section.figures
    assert section.tables
    assert all_of_it.gain.value == pytest.approx(all_of_it.rsa.value - found.base.value, abs=1e-9)

    # and `bgs design` shows the same numbers
    (curve,) = bgs.design(30, trials=60, studies=0, learning_curve=tmp_path / "out").found
    assert [one.judgments for one in curve.points] == [few.judgments, all_of_it.judgments]
    assert [one.gain.value for one in curve.points] == [few.gain.value, all_of_it.gain.value]
    assert (curve.encoder, curve.simulated) == ("tiny", outcome.experiment.simulated)


def test_an_experiment_without_learning_curves_is_one_line(text_experiment):
    with pytest.raises(BgsError, match="no learning curves of judgments: this experiment omits it") as caught:
        bgs.design(30, trials=60, studies=0, learning_curve=text_experiment[1])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shares": [0.1, 0.5]}, "shares above 0 and up to 1"),
        ({"shares": [0.0, 1.0]}, "shares above 0 and up to 1"),
        ({"condition": "base"}, "nothing is learned from people under base"),
        ({"along": ["years"]}, "trials"),
    ],
)
def test_impossible_settings_are_one_line(text_settings, settings, message):
    with pytest.raises(BgsError, match=message):
        validated_experiment({**text_settings, "analyses": {"learning_curve": settings}}, "x")


def test_a_curve_is_drawn_and_described():
    points = tuple(
        CurvePoint(n, Estimate("", v, v - 0.1, v + 0.1, (v - 0.02, v + 0.02)))
        for n, v in ((30.0, 0.2), (3000.0, 0.5))
    )
    figure = CurveFigure((CurvePanel("fewer trials", "judgments", "RSA", points, 0.1, 0.7, 500.0),), "a note")
    assert figure.limits == (0.1, 0.7)
    assert "30: .200 [.100, .300]; 3,000: .500 [.400, .600]" in figure.describe()
    svg = render(figure).decode()
    for text in ("fewer trials", "base", "ceiling", "1,000"):
        assert text in svg
