"""Region masks from an object detector (DETR, YOLOS and related models), through transformers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

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
_EXPECTED = f"mediapipe, triangles, or a {' or '.join(_KNOWN)} model"
_OTHERS = "object"


class ObjectDetector:
    """A detector of objects, whose boxes become regions.

    Args:
        checkpoint: hub id or folder of a DETR or YOLOS model, e.g. ``hustvl/yolos-tiny``.
        regions: detector label -> region; other labels become ``object``. By default
            ``person`` is ``agent``.
        threshold: minimum probability of a box, 0–1.
        shorter_side: shorter side to which frames are resized, in pixels.
        micro_batch: frames per forward pass.

    Raises:
        ConfigError: unsupported type of model.
        BgsError: the model cannot be loaded.
    """

    every_frame = False

    def __init__(
        self,
        checkpoint: str,
        regions: Mapping[str, str] | None = None,
        threshold: float = 0.7,
        shorter_side: int = 512,
        micro_batch: int = 4,
    ) -> None:
        kind = (read_json(checkpoint, "config.json") or {}).get("model_type")
        if kind not in _KNOWN:
            raise ConfigError("unsupported detector", where=checkpoint, expected=_EXPECTED, got=kind)
        require("transformers", "train")
        self.checkpoint, self.threshold = checkpoint, threshold
        self.shorter_side, self.micro_batch = shorter_side, micro_batch
        self.model = load_transformers("AutoModelForObjectDetection", checkpoint)
        wanted = {"person": "agent"} if regions is None else regions
        self.names = tuple(dict.fromkeys((BACKGROUND, *wanted.values(), _OTHERS)))
        self.label_of = {
            number: self.names.index(wanted.get(name, _OTHERS))
            for number, name in self.model.config.id2label.items()
        }

    def settings(self) -> dict[str, Any]:
        """What the masks depend on."""
        return {"name": self.checkpoint, "threshold": self.threshold, "shorter_side": self.shorter_side}

    def __call__(self, frames: Iterable[UInt8[np.ndarray, "h w 3"]]) -> RegionMasks:
        """Boxes of detected objects in each whole frame of a clip, as region masks of the frames' size."""
        labels, left = [], iter(frames)
        while batch := list(islice(left, self.micro_batch)):
            with torch.no_grad():
                found = self.model(pixel_values=_pixels(np.stack(batch), self.shorter_side))
            for logits, boxes in zip(found.logits, found.pred_boxes, strict=True):
                regions = _boxes(logits, boxes, self.label_of, self.threshold)
                labels.append(paint(regions, batch[0].shape[:2]))
        return RegionMasks(np.stack(labels), self.names)


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
