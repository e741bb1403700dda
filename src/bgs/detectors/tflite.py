"""TensorFlow Lite models of the package mediapipe, which need not be installed: they are read from its wheel."""

from __future__ import annotations

import hashlib
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from bgs._errors import BgsError, DataError
from bgs._optional import require

RELEASE = "0.10.21"
#: File within the package -> SHA-256 of its bytes in the release.
MODELS = {
    "face_detection/face_detection_full_range_sparse.tflite": (
        "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1"
    ),
    "pose_detection/pose_detection.tflite": (
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c"
    ),
    "pose_landmark/pose_landmark_full.tflite": (
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f"
    ),
}
_FOLDER = "mediapipe/modules"
_OBTAIN = (
    f"`pip download --no-deps --only-binary=:all: --python-version 3.12 mediapipe=={RELEASE}`, then "
    f"`--models <the .whl file>`"
)


class TfliteModel:
    """A model with one input, on one thread of the CPU.

    Args:
        content: bytes of the file.

    Raises:
        MissingExtraError: ``ai-edge-litert`` is not installed.
    """

    def __init__(self, content: bytes) -> None:
        runtime = require("ai_edge_litert", "mediapipe") and require(
            "ai_edge_litert.interpreter", "mediapipe"
        )
        self._interpreter: Any = runtime.Interpreter(model_content=content, num_threads=1)
        self._interpreter.allocate_tensors()
        (self._input,) = self._interpreter.get_input_details()
        self._outputs = self._interpreter.get_output_details()

    @property
    def side(self) -> int:
        """Height and width of the input, in pixels."""
        return int(self._input["shape"][1])

    def __call__(self, picture: Float32[np.ndarray, "s s 3"]) -> dict[str, Float32[np.ndarray, "..."]]:
        """Output of each name, for one picture in the range that the model was trained with."""
        self._interpreter.set_tensor(self._input["index"], picture[None])
        self._interpreter.invoke()
        return {each["name"]: self._interpreter.get_tensor(each["index"])[0] for each in self._outputs}


def model_bytes(models: str | Path | None = None) -> dict[str, bytes]:
    """File -> content of :data:`MODELS`.

    Args:
        models: wheel of mediapipe, or a folder that contains ``mediapipe/``; None: where mediapipe is installed.

    Raises:
        BgsError: there is no such file or folder, a model is not in it, or belongs to another release.
    """
    source = _installed() if models is None else Path(models)
    found = {}
    for name, expected in MODELS.items():
        found[name] = _content(source, f"{_FOLDER}/{name}")
        if hashlib.sha256(found[name]).hexdigest() != expected:
            raise DataError(
                f"{name} is damaged or of another release",
                where=source,
                expected=f"mediapipe {RELEASE}",
                hint=_OBTAIN,
            )
    return found


def _installed() -> Path:
    """The folder that contains the package, which is not imported: it asks for an old NumPy."""
    found = find_spec("mediapipe")
    if found is None or not found.submodule_search_locations:
        raise BgsError(
            f"the models of the detector are missing: they are in the wheel of mediapipe {RELEASE}",
            hint=_OBTAIN,
        )
    return Path(next(iter(found.submodule_search_locations))).parent


def _content(source: Path, name: str) -> bytes:
    try:
        if source.is_dir():
            return (source / name).read_bytes()
        with zipfile.ZipFile(source) as wheel:
            return wheel.read(name)
    except (KeyError, OSError, zipfile.BadZipFile):
        reason = f"no model {name} in it" if source.exists() else "no such file or folder"
        expected = f"the wheel of mediapipe {RELEASE}"
        raise DataError(reason, where=source, expected=expected, hint=_OBTAIN) from None
