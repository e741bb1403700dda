"""Where clips lie on the map: classical multidimensional scaling of their distances, with axes that are kept.

The vectors of an index have length 1, so that twice the cosine distance of two clips is their squared Euclidean distance.
Classical scaling of Euclidean distances is the principal components of the vectors (Gower 1966, Biometrika 53:325). Its axes
place any new clip by a dot product, which is why the clips that are there already never move.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bgs._errors import BgsError, DataError
from bgs._files import damage_as_error, write_tensors
from bgs._typing import Float, Float64

#: Name of the file in the index's folder.
FILE = "map.safetensors"
_FORMAT = "bgs-map-1"
_HINT = "--redraw draws the map anew"
#: Rows that are added up at a time, in double precision.
_CHUNK = 16384


@dataclass(frozen=True)
class Axes:
    """The two axes of a map. Another layout needs only these methods.

    Attributes:
        mean: (d,) of the clips for which it was drawn.
        components: (2, d) orthonormal axes; the entry of largest magnitude of each is positive.
        shares: (2,) of the variance of these clips.
        clips: how many they were.
        identity: of the model whose vectors they are.
    """

    mean: Float64[np.ndarray, " d"]
    components: Float64[np.ndarray, "2 d"]
    shares: Float64[np.ndarray, "2"]
    clips: int
    identity: str

    def place(self, vectors: Float[np.ndarray, "n d"]) -> Float64[np.ndarray, "n 2"]:
        """Coordinates of clips, whether or not they were there when the map was drawn."""
        # the mean is subtracted afterwards: no copy of a large index
        placed: Float64[np.ndarray, "n 2"] = vectors @ self.components.T - self.components @ self.mean
        return placed

    def save(self, path: Path) -> None:
        """Write them.

        Raises:
            BgsError: the file cannot be written.
        """
        header = {"format": _FORMAT, "identity": self.identity, "clips": str(self.clips)}
        tensors = {"mean": self.mean, "components": self.components, "shares": self.shares}
        write_tensors(path, tensors, header)


def draw_axes(vectors: Float[np.ndarray, "n d"], identity: str) -> Axes:
    """The axes that keep most of the distances between clips.

    Args:
        vectors: of length 1.
        identity: of their model.
    """
    mean = vectors.mean(0, dtype=np.float64)
    scatter = np.zeros((vectors.shape[1],) * 2)
    for start in range(0, len(vectors), _CHUNK):
        part = vectors[start : start + _CHUNK] - mean
        scatter += part.T @ part
    values, found = np.linalg.eigh(scatter)
    components = np.zeros((2, len(mean)))
    kept = found[:, ::-1][:, :2].T  # vectors of one number have one axis
    components[: len(kept)] = kept * np.sign(kept[np.arange(len(kept)), np.abs(kept).argmax(1)])[:, None]
    shares = np.zeros(2)
    shares[: len(kept)] = values[::-1][:2] / max(values.sum(), np.finfo(float).tiny)
    return Axes(mean, components, shares.clip(0, 1), len(vectors), identity)


def kept_axes(path: Path) -> Axes:
    """The axes that :meth:`Axes.save` wrote.

    Raises:
        BgsError: the file cannot be read, or is damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            if header.get("format") != _FORMAT:
                raise DataError(
                    "not a map", where=path, expected=_FORMAT, got=header.get("format"), hint=_HINT
                )
            mean, components, shares = (file.get_tensor(name) for name in ("mean", "components", "shares"))
    except (SafetensorError, OSError) as error:
        raise BgsError(f"cannot read the map: {error}", where=path, hint=_HINT) from error
    with damage_as_error(path, _HINT):
        _check(mean, components, shares)
        return Axes(mean, components, shares, int(header["clips"]), header["identity"])


def _check(mean: np.ndarray, components: np.ndarray, shares: np.ndarray) -> None:
    known = {
        "mean": (mean, (mean.size,)),
        "components": (components, (2, mean.size)),
        "shares": (shares, (2,)),
    }
    for name, (found, shape) in known.items():
        if found.shape != shape or found.dtype != np.float64:
            raise ValueError(f"{name} is {found.shape} {found.dtype}, not {shape} float64")
        if not np.isfinite(found).all():
            raise ValueError(f"{name} is not finite")


def axes_of(
    vectors: Float[np.ndarray, "n d"], identity: str, folder: Path, redraw: bool = False
) -> tuple[Axes, bool]:
    """The axes kept in a folder; where there are none, or of another model, they are drawn and kept.

    Returns:
        The axes, and whether they were drawn now.

    Raises:
        BgsError: the map is damaged, or cannot be written.
    """
    path = folder / FILE
    if path.is_file() and not redraw:
        found = kept_axes(path)
        if found.identity == identity and found.mean.shape == vectors.shape[1:]:
            return found, False
    drawn = draw_axes(vectors, identity)
    drawn.save(path)
    return drawn, True
