"""Faces and bodies of people, with models of mediapipe: BlazeFace (full range) and BlazePose."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8
from scipy import ndimage
from scipy.special import expit

from bgs._typing import Bool, Float64
from bgs.detectors.single_shot import Detection, SingleShotDetector
from bgs.detectors.tflite import RELEASE, TfliteModel, model_bytes
from bgs.stimuli import RegionMasks
from bgs.stimuli.boxes import BACKGROUND, Box

NAMES = (BACKGROUND, "face", "body")
_FACE, _BODY = 1, 2
#: Least probability of a face, of a person, and of a body in the picture cut out around that person, which confirms it.
_FACE_SCORE, _PERSON_SCORE, _BODY_SCORE = 0.6, 0.3, 0.5
#: The picture around a person is this many times the distance from the hips to the second keypoint wide.
_CUT = 2.5


class FacesAndBodies:
    """Finds the faces and bodies of everybody in a frame.

    A face is the detector's box, from the brows to the chin. A body, head included, is segmented within a square around
    each person, turned upright; it ends where the frame ends.

    Args:
        models: see :func:`bgs.detectors.tflite.model_bytes`.

    Raises:
        BgsError: models are missing.
        MissingExtraError: ``ai-edge-litert`` is not installed.
    """

    names = NAMES
    every_frame = False

    def __init__(self, models: str | Path | None = None) -> None:
        face, person, body = (TfliteModel(content) for content in model_bytes(models).values())
        self.faces = SingleShotDetector(face, [(48, 1)], ("Identity", "Identity_1"), _FACE_SCORE)
        self.people = SingleShotDetector(
            person, [(28, 2), (14, 2), (7, 6)], ("Identity", "Identity_1"), _PERSON_SCORE
        )
        self.body = body

    def settings(self) -> dict[str, Any]:
        """What the masks depend on."""
        scores = {"face": _FACE_SCORE, "person": _PERSON_SCORE, "body": _BODY_SCORE}
        return {"name": "mediapipe", "release": RELEASE, "threshold": scores}

    def __call__(self, frames: Iterable[UInt8[np.ndarray, "h w 3"]]) -> RegionMasks:
        """Regions of a clip: ``background``, ``face``, ``body``. A face is on top of its body."""
        return RegionMasks(np.stack([self._labels(frame) for frame in frames]), NAMES)

    def _labels(self, frame: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h w"]:
        labels = np.zeros(frame.shape[:2], np.uint8)
        for person in self.people(frame):
            labels[self._segmented(frame, person)] = _BODY
        sides = np.array([frame.shape[1], frame.shape[0]])
        for face in self.faces(frame):
            (left, top), (right, bottom) = face.low / sides, face.high / sides
            labels[Box(left, top, right, bottom, _FACE).covered(frame.shape[:2])] = _FACE
        return labels

    def _segmented(self, frame: UInt8[np.ndarray, "h w 3"], person: Detection) -> Bool[np.ndarray, "h w"]:
        """The pixels of a person's body; none where the square around the person shows no body."""
        side = self.body.side
        square = _Square(person, side)
        found = self.body(square.cut(frame))
        if float(found["Identity_1"][0]) < _BODY_SCORE:
            return np.zeros(frame.shape[:2], dtype=bool)
        return square.put_back(expit(found["Identity_2"][..., 0].astype(np.float64)), frame.shape[:2]) > 0.5


class _Square:
    """A square around a person whose first two keypoints (the hips; their distance to the second is half the height of
    a standing person) lie below each other, in pixels of ``side`` × ``side``."""

    def __init__(self, person: Detection, side: int) -> None:
        hips, above = person.keypoints[:2]
        reach = max(float(np.hypot(*(above - hips))), 1.0)
        up = (above - hips) / reach if (above != hips).any() else np.array([0.0, -1.0])
        #: Columns: a pixel to the right and a pixel down in the square, in pixels (x, y) of the frame.
        self.axes = np.stack([[-up[1], up[0]], -up], axis=1) * _CUT * reach / side
        self.centre, self.side = hips, side

    def cut(self, frame: UInt8[np.ndarray, "h w 3"]) -> Float32[np.ndarray, "s s 3"]:
        """The square of a frame, 0 to 1; black beyond the frame."""
        y, x = np.indices((self.side, self.side)) + 0.5 - self.side / 2
        places = np.tensordot(self.axes, np.stack([x, y]), axes=1) + self.centre[:, None, None]
        colours = [_sampled(frame[..., colour], places) for colour in range(3)]
        return (np.stack(colours, axis=-1) / 255).astype(np.float32)

    def put_back(self, mask: Float64[np.ndarray, "s s"], size: tuple[int, int]) -> Float64[np.ndarray, "h w"]:
        """A mask of the square on the pixels of a (height, width) frame; 0 outside."""
        y, x = np.indices(size) + 0.5
        away = np.stack([x, y]) - self.centre[:, None, None]
        places = np.tensordot(np.linalg.inv(self.axes), away, axes=1) + self.side / 2
        return _sampled(mask, places)


def _sampled(picture: np.ndarray, places: Float64[np.ndarray, "2 h w"]) -> Float64[np.ndarray, "h w"]:
    """Values at places (x, y), bilinear; 0 beyond the picture. The first pixel reaches from 0 to 1."""
    values: Float64[np.ndarray, "h w"] = ndimage.map_coordinates(
        picture.astype(np.float64), places[::-1] - 0.5, order=1, cval=0.0
    )
    return values
