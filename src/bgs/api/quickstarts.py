"""Two studies of a few minutes: a video model on simulated clips and observers, and a sentence encoder on real judgments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bgs._config import merge, validate
from bgs._errors import BgsError
from bgs._progress import note
from bgs.api.describing import calibrate
from bgs.api.experiments import Experiment, experiment
from bgs.api.planting import plant
from bgs.api.sharing import share
from bgs.api.training import Run
from bgs.backbones.shared_reference import MANIFEST
from bgs.datasets import load_dataset
from bgs.runs.run_folder import RunFolder
from bgs.simulation.latents import LATENTS
from bgs.training import TrainingConfig

#: The study in miniature, a few minutes on two cores: keys of an experiment configuration.
STUDY: dict[str, Any] = {
    "simulate": {"clips": 480, "trials": 60000, "observers": 120},
    "models": {"tiny-videomae": {"model": "tiny-videomae?symmetry=square"}},
    "captions": "text:minilm",
    "conditions": ["base", "hybrid", "shuffled"],
    "training": {
        "epochs": 40, "views": 1, "micro_batch": 90, "keep_graphs": 4,
        # Only the last block: with 360 clips, more parameters overfit (tested on the world with seed 5).
        "lora": {"rank": 4, "alpha": 4, "dropout": 0.1, "layers": "last:1"},
        "optimizer": {"learning_rate": 1.0e-2, "weight_decay": 0.01, "schedule": "cosine", "warmup": 3},
        "validation": {"fraction": 0.0},
        "evaluation": {"protocols": ["held-out-pairs"], "center": True, "resamples": 500, "permutations": 200},
    },
}  # fmt: skip
_TITLE = "Seeing social interaction as observers do: a study in miniature"
_LEAD = (
    "A small video model, pretrained on animations, sees {clips} animated social scenes, but not the way observers do. "
    "It is tuned on observers' odd-one-out choices on three quarters of the clips and evaluated on the rest.\n\n"
    "Everything here is simulated, so the truth is known: observers judge by valence, intimacy, arousal, dominance and "
    "communication, which are computed from what the agents do; colours, textures, camera and bystanders are irrelevant."
)
#: A sentence encoder on real captions and judgments: configs/garcia-isik-2025-minilm.yaml, which gives the reasons.
REAL: dict[str, Any] = {
    "model": "text:minilm",
    "data": "garcia-isik-2025",
    "epochs": 30,
    "views": 2,
    "keep_graphs": 4,
    "lora": {"rank": 8, "alpha": 16, "dropout": 0.1, "layers": "all"},
    "optimizer": {"learning_rate": 1.0e-3, "schedule": "cosine", "warmup": 3},
    "validation": {"fraction": 0.2, "every": 5},
    "evaluation": {"center": True},
}
_SOURCE = "Judgments: Garcia & Isik, arXiv 2510.01502. The encoder reads captions of their clips."
_PLANTED_SOURCE = "SIMULATED captions and observers (a planted geometry)"


def simulated_quickstart(out: str | Path, seed: int = 0, **changes: Any) -> Experiment:
    """Simulate clips and observers, tune a video model on them, and write a report.

    Args:
        out: folder to write; an interrupted quickstart in it is resumed.
        seed: random seed of clips, observers and training.
        changes: keys that replace those of :data:`STUDY`.

    Raises:
        BgsError: an impossible setting, or a folder that holds something else.
    """
    given = {**STUDY, "simulate": {**STUDY["simulate"], "seed": seed}, "seeds": [seed], **changes}
    lead, rerun = _LEAD.format(clips=given["simulate"]["clips"]), f"bgs quickstart --seed {seed}"
    return experiment({**given, "report": {"title": _TITLE, "lead": lead, "rerun": rerun}}, out=out)


def quickstart_model(study: Experiment, seed: int = 0) -> Path:
    """Calibrate the tuned model of a quickstart, and write it into ``model/`` of its folder, for everyday use.

    Three more models are trained, each without a third of the training clips; once: later calls return the folder.

    Args:
        study: from :func:`simulated_quickstart`.
        seed: as there.

    Raises:
        BgsError: the model was not trained, or there are too few judgments to calibrate it.
    """
    out = study.path / "model"
    if not (out / MANIFEST).is_file():
        (name,) = STUDY["models"]
        run = study.path / "cells" / name / "hybrid" / f"seed-{seed}"
        if not RunFolder(run).readout.is_dir():
            calibrate(run, attributes=LATENTS)
        share(run, out, licence="mit")
    return out


@dataclass(frozen=True)
class RealQuickstart:
    """A sentence encoder tuned on the real judgments, or on simulated ones if these are not available.

    Attributes:
        run: the finished run.
        data: name or folder of the data set.
        figure: plot of base model, tuned model and noise ceiling.
    """

    run: Run
    data: str
    figure: Path


def real_quickstart(
    out: str | Path, seed: int = 0, *, mirror: str | Path | None = None, **changes: Any
) -> RealQuickstart:
    """Tune a sentence encoder on 49,484 real judgments, evaluate it on held-out clips, and plot the gain.

    Args:
        out: run folder to write; an interrupted quickstart in it is resumed. Simulated data are written beside it.
        seed: random seed of training.
        mirror: folder with a mirror of the authors' repositories.
        changes: keys that replace those of :data:`REAL`.

    Raises:
        BgsError: an impossible setting, or a folder that holds something else.
    """
    from bgs.runs import run_training

    folder = RunFolder(out)
    data, source = _real_or_planted(folder.path.with_name(f"{folder.path.name}-planted"), mirror)
    config = validate(TrainingConfig, merge({**REAL, "data": data, "seed": seed}, changes), "settings")
    note(f"tuning {config.model} on {data}: {config.epochs} updates, each over all clips, trials and pairs")
    run_training(config, folder.path, mirror=mirror)
    run = Run(folder)
    return RealQuickstart(run, data, _draw_gap(run, source))


def _real_or_planted(folder: Path, mirror: str | Path | None) -> tuple[str, str]:
    """The real judgments if available, otherwise simulated ones; with a sentence that says which."""
    try:
        load_dataset(REAL["data"], mirror=mirror)
    except BgsError as error:
        note(
            f"the human judgments are not available: {error}; --mirror uses a local copy of the authors' repository",
            "continuing with SIMULATED captions and observers: no human data below",
        )
        plant(folder)
        return str(folder), _PLANTED_SOURCE
    return REAL["data"], _SOURCE


def _draw_gap(run: Run, source: str) -> Path:
    """Plot base model, tuned model and noise ceiling of a run into its folder."""
    from bgs.reports import GapFigure
    from bgs.reports.gap import gap_panel
    from bgs.reports.rendering import draw_gap

    path = run.path / "gap.png"
    draw_gap(GapFigure(tuple(gap_panel([result]) for result in run.evaluation.results), source), path)
    return path
