"""Presets: complete recipes for a configuration to start from."""

from __future__ import annotations

from typing import Any

#: The complete published recipe (v1), including model and data. An epoch is one pass over all trials.
#: docs/training.md lists what cannot be reproduced.
_PAPER_V1: dict[str, Any] = {
    "model": "timesformer-k400?frames=16",
    "data": "garcia-isik-2025",
    "seed": 42,
    "epochs": 50,
    "gradient": "per-trial",
    "per_trial": {"batch": 4, "rsa_updates": 6, "rsa_clips": 24, "rsa_gradient_clips": 6},
    "objective": {"preset": "paper-v1"},
    "lora": {"rank": 8, "alpha": 16, "dropout": 0.1, "layers": "all"},
    "head": {"dim": 128, "dropout": 0.3},
    "views": 0,
    "optimizer": {
        "learning_rate": 1e-4,
        "weight_decay": 0.01,
        "warmup": 0,
        "clip_norm": None,
        "schedule": "plateau",
        "plateau_patience": 3,
        "plateau_factor": 0.5,
        "plateau_threshold": 1e-4,
    },
    "validation": {"fraction": 0.2, "shuffle": "scikit-learn", "every": 1, "patience": 5},
    "evaluation": {"center": False, "distance": "cosine"},
}
PRESETS: dict[str, dict[str, Any]] = {"default": {}, "paper-v1": _PAPER_V1}

#: What a run that trains a transform starts from: updates cost next to nothing, so that it converges.
TRANSFORM: dict[str, Any] = {
    "lora": None,
    "epochs": 200,
    "optimizer": {"learning_rate": 1e-3, "weight_decay": 0.0, "warmup": 10},
    "validation": {"fraction": 0.0},  # the pull, not the number of epochs, keeps it from fitting too much
    "views": 0,
}
