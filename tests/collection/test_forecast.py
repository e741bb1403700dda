"""Forecasts: each fast routine against a slow one, known limits, and what is printed and written."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

import bgs
from bgs._codec import from_json
from bgs._errors import ConfigError, DataError
from bgs.cli.main import main
from bgs.collection.design import DesignSettings, make_schedule
from bgs.collection.forecast import (
    CostSettings,
    Forecast,
    calibrated_worlds,
    cost_of,
    forecast,
    reliability_at,
)
from bgs.collection.forecast.calibration import _reliability, harmonic_showings
from bgs.collection.forecast.simulated_study import SimulatedStudy, expected_rdm_of
from bgs.collection.forecast.tuning import (
    UNTUNED_SHARE,
    cosine_distances,
    encoder_kernel,
    pair_maps,
    spearman,
    upper,
)
from bgs.judgments import PairCounts, human_rdm
from bgs.simulation import WORLDS
from bgs.stimuli import StimulusSet

WORLD = WORLDS["matched"]


def schedule_of(clips: int, trials: int, **options):
    ids = tuple(f"c{k:02d}" for k in range(clips))
    return make_schedule(DesignSettings(trials=trials, **options), ids)


@pytest.mark.parametrize("n", [5, 20])
def test_expected_dissimilarities_equal_those_of_the_world(n):
    clips = WORLD.draw_clips(0, n)
    first, second = np.triu_indices(n, 1)
    slow = 1.0 - WORLD.expected_shares(clips, first, second, people=16)
    np.testing.assert_allclose(upper(expected_rdm_of(WORLD, clips, people=16)), slow, atol=1e-5)


def test_spearman_equals_scipy_over_shared_entries():
    rng = np.random.default_rng(0)
    x, y = rng.integers(5, size=40).astype(float), rng.normal(size=40)
    y[3] = np.nan
    seen = np.isfinite(y)
    assert spearman(x, y) == pytest.approx(spearmanr(x[seen], y[seen]).statistic)
    assert np.isnan(spearman(x, np.zeros(40)))


def test_pair_maps_minimise_the_penalised_squares():
    """M by least squares over all its entries, where every pair is known (the residual of the diagonal counts as 0)."""
    rng = np.random.default_rng(1)
    features = rng.normal(size=(14, 3))
    rdm = rng.random((14, 14))
    rdm = rdm + rdm.T
    train, new, ridge = np.arange(10), np.arange(10, 14), 0.7
    kernel, x = features @ features.T, np.column_stack([features, np.ones(14)])
    off = ~np.eye(10, dtype=bool)
    similar, among = -rdm[:10, :10], kernel[:10, :10]
    b, a = np.polyfit(among[off], similar[off], 1)
    rest = np.where(off, similar - a - b * among, 0.0)
    for _ in range(3):  # the unknown diagonal is filled in as by the routine
        fit = _fitted(x[:10], rest, ridge)[1]
        rest = np.where(off, similar - a - b * among, fit)
    weights, _ = _fitted(x[:10], rest, ridge)
    slow = -(a + b * kernel[10:, 10:] + x[10:] @ weights @ x[10:].T)
    np.testing.assert_allclose(pair_maps(kernel, rdm, train, new, (ridge,))[0], slow, atol=1e-8)


def _fitted(x, rest, ridge):
    columns = np.kron(x, x)
    inner = columns.T @ columns + ridge * np.eye(columns.shape[1])
    weights = np.linalg.solve(inner, columns.T @ rest.ravel()).reshape(x.shape[1], x.shape[1])
    return weights, x @ weights @ x.T


def test_the_untuned_encoder_is_as_good_as_it_should_be():
    clips = WORLD.draw_clips(0, 60)
    truth = expected_rdm_of(WORLD, clips)
    kernel = encoder_kernel(clips, truth, np.arange(50, 60), 0)
    assert spearman(upper(cosine_distances(kernel)), upper(truth)) == pytest.approx(UNTUNED_SHARE, abs=0.01)


def test_more_judgments_are_worth_more():
    schedule = schedule_of(40, 8_000, checks=0.0).unanswered()
    found = forecast(schedule, worlds={"matched": WORLD}, studies=3)
    values = {name: [one.overall[name].value for one in found.curve] for name in found.curve[0].overall}
    assert [one.judgments for one in found.curve] == pytest.approx([1_000, 2_000, 4_000, 8_000], rel=0.03)
    for name in ("reliability", "ceiling", "held_out_ceiling", "tuned"):
        assert values[name] == sorted(values[name])
    assert values["ceiling"][-1] > 0.9
    assert values["untuned"][-1] < values["tuned"][-1] < values["held_out_ceiling"][-1]
    assert 0.4 < found.repeat_agreement["matched"] < 0.65
    assert from_json(Forecast, json.loads(json.dumps(found.to_json()))) == found
    again = forecast(schedule, worlds={"matched": WORLD}, studies=3)
    assert again == found


def test_noise_alone_has_no_reliability():
    schedule = schedule_of(30, 1_000).unanswered()
    study = SimulatedStudy.of(replace(WORLD, lapse=0.999), schedule, None, 0)
    reliability = study.measure([np.arange(1_000)])[0, 0]
    assert reliability < 0.05


def test_few_clips_have_a_forecast_without_tuning():
    found = forecast(schedule_of(6, 200).unanswered(), studies=2)
    whole = found.curve[-1].overall
    assert np.isfinite(whole["reliability"].value)
    assert np.isnan(whole["tuned"].value)


def test_spearman_brown():
    assert reliability_at(0.4, 4.0, 4.0) == pytest.approx(0.4)
    assert reliability_at(0.5, 1.0, 2.0) == pytest.approx(2 / 3)
    assert reliability_at(reliability_at(0.3, 2.0, 9.0), 9.0, 2.0) == pytest.approx(0.3)
    trials = schedule_of(8, 50).unanswered()
    times = upper(PairCounts.from_trials(trials).shown.astype(float))
    times = times[times > 0]
    assert harmonic_showings(trials) == pytest.approx(len(times) / sum(1 / t for t in times))


def test_calibrated_worlds_are_as_reliable_as_asked():
    trials = schedule_of(30, 1_500).unanswered().judgments
    world = calibrated_worlds(trials, 0.6, worlds={"matched": WORLD})["matched"]
    assert _reliability(world, trials, 0) == pytest.approx(0.6, abs=0.05)
    assert world.temperature != WORLD.temperature
    with pytest.raises(DataError, match="no simulated people are as reliable"):
        calibrated_worlds(trials, 0.999, worlds={"matched": WORLD})


def test_cost_by_hand():
    schedule = schedule_of(30, 120, block_trials=40)
    cost = cost_of(schedule, CostSettings(seconds=6.0, overhead=4.0, hourly=12.0, fee=0.25))
    assert (cost.participants, cost.minutes) == (3, 8.0)
    assert (cost.hours, cost.pay, cost.total) == pytest.approx((0.4, 4.8, 6.0))
    assert cost_of(schedule, CostSettings()).total is None
    for bad in ({"seconds": 0.0}, {"hourly": -1.0}, {"fee": float("inf")}, {"overhead": float("nan")}):
        with pytest.raises(ConfigError, match="out of range"):
            CostSettings(**bad)


def planted(tmp_path, clips=20):
    bgs.plant(tmp_path / "study", clips=clips, trials=1_500)
    return tmp_path / "study"


def judged_dataset() -> bgs.Dataset:
    schedule = schedule_of(20, 600, checks=0.0, block_trials=30)
    answers = WORLD.judge(schedule.unanswered(), WORLD.draw_clips(3, 20), 3)
    return bgs.Dataset(StimulusSet(ids=schedule.stimulus_ids), answers, simulated=True, name="pilot")


def test_design_from_python_uses_judgments():
    pilot = judged_dataset()
    found = bgs.design(pilot, trials=200, method="adaptive", judgments=pilot, studies=2)
    assert found.existing.simulated
    assert found.existing.judgments == 600
    assert 0 < found.existing.expected.value < found.existing.reliability.value < 1
    assert "SIMULATED judgments of pilot" in " ".join(str(found).split())
    assert any("bgs ordinal" in note for note in found.notes)
    assert "balanced random" in bgs.design(pilot, trials=200, method="adaptive", studies=0).notes[0]


def test_adaptive_takes_embeddings_of_bgs_ordinal(tmp_path):
    study = planted(tmp_path)
    dataset = bgs.load_dataset(study)
    trials = dataset.trials.within(dataset.stimuli.train)
    points = bgs.ordinal_embedding(trials, dataset.stimuli.ids, dimensions=2, penalty=1.0, starts=1)
    options = {"trials": 300, "method": "adaptive", "split": "trials", "studies": 0}
    informed = bgs.design(study, embeddings=points.embeddings(), **options)
    random = bgs.design(study, **options)
    assert informed.schedule.unanswered().hash() != random.schedule.unanswered().hash()
    cosine = bgs.Embeddings(np.eye(20), dataset.stimuli.ids, "mine")
    with pytest.raises(DataError, match="not in log odds"):
        bgs.design(study, embeddings=cosine, **options)
    others = bgs.Embeddings(np.eye(3), ("x", "y", "z"), "others", {"distance": "euclidean"})
    with pytest.raises(DataError, match="other clips"):
        bgs.design(study, embeddings=others, **options)


def test_command_writes_schedule_and_forecast(tmp_path, capsys):
    bgs.datasets.folder.write_stimuli(tmp_path / "stimuli.csv", StimulusSet(ids=tuple("abcdefghijklmnop")))
    options = ["--trials", "200", "--studies", "2", "--hourly", "12", "--json", str(tmp_path / "out.json")]
    main_ok(["design", str(tmp_path), *options])
    printed = capsys.readouterr().out
    assert "SIMULATED studies" in printed
    assert "4 participants" not in printed
    written = json.loads((tmp_path / "schedule.json").read_text())
    hashes = written.pop("hashes")
    assert written == json.loads((tmp_path / "out.json").read_text())
    assert written["forecast"]["simulated"] is True
    assert set(hashes) == {"stimulus_ids", "trials"}
    assert all(len(line) <= 80 for line in printed.splitlines() if "→" not in line)


def test_command_plans_for_a_number_of_clips(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    main_ok(["design", "--clips", "12", "--per-pair", "2", "--method", "covering", "--studies", "0"])
    assert "No file written" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--trials", "10"], "which clips"),
        (["--clips", "2", "--trials", "10"], "too few clips"),
        (["--clips", "20", "--trials", "10", "--studies", "1"], "too few simulated studies"),
        (["--clips", "20"], "how many trials"),
        (["--clips", "20", "--trials", "10", "--fee", "-1"], "fee: out of range"),
    ],
)
def test_bad_input_is_one_line(arguments, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["design", *arguments])
    assert stopped.value.code == 2
    errors = capsys.readouterr().err.strip().splitlines()
    assert len(errors) == 1
    assert message in errors[0]


def main_ok(arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 0


def test_human_rdm_of_a_study_is_that_of_its_trials():
    """The forecast looks at the same matrix as `bgs evaluate`."""
    study = SimulatedStudy.of(WORLD, schedule_of(20, 3_000, checks=0.1).unanswered(), None, 0)
    rows = np.arange(3_000)
    ceiling = study.measure([rows])[0, 1]
    assert ceiling == pytest.approx(
        spearman(upper(study.truth), upper(human_rdm(PairCounts.from_trials(study.trials))))
    )
