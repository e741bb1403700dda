"""What is read of a clip: which moments, and how they are brought to size."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from bgs._errors import ConfigError

Seconds = Fraction | float | int

#: Most bytes that the frames of one clip may take.
LARGEST_CLIP = 1 << 30


@dataclass(frozen=True)
class Sampling:
    """A clip becomes ``frames`` moments of ``size`` × ``size`` pixels.

    Clip (or span) is divided into ``frames`` equal parts and the frame on screen in the middle of each part is
    taken, by presentation time. A clip with fewer frames than parts shows some of them more than once.

    Attributes:
        frames: T ≥ 1, number of moments.
        size: S ≥ 1, pixels along each side of the result.
        crop: ``center`` resizes the shorter side and cuts the middle S × S out; ``none`` resizes the whole
            picture to S × S, whatever its shape.
        resize: pixels of the shorter side before the cut, ≥ ``size``; None means ``size``. Not with ``none``.
        interpolation: how pictures are resized, always antialiased.
        span: (begin, end) in seconds after the first frame, 0 ≤ begin < end; None is the whole clip.

    Raises:
        ConfigError: a value out of its range, or a clip of more than 1 GiB.
    """

    frames: int
    size: int
    crop: Literal["center", "none"] = "center"
    resize: int | None = None
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    span: tuple[Seconds, Seconds] | None = None

    def __post_init__(self) -> None:
        for name in ("frames", "size"):
            if getattr(self, name) < 1:
                raise ConfigError(f"impossible {name}", expected="at least 1", got=getattr(self, name))
        if self.resize is not None and (self.crop == "none" or self.resize < self.size):
            expected = f"at least {self.size} pixels, with crop 'center'"
            raise ConfigError("impossible resize", expected=expected, got=f"{self.resize}, {self.crop!r}")
        needed = 3 * max(self.frames * self.size**2, self.shorter_side**2)
        if needed > LARGEST_CLIP:
            raise ConfigError(
                "a clip would take too much memory", expected=f"at most {LARGEST_CLIP / 2**30:g} GiB",
                got=f"{needed / 2**30:,.1f} GiB for {self.frames} frames of {self.size} × {self.size} pixels",
            )  # fmt: skip
        if self.span is not None and not 0 <= self.span[0] < self.span[1] < float("inf"):
            raise ConfigError("impossible span", expected="0 ≤ begin < end, in seconds", got=self.span)

    @property
    def shorter_side(self) -> int:
        """Pixels of the shorter side before the cut."""
        return self.size if self.resize is None else self.resize

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(T, S, S, 3), the frames of a clip."""
        return (self.frames, self.size, self.size, 3)

    def moments(self, begin: Fraction, end: Fraction) -> list[Fraction]:
        """T exact times, in seconds: the middles of the equal parts of a clip that lasts from ``begin`` to ``end``."""
        first, length = begin, end - begin
        if self.span is not None:
            first, length = begin + Fraction(self.span[0]), Fraction(self.span[1]) - Fraction(self.span[0])
        return [first + length * Fraction(2 * part + 1, 2 * self.frames) for part in range(self.frames)]

    def key(self) -> str:
        """A short name, fit for a folder, that two samplings share only if they are equal."""
        parts = [f"{self.frames}x{self.size}", self.crop, self.interpolation]
        if self.crop == "center":
            parts.insert(1, f"short{self.shorter_side}")
        if self.span is not None:
            parts += ["from" + _ratio(self.span[0]), "to" + _ratio(self.span[1])]
        return "-".join(parts)


def _ratio(seconds: Seconds) -> str:
    numerator, denominator = Fraction(seconds).as_integer_ratio()
    return f"{numerator}_{denominator}"
