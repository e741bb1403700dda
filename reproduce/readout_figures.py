"""How good are readouts? `python reproduce/readout_figures.py` (about half an hour, one core; needs the published data).

Two runs: all-MiniLM-L6-v2 on real captions and judgments (three seeds), and tiny-videomae on SIMULATED clips and observers
(three worlds), which is trained again on three folds. Everything is measured on test clips, which took no part in training or in
fitting a readout. The flag for unfamiliar clips is tried on the PHASE clips (data/phase-genset) and on noise, still and moving.
Writes docs/results/readout.json, docs/figures/readout.svg and the tables of docs/readout.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from page_tables import between, estimate, number, table

import bgs
from bgs._files import cache_folder, write_json, write_text
from bgs._rng import generator
from bgs.api.quickstarts import STUDY
from bgs.embeddings import Embeddings
from bgs.evaluation.readout import LEVEL, Readout, Reliability, kept_together_reliability
from bgs.experiments.simulated import SimulateSettings, write_simulated
from bgs.reports.estimate import Estimate
from bgs.reports.reliability import ReliabilityFigure, ReliabilityPanel
from bgs.reports.rendering import draw
from bgs.runs import RunFolder, load_study
from bgs.stimuli import StimulusSet
from bgs.stimuli.encoding import write_video
from bgs.training import load_config

ROOT = Path(__file__).parents[1]
PAGE, RESULTS, FIGURE = (
    ROOT / "docs/readout.md",
    ROOT / "docs/results/readout.json",
    ROOT / "docs/figures/readout.svg",
)
RUNS, PHASE = ROOT / "runs/readout", ROOT / "data/phase-genset"
TEXT = ROOT / "configs/garcia-isik-2025-minilm.yaml"
SEEDS, WORLDS = (0, 1, 2), (0, 1, 2)
TITLES = {"text": "MiniLM, real judgments", "video": "tiny-videomae, SIMULATED"}
#: What is measured, in words.
MEASURED = {
    "kept together": "calibration error, kept together",
    "odd one out": "calibration error, odd one out",
    "coverage": f"share of ratings inside their {LEVEL:.0%} intervals",
    "flagged": "share of test clips said to be unfamiliar",
}
NOISE_CLIPS, NOISE_FRAMES, NOISE_SIZE = 40, 36, 128


def text_run(seed: int) -> Path:
    """A sentence encoder on the real judgments; its readout is fitted on its validation clips."""
    out = RUNS / f"text-{seed}"
    if not RunFolder(out).readout.is_dir():
        bgs.train(config=TEXT, out=out, seed=seed)
    return out


def video_run(seed: int) -> Path:
    """The small video model of `bgs quickstart` in a world of its own."""
    out, world = RUNS / f"video-{seed}", RUNS / f"world-{seed}"
    if not (world / "trials.csv").is_file():
        write_simulated(SimulateSettings(**STUDY["simulate"], seed=seed), world)
    if not RunFolder(out).evaluation.is_file():
        bgs.train(STUDY["models"]["tiny-videomae"]["model"], world, out=out, seed=seed, **STUDY["training"])
    if not RunFolder(out).readout.is_dir():
        bgs.calibrate(out)
    return out


def noise(folder: Path, moving: bool) -> StimulusSet:
    """Clips of random pixels: one picture all along, or a new one each frame."""
    for k in range(NOISE_CLIPS):
        path = folder / f"{k:02d}.mp4"
        if not path.is_file():
            random = generator(k, "noise", str(moving))
            shape = (NOISE_FRAMES if moving else 1, NOISE_SIZE, NOISE_SIZE, 3)
            frames = random.integers(0, 256, shape, dtype=np.uint8)
            folder.mkdir(parents=True, exist_ok=True)
            write_video(path, list(np.broadcast_to(frames, (NOISE_FRAMES, *shape[1:]))), 12)
    return StimulusSet.from_folder(folder)


def unfamiliar(run: Path) -> dict[str, Any]:
    """Area under the ROC curve of the flag's distance, test clips against other clips, and how many of these it flags."""
    model, found = bgs.load_model(f"run:{run}"), {}
    familiarity = model.opened.need_readout().familiarity
    tuned, test = Embeddings.load(RunFolder(run).embeddings("tuned")), study_of(run).stimuli
    like = tuned.select([test.ids[i] for i in np.flatnonzero(test.test)]).values
    others = {
        f"{kind} noise": noise(cache_folder() / "noise" / kind, kind == "moving")
        for kind in ("still", "moving")
    }
    if PHASE.is_dir():
        others |= {"PHASE": StimulusSet.from_folder(PHASE)}
    for name, stimuli in others.items():
        far = model.embed(stimuli).values
        one, two = familiarity.density.distances(like), familiarity.density.distances(far)
        above = (two[:, None] > one).mean() + 0.5 * (two[:, None] == one).mean()
        found[name] = {"auc": float(above), "flagged": float(familiarity.is_far(far).mean()), "n": len(far)}
    return found


