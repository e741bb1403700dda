"""Single-shot detectors of mediapipe (Bazarevsky et al. 2019, 2020): boxes and keypoints of faces or of people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8
from scipy.special import expit

from bgs._typing import Float64
from bgs.detectors.tflite import TfliteModel
from bgs.stimuli.resizing import resize

#: Detections that overlap a better one by more than this share of their union are dropped.
_SAME = 0.3


@dataclass(frozen=True, eq=False)
class Detection:
    """One face or person.

    Attributes:
        score: probability, 0–1.
        low, high: (x, y) of the box's corners, in pixels of the frame.
        keypoints: (k, 2) x and y of keypoints, in pixels of the frame.
    """

    score: float
    low: Float64[np.ndarray, "2"]
    high: Float64[np.ndarray, "2"]
    keypoints: Float64[np.ndarray, "k 2"]

    def overlap(self, other: Detection) -> float:
        """Area that both boxes cover, as a share of the area that either covers."""
        both = np.clip(np.minimum(self.high, other.high) - np.maximum(self.low, other.low), 0, None).prod()
        areas = sum((each.high - each.low).prod() for each in (self, other))
        return float(both / max(areas - both, 1e-9))


class SingleShotDetector:
    """A detector on a grid of anchors.

    Args:
        model: its network.
        grids: (cells along a side, anchors in each cell) of every layer.
        outputs: names of the outputs with boxes and with scores.
        threshold: least score, 0–1.
    """

    def __init__(
        self,
        model: TfliteModel,
        grids: Sequence[tuple[int, int]],
        outputs: tuple[str, str],
        threshold: float = 0.5,
    ) -> None:
        self.model, self.outputs, self.threshold = model, outputs, threshold
        self.anchors = np.concatenate([_anchors(*grid) for grid in grids])

    def __call__(self, frame: UInt8[np.ndarray, "h w 3"]) -> list[Detection]:
        """What is found in a frame, best first."""
        side = self.model.side
        picture, corner, scale = _letterboxed(frame, side)
        found = self.model(picture)
        boxes, logits = (found[name].astype(np.float64) for name in self.outputs)
        scores = expit(logits[:, 0])
        points = boxes.reshape(len(boxes), -1, 2) / side
        points[:, 0] += self.anchors
        points[:, 2:] += self.anchors[:, None]
        kept: list[Detection] = []
        for i in sorted(np.flatnonzero(scores >= self.threshold), key=lambda i: -scores[i]):
            centre, *keypoints = (np.delete(points[i], 1, axis=0) * side - corner) / scale
            half = points[i, 1] * side / scale / 2
            one = Detection(float(scores[i]), centre - half, centre + half, np.array(keypoints))
            if all(one.overlap(other) <= _SAME for other in kept):
                kept.append(one)
        return kept


def _anchors(cells: int, each: int) -> Float64[np.ndarray, "a 2"]:
    """Centres (x, y) of the cells of a grid, row by row, as fractions of its sides, each repeated."""
    y, x = (np.indices((cells, cells)) + 0.5) / cells
    return np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), each, axis=0)


def _letterboxed(
    frame: UInt8[np.ndarray, "h w 3"], side: int
) -> tuple[Float32[np.ndarray, "s s 3"], Float64[np.ndarray, "2"], float]:
    """The frame in the middle of a square, from −1 to 1; (x, y) of its corner there; pixels of the square per pixel."""
    height, width = frame.shape[:2]
    scale = side / max(height, width)
    small = resize(frame[None], max(1, round(height * scale)), max(1, round(width * scale)))[0]
    top, left = (side - small.shape[0]) // 2, (side - small.shape[1]) // 2
    square = np.zeros((side, side, 3), np.float32)
    square[top : top + small.shape[0], left : left + small.shape[1]] = small
    return square / 127.5 - 1, np.array([left, top], np.float64), scale
