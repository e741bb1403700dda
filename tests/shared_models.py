"""A run of a few seconds to share, and a fake of the hub."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import bgs
from bgs._files import sha256

#: Settings of a run that takes a moment.
FAST = {"epochs": 1, "views": 1, "evaluation": {"permutations": 0, "resamples": 100}}


def resign(folder: Path, name: str) -> None:
    """Give a changed file its new hash in the manifest."""
    manifest = json.loads((folder / "bgs_model.json").read_text())
    manifest["files"][name] = sha256(folder / name)
    (folder / "bgs_model.json").write_text(json.dumps(manifest))


def save_video_study(folder: Path) -> Path:
    """18 clips of noise in three colours, 6 held out, 200 judgments that follow the colours."""
    import csv

    from clips import write_clip

    random = np.random.default_rng(0)
    for i in range(18):
        frames = random.integers(0, 60, (8, 64, 64, 3)).astype(np.uint8)
        frames[..., i % 3] += 150
        write_clip(folder / f"{i:02d}.mp4", list(frames), rate=8)
    with (folder / "stimuli.csv").open("w", newline="") as stream:
        rows = [[f"{i:02d}", f"{i:02d}.mp4", "test" if i >= 12 else "train"] for i in range(18)]
        csv.writer(stream).writerows([["stimulus_id", "video", "split"], *rows])
    with (folder / "trials.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["participant", "block", "trial", "stim1", "stim2", "stim3", "odd", "rt"])
        for row in range(300):
            trio = random.choice(np.arange(12) if row % 2 else np.arange(12, 18), 3, replace=False)
            same = [(trio[1] - trio[2]) % 3, (trio[0] - trio[2]) % 3, (trio[0] - trio[1]) % 3]
            names = [f"{s:02d}" for s in trio]
            writer.writerow([f"p{row % 7}", "b", row, *names, names[int(np.argmin(same))], 2.5])
    (folder / "about.json").write_text(
        json.dumps({"licence": "CC BY 4.0", "citation": "Me (2024): noise.", "simulated": True})
    )
    return folder


def train_video_run(folder: Path) -> bgs.Run:
    """A tuned tiny-videomae; its readout is fitted on folds nowhere, so it has none."""
    (folder / "study").mkdir()
    study = save_video_study(folder / "study")
    settings = FAST | {"validation": {"fraction": 0}, "lora": {"rank": 2, "layers": "last:1"}}
    return bgs.train("tiny-videomae", study, out=folder / "run", **settings)


def cache_as_the_hub_does(folder: Path, cache: Path, name: str, commit: str = "a" * 40) -> Path:
    """Lay a folder out as huggingface_hub caches a repository: blobs, links to them, and the ref of the main branch."""
    root = cache / f"models--{name.replace('/', '--')}"
    snapshot = root / "snapshots" / commit
    for path in (path for path in folder.rglob("*") if path.is_file()):
        blob, link = root / "blobs" / sha256(path), snapshot / path.relative_to(folder)
        for parent in (blob.parent, link.parent):
            parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(path.read_bytes())
        link.symlink_to(blob)
    (root / "refs").mkdir(exist_ok=True)
    (root / "refs/main").write_text(commit)
    return snapshot
