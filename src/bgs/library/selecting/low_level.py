"""Numbers of a clip's picture, from the embeddings of the low-level baselines (:mod:`bgs.backbones.low_level`)."""

from __future__ import annotations

import numpy as np

from bgs._typing import Float, Float64

#: References of the baselines that are read here.
MOTION, PIXELS = "motion:energy", "pixels:rgb"
#: Luma weights of the colour channels (ITU-R BT.601).
_GREY = np.array([0.299, 0.587, 0.114])


def motion_energy(motion: Float[np.ndarray, "n d"]) -> Float64[np.ndarray, " n"]:
    """Root of the summed motion energy, × 100: proportional to contrast, 0 for a still clip.

    Args:
        motion: (n, d) embeddings by ``motion:energy``.
    """
    amplitude: Float64[np.ndarray, " n"] = 100 * np.linalg.norm(motion.astype(np.float64), axis=1)
    return amplitude


def luminance(pixels: Float[np.ndarray, "n d"]) -> Float64[np.ndarray, " n"]:
    """Mean luma of a clip, 0–1.

    Args:
        pixels: (n, d) embeddings by ``pixels:rgb``: red, green and blue of each cell, then the contrast of each.
    """
    mean: Float64[np.ndarray, " n"] = _cells(pixels)[0].mean(axis=1)
    return mean


def contrast(pixels: Float[np.ndarray, "n d"]) -> Float64[np.ndarray, " n"]:
    """Root-mean-square contrast: the standard deviation of luma over all pixels and frames of a clip.

    Args:
        pixels: (n, d) embeddings by ``pixels:rgb``.
    """
    grey, within = _cells(pixels)
    spread: Float64[np.ndarray, " n"] = np.sqrt((within**2).mean(axis=1) + grey.var(axis=1))
    return spread


def _cells(
    pixels: Float[np.ndarray, "n d"],
) -> tuple[Float64[np.ndarray, "n c"], Float64[np.ndarray, "n c"]]:
    """Mean luma of each cell, and the standard deviation of luma within it."""
    cells = pixels.shape[1] // 4
    wide = pixels.astype(np.float64)
    return wide[:, : 3 * cells].reshape(len(wide), cells, 3) @ _GREY, wide[:, 3 * cells :]
