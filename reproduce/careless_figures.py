"""Who does the audit flag? `python reproduce/careless_figures.py` (minutes a world, one core; needs the published data).

SIMULATED choices in the real design: the participants, triplets and attention checks of garcia-isik-2025, choices drawn from
a known geometry. Some participants guess, some guess half the time; they pass the attention checks and keep their pace, so
that only their choices can tell. Writes docs/results/careless.json, a table and a paragraph of docs/simulated-observers.md.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from page_tables import between, estimate
from scipy.special import betaincinv

from bgs import load_dataset
from bgs._files import write_json, write_text
from bgs._rng import generator
from bgs.judgments import Trials
from bgs.judgments.careless import flag_careless
from bgs.judgments.duplicates import find_duplicates
from bgs.judgments.participation import participants
from bgs.judgments.rated import softmax_choice
from bgs.judgments.trials import KEPT_PAIR, Kind
from bgs.simulation import WORLDS as KNOWN
from bgs.simulation import JudgingWorld

ROOT = Path(__file__).parents[1]
PAGE, RESULTS = ROOT / "docs/simulated-observers.md", ROOT / "docs/results/careless.json"
#: SD of log weights of people with another view: one or two dimensions decide, others for each of them.
OTHER_VIEW = 2.0
GROUPS = ("guess", "guess half the time", "another view")


WORLDS = {
    "matched to the real reliability": KNOWN["matched"],
    "clustered clips": KNOWN["clustered"],
    "clustered clips, people differ strongly": KNOWN["individual"],
}


def judge(
    design: Trials, world: JudgingWorld, seed: int, sizes: dict[str, int]
) -> tuple[Trials, dict[str, set[str]]]:
    """The design with choices of this world; the first participants drawn are the groups of those ``sizes``."""
    random = generator(seed, "careless", *map(str, (world.dimensions, world.spread)))
    clips = random.normal(size=(design.n_stimuli, world.dimensions))
    if world.clusters:
        centres = random.normal(size=(world.clusters, world.dimensions))
        clips = centres[random.integers(world.clusters, size=design.n_stimuli)] + 0.5 * clips
    names = np.unique(design.participant)
    *drawn, _ = np.split(random.permutation(len(names)), np.cumsum(list(sizes.values())))
    groups = {name: set(names[rows].tolist()) for name, rows in zip(sizes, drawn, strict=True)}
    spread, guesses = np.full(len(names), world.spread), np.full(len(names), world.lapse)
    for name, rows in zip(sizes, drawn, strict=True):
        spread[rows] = OTHER_VIEW if name == "another view" else world.spread
        guesses[rows] = 1 - (1 - world.lapse) * {"guess": 0.0, "guess half the time": 0.5}.get(name, 1.0)
    weights = np.exp(spread[:, None] * random.normal(size=(len(names), world.dimensions)))
    chances = softmax_choice(distances(clips, weights, design), world.temperature)
    lapse = guesses[design.participant_codes, None]
    chances = ((1 - lapse) * chances + lapse / 3).cumsum(axis=1)
    odd = (random.random(len(design))[:, None] > chances[:, :2]).sum(axis=1)
    return replace(design, odd=np.where(design.kind == Kind.JUDGMENT, odd, design.odd)), groups


def distances(clips: np.ndarray, weights: np.ndarray, design: Trials) -> np.ndarray:
    """(n, 3) cosine distance of each pair of a trial, as its participant weighs the dimensions."""
    seen = clips[design.stimuli] * weights[design.participant_codes][:, None]
    seen /= np.linalg.norm(seen, axis=2, keepdims=True)
    return np.stack([1 - (seen[:, a] * seen[:, b]).sum(axis=1) for a, b in KEPT_PAIR], axis=1)


def flagged(trials: Trials) -> set[str]:
    """Names of those whom the audit flags."""
    return {flag.participant for flag in flag_careless(participants(trials))}


def count(
    design: Trials, world: JudgingWorld, sizes: dict[str, int], sets: int
) -> dict[str, tuple[int, int]]:
    """Group -> how many of how many were flagged, ``others`` among them."""
    hits = dict.fromkeys((*sizes, "others"), 0)
    people = len(np.unique(design.participant))
    for seed in range(sets):
        trials, groups = judge(design, world, seed, sizes)
        found = flagged(trials)
        for name, members in groups.items():
            hits[name] += len(found & members)
            found -= members
        hits["others"] += len(found)
    members = sizes | {"others": people - sum(sizes.values())}
    return {name: (hits[name], sets * members[name]) for name in hits}


def share(hits: int, n: int) -> dict[str, float | int]:
    """A proportion and its exact 95 % interval (Clopper & Pearson 1934)."""
    low = float(betaincinv(hits, n - hits + 1, 0.025)) if hits else 0.0
    high = float(betaincinv(hits + 1, n - hits, 0.975)) if hits < n else 1.0
    return {"value": hits / n, "low": low, "high": high, "hits": hits, "n": n}


def measure(design: Trials, sets: int = 16) -> list[dict[str, Any]]:
    """Every world, with and without people who guess."""
    rows = []
    for name, world in WORLDS.items():
        for sizes in (dict.fromkeys(GROUPS, 12), {}):
            found = count(design, world, sizes, sets)
            rows.append({"world": name, "sets": sets, **{group: share(*of) for group, of in found.items()}})
            print(rows[-1], flush=True)
    return rows


def real_people(design: Trials) -> dict[str, Any]:
    """Whom the audit flags among real people, and what else speaks of them."""
    names, always = np.unique(design.participant), flagged(design)
    theirs = np.isin(design.participant, list(always))
    doubles = find_duplicates(design).double
    return {
        "flagged": sorted(always), "people": len(names), "rows": int(theirs.sum()), "of_rows": len(design),
        "doubles": int(doubles[theirs].sum()), "of_doubles": int(doubles.sum()),
        "judgments": len(design.where(theirs).judgments), "of_judgments": len(design.judgments),
        "agreement": agreement(design.judgments, always),
    }  # fmt: skip


def agreement(judgments: Trials, those: set[str]) -> dict[str, dict[str, float | int]]:
    """On triplets judged more than once: how often those, and others, choose as another of the others does."""
    chosen = np.take_along_axis(judgments.stimuli, judgments.odd[:, None], axis=1)[:, 0]
    who, inside = judgments.participant_codes, np.isin(judgments.participant, list(those))
    order = np.argsort(judgments.triplet_codes, kind="stable")
    bounds = np.flatnonzero(np.diff(judgments.triplet_codes[order])) + 1
    counts = {True: [0, 0], False: [0, 0]}
    for rows in np.split(order, bounds):
        for one, other in permutations(rows.tolist(), 2):
            if who[one] != who[other] and not inside[other]:
                counts[bool(inside[one])][0] += int(chosen[one] == chosen[other])
                counts[bool(inside[one])][1] += 1
    return {name: share(*counts[key]) for name, key in (("flagged", True), ("others", False))}


def real_text(found: dict[str, Any]) -> str:
    """Markdown of :func:`real_people`."""
    agree = found["agreement"]
    return (
        f"**The real participants.** {len(found['flagged'])} of the {found['people']} are flagged; they gave "
        f"{found['judgments']:,} of the {found['of_judgments']:,} judgments. Two measures that the tests do not use point the "
        f"same way: {found['doubles']} of the {found['of_doubles']} answers submitted twice (counted by `bgs data audit`) are "
        f"theirs, with {found['rows'] / found['of_rows']:.0%} of all rows; and on triplets that other people also judged, they "
        f"agree with those in {cell(agree['flagged'])}, the other participants in {cell(agree['others'])} "
        f"(guessing: .333)."
    )


def cell(found: dict[str, Any] | None) -> str:
    """Value, interval and counts."""
    if found is None:
        return "–"
    return f"{found['hits']:,} of {found['n']:,}: {estimate(found)}"


def design_table(rows: list[dict[str, Any]]) -> str:
    """Markdown of :func:`measure`."""
    columns = (*GROUPS, "others")
    lines = [" | ".join([row["world"], *(cell(row.get(name)) for name in columns)]) for row in rows]
    header = [" | ".join(["world", *columns]), "|".join(["---"] * 5)]
    return (
        "\n".join(f"| {line} |" for line in header + lines)
        .replace("| ---|", "|---|")
        .replace("--- |", "---|")
    )


def main() -> None:
    """Measure and write."""
    design = load_dataset("garcia-isik-2025").need_trials()
    write(measure(design), real_people(design))


def write(worlds: list[dict[str, Any]], real: dict[str, Any]) -> None:
    """Results as JSON, and into the page."""
    write_json(
        RESULTS,
        {"simulated": "worlds: SIMULATED choices; no person made them", "worlds": worlds, "real": real},
    )
    text = PAGE.read_text(encoding="utf-8")
    text = between(text, "careless-design", design_table(worlds))
    write_text(PAGE, between(text, "careless-real", real_text(real)))


if __name__ == "__main__":
    main()
