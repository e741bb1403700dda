"""How often are the rules of exclusion wrong? `python reproduce/quality_control_figures.py` (minutes, one core).

SIMULATED observers judge random clips in one session each. Some misbehave, each kind in its own way; the default rules
(`bgs config init rules`) are applied. Writes docs/results/quality_control.json, docs/figures/quality-control.svg and the tables
of docs/quality-control.md.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from page_tables import between, number
from recovery_figures import scattered
from scipy.special import betaincinv

from bgs._files import write_json, write_text
from bgs._rng import generator
from bgs.judgments import Trials
from bgs.judgments.participation import participants
from bgs.judgments.quality_rules import RuleSet, apply_rules
from bgs.reports.estimate import Estimate
from bgs.reports.forest import ForestFigure, ForestPanel, ForestRow
from bgs.reports.rendering import draw
from bgs.simulation import ObserverSettings, simulate_judgments

ROOT = Path(__file__).parents[1]
PAGE, RESULTS = ROOT / "docs/quality-control.md", ROOT / "docs/results/quality_control.json"
FIGURE = ROOT / "docs/figures/quality-control.svg"
CLIPS, PEOPLE = 60, 100
#: Tables with misbehaviour, and of each kind without, for each length.
MIXED, HONEST_SETS = 4, 2
#: Trials of each observer, in one session.
LENGTHS = (60, 240)
#: Observers of each kind in a table of 100; the others are honest.
EACH = 5
RULES = tuple(RuleSet.model_fields)


def guesses(trials: Trials, mine: np.ndarray, random: np.random.Generator) -> Trials:
    """Every answer at random, at the usual pace."""
    return replace(trials, odd=np.where(mine, random.integers(3, size=len(mine)), trials.odd))


def guesses_half(trials: Trials, mine: np.ndarray, random: np.random.Generator) -> Trials:
    """Half of the answers at random."""
    return guesses(trials, mine & (random.random(len(mine)) < 0.5), random)


def clicks_fast(trials: Trials, mine: np.ndarray, random: np.random.Generator) -> Trials:
    """Every answer at random, after .6 s (median)."""
    seconds = np.round(0.6 * np.exp(0.4 * random.normal(size=len(mine))), 3)
    return replace(guesses(trials, mine, random), rt=np.where(mine, seconds, trials.rt))


def clicks_one_side(trials: Trials, mine: np.ndarray, random: np.random.Generator) -> Trials:
    """The middle clip in 80 % of the trials."""
    return replace(trials, odd=np.where(mine & (random.random(len(mine)) < 0.8), 1, trials.odd))


def does_something_else(trials: Trials, mine: np.ndarray, random: np.random.Generator) -> Trials:
    """Away for a minute or more in 40 % of the trials; the answers themselves are honest."""
    away = mine & (random.random(len(mine)) < 0.4)
    return replace(trials, rt=np.where(away, trials.rt + 60 + random.exponential(60, len(mine)), trials.rt))


def leaves_early(trials: Trials, mine: np.ndarray, random: np.random.Generator) -> Trials:
    """Stops after 20 to 80 % of the session."""
    until = random.uniform(0.2, 0.8, trials.participant_codes.max() + 1) * (trials.trial.max() + 1)
    return trials.where(~mine | (trials.trial < until[trials.participant_codes]))


KINDS = {
    "guesses": guesses,
    "guesses half the time": guesses_half,
    "guesses fast": clicks_fast,
    "middle clip in 80 %": clicks_one_side,
    "away in 40 %": does_something_else,
    "leaves early": leaves_early,
}
#: Tables without misbehaviour: settings of the observers.
HONEST = {
    "honest": {},
    "honest, lapses on 10 %": {"lapse": 0.1},
    "honest, people differ strongly": {"weight_spread": 1.0},
    "honest, slow, paces differ": {"rt_median_s": 9.0, "pace_spread": 0.5},
}


def judged(length: int, seed: int, **settings: Any) -> Trials:
    """A table of honest observers."""
    observers = ObserverSettings(n_observers=PEOPLE, block_trials=length, **settings)
    clips = scattered(CLIPS, seed)
    return simulate_judgments(clips, PEOPLE * length, observers, seed=seed).trials


def mixed(length: int, seed: int) -> tuple[Trials, dict[str, set[str]]]:
    """A table in which a few observers misbehave, and who."""
    trials, random = judged(length, seed), generator(seed, "quality control", str(length))
    names = np.unique(trials.participant)
    drawn = np.split(random.permutation(len(names))[: EACH * len(KINDS)], len(KINDS))
    members = {kind: set(names[rows].tolist()) for kind, rows in zip(KINDS, drawn, strict=True)}
    for kind, change in KINDS.items():
        trials = change(trials, np.isin(trials.participant, list(members[kind])), random)
    members["honest among these"] = set(names.tolist()) - set().union(*members.values())
    return trials, members


def count(tables: list[tuple[Trials, dict[str, set[str]]]]) -> dict[str, dict[str, list[int]]]:
    """Group -> rule (or "any") -> how many of how many broke it."""
    found: dict[str, dict[str, list[int]]] = {}
    for trials, members in tables:
        report = apply_rules(trials, RuleSet(), participants(trials))
        broken = {flag.participant: {breach.rule for breach in flag.breaches} for flag in report.flagged}
        for group, names in members.items():
            row = found.setdefault(group, {rule: [0, 0] for rule in ("any", *RULES)})
            for rule, cell in row.items():
                hit = (broken.get(name, set()) for name in names)
                cell[0] += sum(bool(each) if rule == "any" else rule in each for each in hit)
                cell[1] += len(names)
    return found


def share(hits: int, n: int) -> dict[str, float | int]:
    """A proportion and its exact 95 % interval (Clopper & Pearson 1934)."""
    low = float(betaincinv(hits, n - hits + 1, 0.025)) if hits else 0.0
    high = float(betaincinv(hits + 1, n - hits, 0.975)) if hits < n else 1.0
    return {"value": hits / n, "low": low, "high": high, "hits": hits, "n": n}


def measure() -> list[dict[str, Any]]:
    """Every group at every length."""
    rows = []
    for length in LENGTHS:
        tables = [mixed(length, seed) for seed in range(MIXED)]
        for name, settings in HONEST.items():
            honest = [judged(length, 100 + seed, **settings) for seed in range(HONEST_SETS)]
            tables += [(trials, {name: set(np.unique(trials.participant).tolist())}) for trials in honest]
        for group, row in count(tables).items():
            rows.append(
                {"group": group, "trials": length, **{rule: share(*cell) for rule, cell in row.items()}}
            )
            print(group, length, {rule: cell[0] for rule, cell in row.items()}, row["any"][1], flush=True)
    return rows


def cell(found: dict[str, Any]) -> str:
    """Value, interval and counts."""
    interval = f"[{number(found['low'])}, {number(found['high'])}]"
    return f"{found['hits']:,} of {found['n']:,}: {number(found['value'])} {interval}"


def table(rows: list[dict[str, Any]], groups: tuple[str, ...]) -> str:
    """Markdown: flagged by any rule, then the share flagged by each."""
    lines = [f"| observers | trials each | any rule | {' | '.join(RULES)} |", "|---" * (3 + len(RULES)) + "|"]
    for row in rows:
        if row["group"] in groups:
            each = " | ".join(number(row[rule]["value"]) for rule in RULES)
            lines.append(f"| {row['group']} | {row['trials']} | {cell(row['any'])} | {each} |")
    return "\n".join(lines)


def figure(rows: list[dict[str, Any]]) -> ForestFigure:
    """Shares flagged by any rule: of those who misbehave, and of the honest."""

    def estimates(group: str) -> tuple[Estimate, ...]:
        return tuple(
            Estimate(f"{row['trials']} trials", *(row["any"][key] for key in ("value", "low", "high")))
            for row in rows
            if row["group"] == group
        )

    honest = ("honest among these", *HONEST)
    return ForestFigure(
        (
            ForestPanel(
                "Misbehaving", "share flagged", tuple(ForestRow(kind, estimates(kind)) for kind in KINDS)
            ),
            ForestPanel(
                "Honest", "share flagged", tuple(ForestRow(kind, estimates(kind)) for kind in honest)
            ),
        ),
        "SIMULATED observers; default rules, exact 95 % intervals.",
    )


def main() -> None:
    """Measure and write."""
    rows = sorted(measure(), key=lambda row: [*KINDS, "honest among these", *HONEST].index(row["group"]))
    write_json(RESULTS, {"simulated": "SIMULATED observers; no person judged anything", "rows": rows})
    draw(figure(rows), FIGURE)
    text = PAGE.read_text(encoding="utf-8")
    text = between(text, "rule-hits", table(rows, tuple(KINDS)))
    write_text(PAGE, between(text, "rule-alarms", table(rows, ("honest among these", *HONEST))))


if __name__ == "__main__":
    main()
