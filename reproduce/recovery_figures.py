"""Does what was planted come back? `python reproduce/recovery_figures.py` (three minutes, one core).

SIMULATED observers judge random clips; the human RDM, the estimated ceilings and the audit are compared with the truth.
Writes docs/results/recovery.json and the tables of docs/simulated-observers.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from page_tables import between, estimate, number
from scipy.special import betaincinv, stdtrit

from bgs._files import write_json, write_text
from bgs._rng import generator
from bgs.evaluation import odd_one_out_ceiling, pair_vector, rsa_ceiling, select_protocol, spearman
from bgs.judgments import PairCounts, choice_model_rdm, human_rdm
from bgs.judgments.careless import flag_careless
from bgs.judgments.participation import participants
from bgs.simulation import ObserverSettings, analytic_ceilings, expected_rdm, simulate_judgments
from bgs.simulation.observers import DEFAULT_WEIGHTS
from bgs.stimuli import StimulusSet

ROOT = Path(__file__).parents[1]
PAGE, RESULTS = ROOT / "docs/simulated-observers.md", ROOT / "docs/results/recovery.json"
#: One mind, no lapses.
CLEAN = {"weight_spread": 0.0, "lapse": 0.0}
TRIALS = (1_000, 5_000, 20_000, 60_000, 200_000)


def scattered(n: int, seed: int) -> StimulusSet:
    """Clips with independent ratings, uniform in 0–1: some are extreme, some are average."""
    ratings = generator(seed, "recovery", "scattered").random((n, len(DEFAULT_WEIGHTS)))
    return clips(ratings)


def equally_distinctive(n: int, seed: int) -> StimulusSet:
    """Clips that lie equally far from the average clip, in random directions."""
    z = generator(seed, "recovery", "distinctive").normal(size=(n, len(DEFAULT_WEIGHTS)))
    weights = np.array(list(DEFAULT_WEIGHTS.values()))
    for _ in range(50):  # standardising moves them a little, so both are repeated until neither does
        z /= np.linalg.norm(z * weights, axis=1, keepdims=True)
        z = (z - z.mean(axis=0)) / z.std(axis=0)
    return clips(0.5 + 0.1 * z)


def clips(ratings: np.ndarray) -> StimulusSet:
    """A stimulus set of ratings alone, one column a latent."""
    columns = dict(zip(DEFAULT_WEIGHTS, ratings.T, strict=True))
    return StimulusSet(ids=tuple(f"clip-{i:03d}" for i in range(len(ratings))), ratings=columns)


WORLDS = {
    "equally distinctive clips, T .2, identical observers": (
        equally_distinctive,
        {"temperature": 0.2, **CLEAN},
    ),
    "scattered clips, T .2, identical observers": (scattered, {"temperature": 0.2, **CLEAN}),
    "scattered clips, default observers": (scattered, {}),
}


def mean_interval(values: list[float]) -> dict[str, float]:
    """Mean over seeds and its 95 % interval (Student's t)."""
    x = np.array(values)
    reach = float(stdtrit(len(x) - 1, 0.975) * x.std(ddof=1) / np.sqrt(len(x)))
    return {
        "value": float(x.mean()),
        "low": float(x.mean()) - reach,
        "high": min(float(x.mean()) + reach, 1.0),
    }


def recover(n_clips: int = 60, seeds: int = 20) -> list[dict[str, Any]]:
    """How well shares kept together and the choice model give the planted distances back."""
    rows = []
    for world, (make, options) in WORLDS.items():
        for n_trials in TRIALS:
            found = [compare(make(n_clips, seed), n_trials, options, seed) for seed in range(seeds)]
            reached = {name: [each[name] for each in found] for name in found[0]}
            sizes = {
                "world": world,
                "clips": n_clips,
                "pairs": n_clips * (n_clips - 1) // 2,
                "trials": n_trials,
            }
            means = {name: mean_interval(values) for name, values in reached.items()}
            least = {f"least_{name}": min(reached[name]) for name in ("planted", "choice_model")}
            rows.append({**sizes, "seeds": seeds, "unit": "Spearman rho", **means, **least})
    return rows


def compare(stimuli: StimulusSet, n_trials: int, options: dict[str, Any], seed: int) -> dict[str, float]:
    """Spearman with the planted distances and with the RDM of infinitely many trials, over pairs that were shown."""
    judged = simulate_judgments(stimuli, n_trials, ObserverSettings(**options), seed)
    shares = pair_vector(human_rdm(PairCounts.from_trials(judged.trials)))
    model = pair_vector(choice_model_rdm(judged.trials))
    planted, infinite = pair_vector(judged.rdm), pair_vector(expected_rdm(judged))
    found = {
        "planted": spearman(shares, planted),
        "infinite": spearman(shares, infinite),
        "limit": spearman(planted, infinite),
        "choice_model": spearman(model, planted),
    }
    return {**found, "difference": found["choice_model"] - found["planted"]}


def approach(n_clips: int = 20) -> list[dict[str, Any]]:
    """Estimated noise ceilings beside the analytic ones, as noise falls and trials grow."""
    rows = []
    for temperature in (0.3, 0.1, 0.03, 0.01):
        for n_trials in (2_000, 20_000, 200_000):
            settings = ObserverSettings(n_observers=40, temperature=temperature, **CLEAN)
            stimuli = scattered(n_clips, 0)
            judged = simulate_judgments(stimuli, n_trials, settings)
            analytic = analytic_ceilings(judged)["all"]
            protocol = select_protocol("all", stimuli, judged.trials)
            rsa, _ = rsa_ceiling(protocol)
            odd, _ = odd_one_out_ceiling(protocol.trials)
            estimated = {name: metric.to_json() for name, metric in {**rsa, **odd}.items()}
            rows.append(
                {
                    "temperature": temperature, "trials": n_trials, "analytic": analytic.to_json(),
                    "estimated": estimated,
                }
            )  # fmt: skip
    return rows


def share(hits: int, n: int) -> dict[str, float | int | None]:
    """A proportion and its exact 95 % interval (Clopper & Pearson 1934); of nothing, null."""
    if n == 0:
        return {"value": None, "low": None, "high": None, "hits": 0, "n": 0}
    low = float(betaincinv(hits, n - hits + 1, 0.025)) if hits else 0.0
    high = float(betaincinv(hits + 1, n - hits, 0.975)) if hits < n else 1.0
    return {"value": hits / n, "low": low, "high": high, "hits": hits, "n": n}


def catch(observers: int = 100, seeds: int = 20) -> list[dict[str, Any]]:
    """How many careless observers the audit flags, and how many others."""
    kinds = {
        "15 % careless, fast (1 s)": {"careless_share": 0.15},
        "15 % careless, at normal pace": {"careless_share": 0.15, "careless_rt_s": 4.5},
        "30 % careless, fast (1 s)": {"careless_share": 0.30},
        "15 % careless, the others lapse on 10 %": {"careless_share": 0.15, "lapse": 0.10},
        "nobody careless": {},
    }
    rows = []
    for kind, options in kinds.items():
        for trials_each in (100, 231):
            caught = careless = false = honest = 0
            for seed in range(seeds):
                settings = ObserverSettings(n_observers=observers, **options)
                judged = simulate_judgments(scattered(60, seed), observers * trials_each, settings, seed)
                flagged = {flag.participant for flag in flag_careless(participants(judged.trials))}
                caught += len(flagged & set(judged.careless))
                careless += len(judged.careless)
                false += len(flagged - set(judged.careless))
                honest += observers - len(judged.careless)
            rates = {"recall": share(caught, careless), "false_alarms": share(false, honest)}
            rows.append({"observers": kind, "trials_each": trials_each, "seeds": seeds, **rates})
    return rows


def cell(found: dict[str, Any]) -> str:
    """Value and interval."""
    return estimate(found)


def recovery_table(rows: list[dict[str, Any]]) -> str:
    """Markdown of :func:`recover`."""
    lines = [
        "| trials | shares vs D | shares vs planted | choice model vs planted | minimum vs planted | difference |",
        "|---|---|---|---|---|---|",
    ]
    for world in WORLDS:
        own = [row for row in rows if row["world"] == world]
        limit = number(own[-1]["limit"]["value"])
        lines.append(f"| **{world}** (planted limit {limit}) | | | | | |")
        for row in own:
            found = [cell(row[name]) for name in ("infinite", "planted", "choice_model")]
            least = " / ".join(number(row[f"least_{name}"]) for name in ("planted", "choice_model"))
            lines.append(f"| {row['trials']:,} | {' | '.join(found)} | {least} | {cell(row['difference'])} |")
    return "\n".join(lines)


def approach_table(rows: list[dict[str, Any]]) -> str:
    """Markdown of :func:`approach`."""
    lines = [
        "| temperature | trials | RSA, analytic | RSA, estimated | 3AFC, analytic | 3AFC, estimated (lower to upper) |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        exact, found = row["analytic"], row["estimated"]
        keys = ("rsa_spearman", "rsa_spearman_low", "rsa_spearman_high")
        analytic = cell(dict(zip(("value", "low", "high"), (exact[key] for key in keys), strict=True)))
        bounds = (found[f"odd_one_out_ceiling{end}"]["value"] for end in ("_lower", ""))
        lines.append(
            f"| {row['temperature']:g} | {row['trials']:,} | {analytic} | {cell(found['rsa_ceiling'])} | "
            f"{number(exact['odd_one_out'])} | {' to '.join(number(bound) for bound in bounds)} |"
        )
    return "\n".join(lines)


def catch_table(rows: list[dict[str, Any]]) -> str:
    """Markdown of :func:`catch`."""
    lines = ["| observers | trials each | careless detected | others flagged |", "|---|---|---|---|"]
    for row in rows:
        caught, false = row["recall"], row["false_alarms"]
        shares = [f"{found['hits']:,} of {found['n']:,}: {cell(found)}" for found in (caught, false)]
        if not caught["n"]:
            shares[0] = "–"
        lines.append(f"| {row['observers']} | {row['trials_each']} | {shares[0]} | {shares[1]} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and write."""
    found = {"recovery": recover(), "ceilings": approach(), "careless": catch()}
    write_json(RESULTS, {"simulated": "SIMULATED observers; no person judged anything", **found})
    tables = {
        "recovery": recovery_table(found["recovery"]),
        "ceilings": approach_table(found["ceilings"]),
        "careless": catch_table(found["careless"]),
    }
    text = PAGE.read_text(encoding="utf-8")
    for name, table in tables.items():
        text = between(text, name, table)
        print(f"{table}\n")
    write_text(PAGE, text)


if __name__ == "__main__":
    main()
