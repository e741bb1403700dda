"""What `bgs select` gives on SIMULATED clips: `python reproduce/select_figures.py [FOLDER]` (ten minutes, one core).

240 clips are rendered to FOLDER (or a temporary one), unless they are there. Their latents are known. Writes
docs/results/select.json, docs/figures/select.svg, docs/figures/select-pairs.jpg and the tables of docs/select.md.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from math import nan
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from page_tables import between, estimate, number, table

from bgs._files import write_bytes, write_json, write_text
from bgs.datasets import Dataset, load_dataset
from bgs.experiments.simulated import film_world
from bgs.library.selecting import (
    BOUND,
    MatchedSets,
    SetSettings,
    choose_sets,
    compare_sets,
    cover,
    difference_in,
    distance_in_pairs,
)
from bgs.library.selecting.low_level import MOTION, PIXELS
from bgs.library.selecting.measures import Measures
from bgs.reports.estimate import Estimate
from bgs.reports.forest import ForestFigure, ForestPanel, ForestRow
from bgs.reports.pictures import contact_sheet
from bgs.reports.rendering import draw
from bgs.runs.embedder import embed_stimuli
from bgs.simulation.clip_folder import ClipSettings
from bgs.stimuli import Sampling
from bgs.stimuli.decoding import decode

ROOT = Path(__file__).parents[1]
PAGE, RESULTS = ROOT / "docs/select.md", ROOT / "docs/results/select.json"
FIGURE, PICTURE = ROOT / "docs/figures/select.svg", ROOT / "docs/figures/select-pairs.jpg"
CLIPS = ClipSettings(clips=240, size=96)
MODEL = "tiny-videomae"


@dataclass(frozen=True)
class Question:
    """One call of `bgs select`."""

    differ: str
    match: tuple[str, ...]
    k: int = 40

    @property
    def title(self) -> str:
        """As a heading."""
        return f"differ in {self.differ}, matched in {', '.join(self.match)}"


QUESTIONS = (
    Question("arousal", ("motion", "pixels")),
    Question("valence", ("motion", "pixels")),
    Question("social", ("motion", "pixels")),
    Question("motion", ("valence", "arousal", "intimacy"), 30),
    Question("motion", ("social",)),
)
#: Clips of the covering.
COVER = 20
#: Pairs in the picture.
SHOWN = 6


def measured(data: Dataset) -> Measures:
    """All that can be known of the clips."""
    sources = {"motion": MOTION, "pixels": PIXELS, "social": MODEL}
    profiles = {
        name: embed_stimuli(model, data.stimuli, device="cpu").values for name, model in sources.items()
    }
    return Measures(data.stimuli, profiles)


def answer(question: Question, measures: Measures) -> tuple[MatchedSets, dict[str, Any]]:
    """The sets, and how they compare."""
    matched = [one for name in question.match for one in measures.matched(name)]
    asked = measures.asked(question.differ, matched)
    far = measures.space if question.differ == "social" else None
    sets = choose_sets(asked, matched, SetSettings(question.k // 2), far)
    return sets, {
        "differ": question.differ,
        "match": list(question.match),
        "clips": question.k,
        "difference": difference_in(asked, sets).to_json(),
        "balance": [row.to_json() for row in compare_sets(matched, sets)],
        "distance": distance_in_pairs(MODEL, measures.profiles["social"], sets).to_json(),
    }


def asked_table(found: list[dict[str, Any]]) -> str:
    """What was asked, and what came."""
    head = (
        "sets differ in", "matched in", "clips", "asked", "least", "difference [95 %]", "SD", "distance in pairs [95 %]",
        "of any two",
    )  # fmt: skip
    rows = [
        (
            one["difference"]["name"], ", ".join(one["match"]), str(one["clips"]), number(one["difference"]["asked"]),
            number(one["difference"]["least"]), estimate(one["difference"], signed=True), number(one["difference"]["in_sd"]),
            estimate(one["distance"]), number(one["distance"]["pool"]),
        )
        for one in found
    ]  # fmt: skip
    return table(head, rows)


def balance_table(found: list[dict[str, Any]]) -> str:
    """What the sets were matched in."""
    rows = []
    for one in found:
        for row in one["balance"]:
            interval = (
                "–" if row["low"] is None else f"[{number(row['low'], True)}, {number(row['high'], True)}]"
            )
            within = "–" if row["equivalent"] is None else "yes" if row["equivalent"] else "no"
            cells = (number(row["before"]), number(row["after"]), interval, within, number(row["chance"]))
            rows.append((one["difference"]["name"], row["name"], *cells, number(row["p"])))
    bound = f"within ±{number(BOUND, digits=2)}"
    head = ("sets differ in", "matched in", "before", "after", "90 % interval", bound, "chance", "p")
    return table(head, rows)


def figure(found: list[dict[str, Any]]) -> ForestFigure:
    """Differences between the sets before and after matching, of numbers alone."""

    def row(values: dict[str, Any]) -> ForestRow:
        before = Estimate("before", values["before"], nan, nan)
        return ForestRow(
            values["name"], (before, Estimate("after", values["after"], values["low"], values["high"]))
        )

    panels = [
        ForestPanel(
            f"Differ in {one['difference']['name']}", "difference in SD of the pool",
            tuple(row(values) for values in one["balance"] if values["number"]), 0.0,
        )
        for one in found
        if any(values["number"] for values in one["balance"])
    ]  # fmt: skip
    return ForestFigure(tuple(panels[:2]), "SIMULATED clips; 90 % intervals over 20 pairs.")


def picture(data: Dataset, sets: MatchedSets) -> bytes:
    """Middle frames of pairs: the high set above, the low set below."""
    videos = data.stimuli.videos
    assert videos is not None
    shown = np.linspace(0, len(sets.high) - 1, SHOWN).round().astype(int)
    frames = [
        [decode(str(videos[i]), Sampling(3, 96, crop="none"))[1] for i in members[shown]]
        for members in (sets.high, sets.low)
    ]
    return contact_sheet(np.array(frames))


def main() -> None:
    """Measure and write."""
    with TemporaryDirectory() as temporary:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(temporary) / "clips"
        film_world(CLIPS, folder)
        data = load_dataset(folder)
        measures = measured(data)
        answers = [answer(question, measures) for question in QUESTIONS]
        found = [told for _, told in answers]
        covering = cover(measures.profiles["social"], COVER).to_json()
        write_bytes(PICTURE, picture(data, answers[0][0]))
    write_json(
        RESULTS,
        {
            "simulated": "SIMULATED clips; nobody was filmed", "clips": CLIPS.clips, "model": MODEL, "sets": found,
            "cover": {"clips": COVER, **covering},
        },
    )  # fmt: skip
    draw(figure(found), FIGURE)
    text = between(PAGE.read_text(encoding="utf-8"), "asked", asked_table(found))
    text = between(text, "balance", balance_table(found))
    low, high = covering["random_interval"]
    cells = (str(COVER), number(covering["radius"]), f"{number(covering['random_radius'])} [{number(low)}, {number(high)}]",
             number(covering["least"]), number(covering["mean_distance"]))  # fmt: skip
    head = ("clips", "radius", "random choices", "lower bound", "mean distance")
    write_text(PAGE, between(text, "cover", table(head, [cells])))


if __name__ == "__main__":
    main()
