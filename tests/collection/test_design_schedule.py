"""Schedules: blocks, repeats, checks, splits, coverage, and their files."""

from __future__ import annotations

import json

import design_reference as reference
import numpy as np
import pytest

import bgs
from bgs._errors import BgsError, ConfigError, DataError
from bgs._rng import generator
from bgs.collection.design import DesignSettings, Shown, make_schedule, read_schedule, write_schedule
from bgs.collection.design.blocks import rank_within
from bgs.judgments.trials import Kind

IDS = tuple(f"clip-{k:02d}" for k in range(30))
TEST = np.arange(30) >= 22


def made(**options):
    return make_schedule(DesignSettings(**options), IDS, TEST)


@pytest.mark.parametrize("method", ["balanced", "covering"])
@pytest.mark.parametrize("split", ["mixed", "trials", "blocks"])
@pytest.mark.parametrize("repeats_in", ["block", "other"])
def test_a_schedule_has_what_was_asked_for(method, split, repeats_in):
    schedule = made(
        trials=907, method=method, split=split, block_trials=40, repeats=0.1, repeats_in=repeats_in
    )
    assert len(schedule) == 907
    sizes = np.bincount(schedule.block)
    assert sizes.max() <= 40
    assert schedule.n_blocks == len(sizes)
    assert schedule.count(Shown.REPEAT) == pytest.approx(90, abs=12)
    assert schedule.count(Shown.CHECK) == pytest.approx(45, abs=12)
    for block in range(schedule.n_blocks):
        assert schedule.trial[schedule.block == block].tolist() == list(range(sizes[block]))
    trials = schedule.unanswered()
    assert ((trials.kind == Kind.CATCH) == (schedule.kind == Shown.CHECK)).all()
    of_test = trials.count_in(TEST)
    if split != "mixed":
        assert set(of_test.tolist()) == {0, 3}
    if split == "blocks":
        assert all(len(set(of_test[schedule.block == b].tolist())) == 1 for b in range(schedule.n_blocks))


@pytest.mark.parametrize("repeats_in", ["block", "other"])
def test_repeats_show_triplets_of_the_same_or_another_block(repeats_in):
    schedule = made(trials=400, block_trials=40, repeats=0.2, repeats_in=repeats_in)
    codes = schedule.unanswered().triplet_codes
    new = schedule.kind == Shown.JUDGMENT
    for row in np.flatnonzero(schedule.kind == Shown.REPEAT):
        same = new & (codes == codes[row])
        inside = same & (schedule.block == schedule.block[row])
        if repeats_in == "block":
            assert (schedule.trial[inside] < schedule.trial[row]).any()
        else:
            assert (same & (schedule.block != schedule.block[row])).any()


def test_a_check_shows_only_clips_of_its_block():
    schedule = made(trials=400, block_trials=8, checks=0.2)
    for row in np.flatnonzero(schedule.kind == Shown.CHECK):
        judged = (schedule.block == schedule.block[row]) & (schedule.kind == Shown.JUDGMENT)
        assert set(schedule.stimuli[row].tolist()) <= set(schedule.stimuli[judged].ravel().tolist())


def test_settings_and_seed_determine_a_schedule():
    one, again, other = (made(trials=100, repeats=0.1, seed=seed).unanswered().hash() for seed in (1, 1, 2))
    assert one == again != other


@pytest.mark.parametrize("split", ["mixed", "trials", "blocks"])
def test_a_covering_reaches_the_wanted_coverage(split):
    schedule = made(per_pair=2, method="covering", split=split)
    times = reference.pair_times(schedule.stimuli[schedule.kind == Shown.JUDGMENT], 30)
    side = np.equal.outer(TEST, TEST) if split != "mixed" else np.ones((30, 30), dtype=bool)
    upper = np.triu_indices(30, 1)
    coverage = schedule.coverage(side)
    wanted = times[upper][side[upper]]
    assert wanted.min() >= 2
    assert (times[~side] == 0).all()
    assert (coverage.smallest, coverage.largest, coverage.median) == (
        wanted.min(),
        wanted.max(),
        np.median(wanted),
    )
    assert (coverage.pairs, coverage.shown) == (len(wanted), len(wanted))
    assert 1.0 <= coverage.relative_size < 1.25


@pytest.mark.parametrize("split", ["mixed", "trials", "blocks"])
@pytest.mark.parametrize("method", ["balanced", "covering"])
def test_more_trials_than_the_coverage_needs_keep_it(method, split):
    options = {"per_pair": 2, "method": method, "split": split, "block_trials": 25, "repeats": 0.08}
    needed = len(made(**options))
    schedule = made(trials=needed + 60, **options)
    assert len(schedule) == needed + 60
    side = np.equal.outer(TEST, TEST) if split != "mixed" else np.ones((30, 30), dtype=bool)
    upper = np.triu_indices(30, 1)
    times = reference.pair_times(schedule.stimuli[schedule.kind == Shown.JUDGMENT], 30)[upper][side[upper]]
    assert (times.min() if method == "covering" else times.mean()) >= 2
    with pytest.raises(ConfigError, match="too few trials for 2 observations of each pair"):
        made(trials=needed - 30, **options)


