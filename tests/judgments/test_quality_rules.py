"""Rules of exclusion: each by hand at its limit, rule sets as files, and who is flagged among simulated observers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

import bgs
from bgs._errors import ConfigError
from bgs.cli.config import app as config_app
from bgs.cli.data import app as data_app
from bgs.datasets import load_dataset, write_folder
from bgs.judgments import TrialOptions, Trials
from bgs.judgments.quality_rules import RuleSet, apply_rules, read_rules
from bgs.simulation import ObserverSettings, simulate_judgments
from bgs.stimuli import StimulusSet

OFF = dict.fromkeys(RuleSet.model_fields)


def only(**rules: object) -> RuleSet:
    return RuleSet.model_validate({**OFF, **rules})


def by_hand(rows: list[tuple[str, str, tuple[int, int, int], int, float]]) -> Trials:
    """Participant, block, slots, odd slot, seconds."""
    who, block, shown, odd, rt = zip(*rows, strict=True)
    return Trials(
        participant=np.array(who), block=np.array(block), trial=np.arange(len(rows)), stimuli=np.array(shown),
        odd=np.array(odd), rt=np.array(rt, dtype=float), n_stimuli=9,
    )  # fmt: skip


def flagged(trials: Trials, rules: RuleSet) -> dict[str, dict[str, str]]:
    return {
        flag.participant: {b.rule: b.finding for b in flag.breaches}
        for flag in apply_rules(trials, rules).flagged
    }


def test_checks_flag_beyond_the_share_and_only_from_the_fewest() -> None:
    check, wrong, right = (1, 1, 2), 0, 2
    rows = [("ann", "b", check, wrong if k < 1 else right, 2.0) for k in range(4)]  # 1 of 4: at the limit
    rows += [("bob", "b", check, wrong if k < 2 else right, 2.0) for k in range(4)]
    rows += [("cat", "b", check, wrong, 2.0) for _ in range(3)]  # too few to tell
    assert flagged(by_hand(rows), only(checks={})) == {"bob": {"checks": "failed 2 of 4 checks"}}
    report = apply_rules(by_hand(rows[-3:]), only(checks={}))
    assert report.untested == {"checks": "nobody saw at least 4 checks"}


def test_speed_counts_known_times_only() -> None:
    three = (1, 2, 3)
    rows = [("ann", "b", three, 0, t) for t in (0.5, 0.8, 3, 3, np.nan)]  # 1 of 4 below .8: at the limit
    rows += [("bob", "b", three, 0, t) for t in (0.5, 0.7, 3, 3, np.nan)]
    rows += [("cat", "b", three, 0, t) for t in (61, 70, 3, 60, 60)]
    rows += [("dan", "b", three, 0, np.nan)] * 5
    found = flagged(by_hand(rows), only(too_fast={}, too_slow={}))
    assert found == {
        "bob": {"too_fast": "50% of answers below 0.8 s"},
        "cat": {"too_slow": "40% of answers above 60 s"},
    }
    nothing = apply_rules(by_hand(rows[-5:]), only(too_fast={}, too_slow={})).untested
    assert set(nothing.values()) == {"no response time is known"}


def test_one_side_among_judgments_only() -> None:
    three, check = (1, 2, 3), (1, 1, 2)
    rows = [("ann", "b", three, int(k >= 6), 2.0) for k in range(10)]  # 6 of 10: at the limit
    rows += [("bob", "b", three, 2 if k < 7 else 0, 2.0) for k in range(10)]
    rows += [("cat", "b", check, 2, 2.0) for _ in range(10)]  # the right answer to every check
    assert flagged(by_hand(rows), only(one_sided={"fewest": 10})) == {
        "bob": {"one_sided": "position 3 in 70% of judgments"}
    }


def test_incomplete_blocks_by_the_usual_length_or_a_given_one() -> None:
    three = (1, 2, 3)
    sizes = {("ann", "b1"): 10, ("ann", "b2"): 10, ("bob", "b1"): 10, ("bob", "b2"): 7, ("cat", "b1"): 9}
    rows = [(who, block, three, 0, 2.0) for (who, block), n in sizes.items() for _ in range(n)]
    assert flagged(by_hand(rows), only(incomplete={})) == {"bob": {"incomplete": "17 of 20 trials"}}
    found = flagged(by_hand(rows), only(incomplete={"trials": 20, "fewest": 0.4}))
    assert found == {}
    assert set(flagged(by_hand(rows), only(incomplete={"trials": 20}))) == {"ann", "bob", "cat"}


def test_more_rows_than_a_block_has_do_not_make_up_for_missing_ones() -> None:
    three = (1, 2, 3)
    rows = [("ann", "b1", three, 0, 2.0)] * 15 + [("ann", "b2", three, 0, 2.0)] * 5
    assert flagged(by_hand(rows), only(incomplete={"trials": 10})) == {
        "ann": {"incomplete": "15 of 20 trials"}
    }


def world(n: int = 30) -> StimulusSet:
    ratings = np.random.default_rng(1).random((n, 5))
    names = ("valence", "intimacy", "arousal", "dominance", "communication")
    return StimulusSet(ids=tuple(f"c{k}" for k in range(n)), ratings=dict(zip(names, ratings.T, strict=True)))


@pytest.fixture(scope="module")
def judged() -> Trials:
    """30 observers with a session of 100 trials; the first guesses, the second always chooses the left clip."""
    settings = ObserverSettings(n_observers=30, block_trials=100)
    trials = simulate_judgments(world(), 3000, settings, seed=3).trials
    guess, left = (trials.participant_codes == k for k in (0, 1))
    drawn = np.random.default_rng(0).integers(3, size=len(trials))
    return replace(trials, odd=np.where(guess, drawn, np.where(left, 0, trials.odd)))


def test_the_defaults_find_who_guesses_and_who_clicks_on_one_side(judged: Trials) -> None:
    found = flagged(judged, RuleSet())
    guesses, left = np.unique(judged.participant)[:2].tolist()
    assert set(found) == {guesses, left}
    assert {"checks", "agreement"} <= set(found[guesses])
    assert "position 1 in 100% of judgments" in found[left]["one_sided"]


def test_nothing_is_deleted_but_flags_can_exclude(judged: Trials, tmp_path: Path) -> None:
    data = bgs.Dataset(world(), judged, simulated=True, name="d")
    write_folder(data, tmp_path / "d")
    (tmp_path / "rules.yaml").write_text("agreement: null\nchecks: null\n", encoding="utf-8")
    audit = bgs.audit(data, rules=tmp_path / "rules.yaml")
    assert audit.found.rows == len(judged)
    assert audit.found.by_rules is not None
    assert [flag.participant for flag in audit.found.by_rules.flagged] == ["observer-0001"]
    options = TrialOptions(exclude_flagged=True, rules=str(tmp_path / "rules.yaml"))
    left = load_dataset(tmp_path / "d", options=options)
    assert len(left.need_trials()) == len(judged) - 100
    assert left.left_out["flagged"]["reasons"]["observer-0001"].keys() == {"one_sided"}
    run = CliRunner().invoke(
        data_app, ["audit", str(tmp_path / "d"), "--rules", str(tmp_path / "rules.yaml")]
    )
    assert run.exit_code == 0, run.output
    assert "By the rules: 1 participants flagged, none deleted" in " ".join(run.stdout.split())


def test_the_template_is_the_default_and_is_applied_unchanged(tmp_path: Path) -> None:
    run = CliRunner().invoke(config_app, ["init", "rules"])
    assert run.exit_code == 0, run.output
    (tmp_path / "rules.yaml").write_text(run.stdout, encoding="utf-8")
    assert read_rules(tmp_path / "rules.yaml") == RuleSet()
    assert yaml.safe_load(run.stdout).keys() == RuleSet.model_fields.keys()


BAD = {
    "unknown rule": ("check: {}", "unknown key 'check'.*did you mean checks"),
    "unknown key": ("checks: {max: 1}", "unknown key 'checks.max'"),
    "share of 2": ("checks: {most: 2}", "checks.most"),
    "below a third": ("one_sided: {most: .2}", "one_sided.most"),
    "no seconds": ("too_fast: {seconds: 0}", "too_fast.seconds"),
    "p of 1": ("agreement: {p: 1}", "agreement.p"),
    "not keys": ("- checks", "not a configuration"),
}


@pytest.mark.parametrize(("text", "what"), BAD.values(), ids=BAD.keys())
def test_rules_that_cannot_be_read_say_why(tmp_path: Path, text: str, what: str) -> None:
    (tmp_path / "r.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=what) as caught:
        read_rules(tmp_path / "r.yaml")
    assert "r.yaml" in str(caught.value)
