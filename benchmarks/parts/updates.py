"""Updates of the tiny video model on random clips, trials and dissimilarities: what they cost does not depend on these."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from bgs.backbones import VideoBackbone, VideoInputs, attach_lora, load_backbone
from bgs.backbones.lora_settings import LoraSettings
from bgs.objective import HybridObjective, ObjectiveSettings, Target
from bgs.training import FullGeometry, PerTrial
from bgs.training.settings import PerTrialSettings


def random_target(clips: int, trials: int) -> Target:
    """Trials of three different clips, and a dissimilarity of every pair."""
    torch.manual_seed(0)
    first, second = torch.triu_indices(clips, clips, 1)
    start = torch.randint(clips, (trials,))
    triplets = torch.stack([start, (start + 1) % clips, (start + 2) % clips], dim=1)
    pairs = torch.stack([first, second], dim=1)
    return Target(
        triplets, torch.randint(3, (trials,)), pairs, torch.rand(len(pairs)), torch.ones(len(pairs))
    )


def distinct_frames(clips: int, frames: int, size: int) -> np.ndarray:
    """(clips, frames, size, size, 3) random clips that share their bytes: each begins one pixel after the one before.

    So the clips take no memory that grows with their number, as the frames of a cache take none that must be kept.
    """
    shape = (clips, frames, size, size, 3)
    one = frames * size * size * 3
    noise = np.random.default_rng(0).integers(0, 256, one + 3 * clips, dtype=np.uint8)
    strides = (3, size * size * 3, size * 3, 3, 1)
    return np.lib.stride_tricks.as_strided(noise, shape, strides, writeable=False)


def on_random_clips(clips: int, trials: int) -> dict[str, Any]:
    """What both ways to gradients need, of LoRA adapters in the tiny video model."""
    backbone = load_backbone("tiny:videomae")
    assert isinstance(backbone, VideoBackbone)
    attach_lora(backbone, LoraSettings(), None, 0)
    frames = distinct_frames(clips, backbone.spec.frames, backbone.spec.preprocessing.size)
    return {
        "backbone": backbone, "inputs": VideoInputs(frames, np.arange(clips)), "positions": np.arange(clips),
        "target": random_target(clips, trials), "objective": HybridObjective(ObjectiveSettings()), "views": 0, "seed": 0,
    }  # fmt: skip


def full_geometry(clips: int, trials: int, micro_batch: int = 32, keep_graphs: int = 0) -> FullGeometry:
    """Gradients over all clips, trials and pairs."""
    return FullGeometry(**on_random_clips(clips, trials), micro_batch=micro_batch, keep_graphs=keep_graphs)


def per_trial(clips: int, trials: int) -> PerTrial:
    """Gradients as published."""
    return PerTrial(**on_random_clips(clips, trials), settings=PerTrialSettings())