def test_balanced_per_pair_is_a_mean():
    schedule = made(per_pair=4, checks=0.0)
    assert len(schedule) == 4 * 30 * 29 // 6
    coverage = schedule.coverage()
    assert coverage.clip_largest - coverage.clip_smallest <= 1


def test_ranks_within_blocks_equal_counting():
    rng = generator(0)
    block, key = rng.integers(4, size=40), rng.random(40)
    block[:4] = range(4)
    assert rank_within(block, key).tolist() == reference.ranks(block, key)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "how many trials"),
        ({"trials": 0}, "trials: out of range; expected at least 1, got 0"),
        ({"trials": 100, "per_pair": 2, "method": "covering"}, "too few trials for 2 observations of each pair"),
        ({"trials": 100, "repeats": 0.5}, "too many repeats or checks"),
        ({"per_pair": 1, "repeats": 0.5, "checks": 0.5}, "too many repeats or checks"),
        ({"trials": 1, "split": "blocks"}, "too few trials; expected at least 2|trials: too few trials"),
        ({"trials": 20, "repeats": 0.1, "repeats_in": "other"}, "there is no other block"),
        ({"trials": 20, "checks": 1.0}, "checks: out of range"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_one_line(options, message):
    with pytest.raises(ConfigError, match=message):
        made(**options)


def test_clips_that_do_not_do_are_one_line():
    settings = DesignSettings(trials=10)
    with pytest.raises(DataError, match="too few clips for a trial; expected at least three, got 2"):
        make_schedule(settings, ("a", "b"))
    with pytest.raises(DataError, match="listed twice: b"):
        make_schedule(settings, ("a", "b", "b", "c"))
    with pytest.raises(ConfigError, match="the stimuli have no test clips"):
        make_schedule(DesignSettings(trials=10, split="trials"), IDS)
    with pytest.raises(DataError, match="test clips: too few clips"):
        make_schedule(DesignSettings(trials=10, split="trials"), IDS, np.arange(30) >= 28)


def test_a_schedule_is_read_back(tmp_path):
    schedule = made(trials=200, repeats=0.1)
    write_schedule(tmp_path, schedule, {"seed": 0})
    read = read_schedule(tmp_path, IDS)
    assert read.unanswered().hash() == schedule.unanswered().hash()
    assert (read.kind == schedule.kind).all()
    about = json.loads((tmp_path / "schedule.json").read_text())
    assert about["hashes"]["trials"] == schedule.unanswered().hash()
    assert (
        (tmp_path / "schedule.csv")
        .read_text()
        .startswith("block,trial,stim1,stim2,stim3,kind\nblock-0001,0,")
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["schedule.csv", "schedule.json"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("clip-00", "clip-99", "schedule of other clips.*got 'clip-99'"),
        (",judgment", ",judgement", "unknown kind; expected judgment, repeat, check"),  # codespell:ignore judgement
        (",judgment", ",check", "not a check; expected 2 distinct clips, got 3"),
        ("block-0001,1,", "block-0001,7,", "row 3, column 'trial': trials of a block are not numbered from 0|row .*numbered"),
    ],
)  # fmt: skip
def test_a_damaged_schedule_is_named(tmp_path, old, new, message):
    write_schedule(tmp_path, made(trials=60), {})
    path = tmp_path / "schedule.csv"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(DataError, match=message):
        read_schedule(tmp_path, IDS)


def test_a_schedule_of_fewer_clips_is_refused(tmp_path):
    write_schedule(tmp_path, made(trials=60), {})
    with pytest.raises(DataError, match=r"schedule\.json: schedule of other clips"):
        read_schedule(tmp_path, (*IDS, "new"))


def test_an_unwritable_folder_leaves_nothing(tmp_path):
    (tmp_path / "schedule.json").mkdir()
    with pytest.raises(BgsError, match="not a regular file"):
        write_schedule(tmp_path, made(trials=60), {})
    assert not (tmp_path / "schedule.csv").exists()


def test_simulated_answers_to_a_schedule_are_trials_that_train_reads(tmp_path):
    """The table of an answered schedule is an ordinary one: checks are recognised, and the rest are judgments."""
    from bgs.judgments.tables import read_trials, write_trials
    from bgs.simulation import WORLDS
    from bgs.stimuli import StimulusSet

    schedule, world, stimuli = made(trials=300), WORLDS["matched"], StimulusSet(ids=IDS)
    answers = world.judge(schedule.unanswered(), world.draw_clips(0, 30), 0)
    write_trials(tmp_path / "trials.csv", answers, stimuli)
    read, _ = read_trials(tmp_path / "trials.csv", stimuli)
    assert (read.kind == Kind.CATCH).sum() == schedule.count(Shown.CHECK)
    assert bgs.human_rdm(bgs.PairCounts.from_trials(read)).shape == (30, 30)
