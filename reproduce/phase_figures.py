"""Writes the README's part on real clips from a finished run of configs/phase-videomae-tiny.yaml: `make phase`.

A strip of frames (one clip a relation, the one that people agreed on most), and held-out RSA before and after.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from page_tables import between, estimate, number

from bgs._files import atomic_path, write_json, write_text
from bgs.datasets import load_dataset
from bgs.datasets.phase import RELATIONS
from bgs.stimuli import Sampling, StimulusSet, decode

ROOT = Path(__file__).parents[1]
DATA, RUN = Path("data/phase-genset"), Path("runs/phase")
FRAMES = 7


def clearest(stimuli: StimulusSet, relation: str) -> int:
    """Position of the clip that the largest share of people called so."""
    return int(np.argmax(stimuli.ratings[relation]))


def draw_strip(path: Path) -> None:
    """One row a relation, time from left to right."""
    from matplotlib.figure import Figure

    stimuli = load_dataset(DATA).stimuli
    assert stimuli.videos is not None
    figure = Figure(figsize=(8.4, 3.9), layout="constrained", dpi=130)
    for row, relation in zip(figure.subplots(3, 1), RELATIONS, strict=True):
        position = clearest(stimuli, relation)
        video = stimuli.videos[position]
        assert video is not None
        clip = decode(video, Sampling(FRAMES, 224))
        row.imshow(np.concatenate(list(clip), axis=1))
        share = stimuli.ratings[relation][position]
        row.set_ylabel(f"{relation}\n{share:.0%} of {stimuli.ratings['n_raters'][position]:.0f}", fontsize=8)
        row.set_xticks([])
        row.set_yticks([])
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png")


def results_text() -> str:
    """The table and what it rests on."""
    found = json.loads((RUN / "evaluation.json").read_text(encoding="utf-8"))
    write_json(ROOT / "docs/results/phase.json", found)
    metrics, settings = found["metrics"], found["provenance"]["config"]["cross_validation"]
    rows = [
        f"| {name} | {estimate(m, True)} | {m['n']:,} |"
        for name, m in (
            ("base (random weights)", metrics["base"]),
            ("tuned", metrics["tuned"]),
            ("tuned − base", metrics["difference"]),
        )
    ]
    repeats = []
    for repeat in range(settings["repeats"]):
        own = [fold for fold in found["folds"] if fold["repeat"] == repeat]
        repeats.append(number(float(np.mean([fold["tuned"] for fold in own])), True))
    table = "\n".join(["| held-out RSA, Spearman | value [95 % interval] | pairs |", "|---|---|---|", *rows])
    seeds = f"times {settings['repeats']} seeds (tuned: {', '.join(repeats)})"
    return f"""{table}

{settings["folds"]} folds, so that each of the 100 clips is held out once, {seeds}. Pairs are
ranked within folds, intervals resample clips, and the difference is paired. Human dissimilarity is the Hellinger
distance between the label distributions given by 13–30 people per clip; trials are sampled from it."""


def main() -> None:
    """Draw and write."""
    draw_strip(ROOT / "docs/figures/phase.png")
    readme = ROOT / "README.md"
    text = results_text()
    write_text(readme, between(readme.read_text(encoding="utf-8"), "phase", text))
    print(text)


if __name__ == "__main__":
    main()
