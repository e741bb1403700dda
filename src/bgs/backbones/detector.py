"""Region masks from an object detector (DETR, YOLOS and related models), through transformers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from bgs._errors import ConfigError
from bgs._optional import require
from bgs.backbones.preprocessing import IMAGENET_MEAN, IMAGENET_STD
from bgs.backbones.pretrained import load_transformers, read_json
from bgs.stimuli import RegionMasks
from bgs.stimuli.boxes import BACKGROUND, Box, paint

#: Models with a softmax over classes, the last of which is "no object".
_KNOWN = ("detr", "yolos")
_OTHERS = "object"


def regions_from_detector(
    checkpoint: str,
    frames: UInt8[np.ndarray, "t h w 3"],
    regions: Mapping[str, str] | None = None,
    threshold: float = 0.7,
    shorter_side: int = 512,
    micro_batch: int = 4,
) -> RegionMasks:
    """Boxes of detected objects in each frame, as region masks of the frames' size.

    Args:
        checkpoint: hub id or folder of a DETR or YOLOS model, e.g. ``hustvl/yolos-tiny``.
        frames: T evenly spaced, uncropped frames of a clip.
        regions: detector label -> region; other labels become ``object``. By default
            ``person`` is ``agent``.
        threshold: minimum probability of a box, 0–1.
        shorter_side: shorter side to which frames are resized, in pixels.
        micro_batch: frames per forward pass.

    Raises:
        ConfigError: unsupported type of model.
        BgsError: the model cannot be loaded.
    """
    kind = (read_json(checkpoint, "config.json") or {}).get("model_type")
    if kind not in _KNOWN:
        raise ConfigError("unsupported detector", where=checkpoint, expected=" or ".join(_KNOWN), got=kind)
    require("transformers", "train")
    model = load_transformers("AutoModelForObjectDetection", checkpoint)
    wanted = {"person": "agent"} if regions is None else regions
    names = tuple(dict.fromkeys((BACKGROUND, *wanted.values(), _OTHERS)))
    label_of = {
        number: names.index(wanted.get(name, _OTHERS)) for number, name in model.config.id2label.items()
    }
    labels = []
    for start in range(0, len(frames), micro_batch):
        pixels = _pixels(frames[start : start + micro_batch], shorter_side)
        with torch.no_grad():
            found = model(pixel_values=pixels)
        for logits, boxes in zip(found.logits, found.pred_boxes, strict=True):
            labels.append(paint(_boxes(logits, boxes, label_of, threshold), frames.shape[1:3]))
    return RegionMasks(np.stack(labels), names)


def _pixels(frames: UInt8[np.ndarray, "b h w 3"], shorter_side: int) -> Float[Tensor, "b 3 p q"]:
    height, width = frames.shape[1:3]
    scale = shorter_side / min(height, width)
    pixels = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float() / 255
    pixels = torch.nn.functional.interpolate(
        pixels, size=(round(height * scale), round(width * scale)), mode="bilinear", antialias=True
    )
    mean, std = (torch.tensor(values).reshape(3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    return (pixels - mean) / std


def _boxes(
    logits: Float[Tensor, "q c"], boxes: Float[Tensor, "q 4"], label_of: Mapping[int, int], threshold: float
) -> list[Box]:
    """Boxes (centre, width and height in fractions of the frame) above the threshold."""
    probability, label = logits.softmax(dim=-1)[:, :-1].max(dim=-1)
    found = []
    for sure, number, (x, y, width, height) in zip(
        probability.tolist(), label.tolist(), boxes.tolist(), strict=True
    ):
        if sure >= threshold and number in label_of:
            found.append(Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2, label_of[number]))
    return found
