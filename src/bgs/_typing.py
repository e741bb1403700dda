"""Array types with shapes. ``n``: stimuli or trials, ``d``: embedding width."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float64, Int, Shaped, UInt8

Array = np.ndarray[Any, np.dtype[Any]]

__all__ = ["Array", "Bool", "Float", "Float64", "Int", "Shaped", "UInt8", "np"]
