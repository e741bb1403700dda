"""A folder to practise with: six clips with captions and ratings, and nine people's answers."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from collection.conftest import CLIPS, CONTENT

#: What nine people, then four, then one chose: the odd one of each.
ANSWERS = {
    (0, 1, 2): [0] * 7 + [1] * 2,
    (1, 2, 3): [3] * 2 + [1] * 2,
    (3, 4, 5): [5],
}
SETTINGS = """
title: Six small clips
scales:
  valence: {low: 1, high: 7, low_label: unpleasant, high_label: pleasant}
  arousal: {low: 0, high: 1}
"""


def write_practice(folder: Path, judged: bool = True, rated: bool = True, settings: str = SETTINGS) -> Path:
    """The folder; without judgments, or without ratings, where asked."""
    (folder / "clips").mkdir(parents=True)
    head = ["stimulus_id", "video", "captions"]
    ratings = ["valence", "valence_sd", "arousal"]
    rows = [head + ratings if rated else head]
    for k, name in enumerate(CLIPS):
        (folder / f"clips/{k}.mp4").write_bytes(CONTENT[k])
        captions = json.dumps([f"Two people greet each other, {k} times.", "They seem to know each other."])
        row = [name, f"clips/{k}.mp4", captions]
        rows.append([*row, 1 + k, 0.5, "" if k == 5 else 0.1 * k] if rated else row)
    _write(folder / "stimuli.csv", rows)
    if rated and settings:
        (folder / "study.yaml").write_text(settings)
    if judged:
        write_trials(folder / "trials.csv")
    return folder


def write_trials(path: Path) -> None:
    """The answers of :data:`ANSWERS`, and an attention check, which does not count."""
    rows = [["participant", "stim1", "stim2", "stim3", "odd"]]
    for triplet, odds in ANSWERS.items():
        shown = [CLIPS[k] for k in triplet]
        for person, odd in enumerate(odds):
            turned = shown[person % 3 :] + shown[: person % 3]  # in any order
            rows.append([f"p{person}", *turned, CLIPS[odd]])
    # Somebody judged a triplet again, and otherwise: the first answer counts.
    rows.append(["p0", *(CLIPS[k] for k in (0, 1, 2)), CLIPS[2]])
    rows.append(["p0", CLIPS[0], CLIPS[0], CLIPS[1], CLIPS[1]])
    _write(path, rows)


def _write(path: Path, rows: list[list[object]]) -> None:
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