def study_of(run: Path) -> Any:
    """What a run was trained on."""
    return load_study(load_config(RunFolder(run).config))


def measured(run: Path) -> tuple[dict[str, Any], list[Reliability]]:
    """Figures of a readout on test clips, and how often pairs of them were kept together."""
    folder, study = RunFolder(run), study_of(run)
    tuned = Embeddings.load(folder.embeddings("tuned"))
    readout = Readout.load(folder.readout, tuned.values.shape[1])
    bins = kept_together_reliability(readout, tuned, study.trials, study.stimuli, centred=True)
    return {name: metric.to_json() for name, metric in readout.measured.items()}, bins


def panel(title: str, bins: list[Reliability]) -> ReliabilityPanel:
    """One diagram."""
    points = tuple(
        (b.predicted, Estimate("", b.observed.value, b.observed.low, b.observed.high)) for b in bins
    )
    total = sum(b.observed.n for b in bins)
    chance = sum(b.observed.value * b.observed.n for b in bins) / total
    return ReliabilityPanel(title, "predicted probability", "share kept together", points, chance)


def rows_of(results: dict[str, Any], kind: str) -> list[tuple[str, ...]]:
    """A row for each figure: every seed or world, and what it would be if all were perfect."""
    rows = []
    for name, words in MEASURED.items():
        runs = results[kind]
        perfect = {"coverage": LEVEL, "flagged": 0.05}.get(name)
        expected = [perfect if perfect is not None else run[f"{name}, if perfect"]["value"] for run in runs]
        rows.append(
            (
                words,
                *(estimate(run[name]) for run in runs),
                number(float(np.mean(expected))),
                f"{runs[0][name]['n']:,}",
            )
        )
    return rows


def write_page(results: dict[str, Any]) -> None:
    """The tables."""
    text = PAGE.read_text(encoding="utf-8")
    for kind, heads in (("text", [f"seed {s}" for s in SEEDS]), ("video", [f"world {s}" for s in WORLDS])):
        text = between(
            text, kind, table(["on test clips", *heads, "if perfect", "n"], rows_of(results, kind))
        )
    rows = [
        (name, *(f"{number(one[name]['auc'])}, {one[name]['flagged']:.0%}" for one in results["unfamiliar"]), str(found["n"]))
        for name, found in results["unfamiliar"][0].items()
    ]  # fmt: skip
    write_text(PAGE, between(text, "unfamiliar", table(["", *(f"world {s}" for s in WORLDS), "n"], rows)))


def main() -> None:
    """Train what is missing, measure, write."""
    runs = {"text": [text_run(seed) for seed in SEEDS], "video": [video_run(seed) for seed in WORLDS]}
    found = {kind: [measured(run) for run in several] for kind, several in runs.items()}
    results: dict[str, Any] = {kind: [one for one, _ in several] for kind, several in found.items()}
    results["unfamiliar"] = [unfamiliar(run) for run in runs["video"]]
    write_json(RESULTS, results)
    note = (
        "Test clips, ten bins of equal size, 95 % intervals over clips. Right: SIMULATED clips and observers."
    )
    draw(
        ReliabilityFigure(tuple(panel(TITLES[kind], several[0][1]) for kind, several in found.items()), note),
        FIGURE,
    )
    write_page(results)


if __name__ == "__main__":
    main()
