"""Detectors of regions, by name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from bgs._errors import ConfigError
from bgs.stimuli import RegionMasks

MEDIAPIPE, TRIANGLES = "mediapipe", "triangles"


@runtime_checkable
class Detector(Protocol):
    """Finds regions in the whole frames of a clip.

    Attributes:
        names: of the regions; the first is the background.
        every_frame: whether it needs all frames of a clip, because it follows what it has found.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the regions."""

    @property
    def every_frame(self) -> bool:
        """Whether it needs all frames of a clip."""

    def settings(self) -> dict[str, Any]:
        """What the masks depend on, as JSON types."""

    def __call__(self, frames: Iterable[UInt8[np.ndarray, "h w 3"]]) -> RegionMasks:
        """One mask for each frame, at the frames' size; frames of a clip all have one size."""


def open_detector(name: str, models: str | Path | None = None) -> Detector:
    """A detector, ready to be called.

    Args:
        name: ``mediapipe`` (faces and bodies), ``triangles`` (two dark triangles on a light ground), or the hub id or
            folder of a DETR or YOLOS model (people and other objects).
        models: see :func:`bgs.detectors.tflite.model_bytes`; only for ``mediapipe``.

    Raises:
        ConfigError: not a detector, or models given to one that has none.
        BgsError: models are missing.
        MissingExtraError: a package is missing.
    """
    if name == MEDIAPIPE:
        from bgs.detectors.faces_and_bodies import FacesAndBodies

        return FacesAndBodies(models)
    if models is not None:
        raise ConfigError(
            "models are files of one detector only", expected=f"detector {MEDIAPIPE!r}", got=repr(name)
        )
    if name == TRIANGLES:
        from bgs.detectors.triangles import TriangleTracker

        return TriangleTracker()
    from bgs.detectors.objects import ObjectDetector

    return ObjectDetector(name)
