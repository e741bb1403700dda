"""Learning curves where judgments are drawn from ratings: fewer raters of each clip, or fewer clips."""

from __future__ import annotations

import numpy as np
import pytest

import bgs
from bgs.experiments.chapters.chapter import NotApplicable
from bgs.experiments.chapters.learning_curve.rated_subsets import fewer_votes, rated_part_of
from bgs.judgments.rated import hellinger_rdm
from bgs.runs.study import Study, load_study
from bgs.training import TrainingConfig

N, TRAINED, RATERS = 30, 22, 10
LABELS = ("calm", "lively", "tense")


@pytest.fixture(scope="module")
def votes():
    random = np.random.default_rng(0)
    return np.array([random.multinomial(RATERS, random.dirichlet(np.ones(3))) for _ in range(N)])


@pytest.fixture(scope="module")
def config():
    rated = {"columns": LABELS, "trials": 300}
    return TrainingConfig.model_validate(
        {"model": "pixels:grey", "data": "x", "transform": {}, "ratings": rated}
    )


def study_of(votes, config, **more) -> Study:
    ratings = {name: column / RATERS for name, column in zip(LABELS, votes.T, strict=True)} | more
    split = ("train",) * TRAINED + ("test",) * (N - TRAINED)
    stimuli = bgs.StimulusSet(tuple(f"clip-{i}" for i in range(N)), split=split, ratings=ratings)
    return load_study(config, dataset=bgs.Dataset(stimuli, None, simulated=True))


@pytest.fixture(scope="module")
def study(votes, config):
    return study_of(votes, config, n_raters=np.full(N, float(RATERS)))


def test_fewer_votes_are_some_of_them_and_nested(votes):
    half, fifth, one = (fewer_votes(votes, share, np.random.default_rng(3)) for share in (0.5, 0.2, 0.001))
    for clip in range(N):
        assert (half[clip].sum(), fifth[clip].sum(), one[clip].sum()) == (5, 2, 1)
        assert (one[clip] <= fifth[clip]).all()
        assert (fifth[clip] <= half[clip]).all()
        assert (half[clip] <= votes[clip]).all()
    np.testing.assert_array_equal(fewer_votes(votes, 1.0, np.random.default_rng(3)), votes)


def test_every_rater_is_as_likely_to_stay():
    """Half of four calm votes among ten: two on average (hypergeometric)."""
    votes = np.tile([4, 6, 0], (4000, 1))
    left = fewer_votes(votes, 0.5, np.random.default_rng(1))
    assert left[:, 0].mean() == pytest.approx(2.0, abs=0.05)
    assert left[:, 0].var() == pytest.approx(5 * 0.4 * 0.6 * 5 / 9, abs=0.05)


@pytest.mark.parametrize("along", ["participants", "clips"])
def test_all_of_it_is_the_study(study, config, along):
    part = rated_part_of(study, config.ratings, along, 1.0, seed=4, drawn_with=config.seed)
    assert part.judgments == TRAINED * RATERS
    train = np.flatnonzero(study.stimuli.train)
    np.testing.assert_allclose(part.study.rdm, study.rdm, atol=1e-7)
    assert part.study.stimuli.ids == study.stimuli.ids
    assert int((part.study.trials.count_in(study.stimuli.train) == 3).sum()) == config.ratings.trials
    kept = study.trials.where(study.trials.count_in(study.stimuli.train) < 3)
    others = part.study.trials.where(part.study.trials.count_in(study.stimuli.train) < 3)
    np.testing.assert_array_equal(kept.stimuli, others.stimuli)
    assert set(part.study.trials.within(study.stimuli.train).stimuli.ravel()) <= set(train)


def test_fewer_raters_change_only_what_is_trained_on(study, config, votes):
    part = rated_part_of(study, config.ratings, "participants", 0.3, seed=4, drawn_with=0)
    assert part.judgments == TRAINED * 3
    train, test = np.flatnonzero(study.stimuli.train), np.flatnonzero(study.stimuli.test)
    np.testing.assert_array_equal(part.study.rdm[np.ix_(test, test)], study.rdm[np.ix_(test, test)])
    random = bgs._rng.generator(4, "learning-curve", "participants")
    expected = hellinger_rdm(fewer_votes(votes[:TRAINED], 0.3, random) / 3)
    np.testing.assert_allclose(part.study.rdm[np.ix_(train, train)], expected, atol=1e-7)


def test_fewer_clips_keep_all_of_their_raters(study, config):
    part = rated_part_of(study, config.ratings, "clips", 0.5, seed=4, drawn_with=0)
    assert int(part.study.stimuli.train.sum()) == TRAINED // 2
    assert part.judgments == TRAINED // 2 * RATERS
    assert int(part.study.stimuli.test.sum()) == N - TRAINED
    # 165 triplets of 11 clips, fewer than trials: each is shown about equally often.
    shown = np.sort(part.study.trials.within(part.study.stimuli.train).stimuli, axis=1)
    assert len(shown) == config.ratings.trials
    assert len(np.unique(shown, axis=0)) == 165


def test_what_cannot_be_fewer(study, config, votes):
    assert rated_part_of(study, config.ratings, "trials", 0.5, seed=0, drawn_with=0) is None
    assert rated_part_of(study, config.ratings, "clips", 0.2, seed=0, drawn_with=0) is None
    with pytest.raises(NotApplicable, match="n_raters"):
        rated_part_of(study_of(votes, config), config.ratings, "clips", 1.0, seed=0, drawn_with=0)
