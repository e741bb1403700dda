"""Sampling of a clip: the frames to read, and how to resize them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from bgs._errors import ConfigError

Seconds = Fraction | float | int
#: A stretch of a clip: (begin, end) in seconds after its first frame.
Span = tuple[Seconds, Seconds]

#: Maximum size of the frames of one clip, in bytes.
LARGEST_CLIP = 1 << 30


@dataclass(frozen=True)
class Sampling:
    """Samples ``frames`` frames of ``size`` × ``size`` pixels from a clip.

    The clip (or span) is divided into ``frames`` equal parts, and the frame on screen in the middle of each part is
    taken, by presentation time. If a clip has fewer frames than parts, some are repeated.

    Attributes:
        frames: T ≥ 1, number of frames.
        size: S ≥ 1, width and height in pixels.
        crop: ``center`` resizes the shorter side and crops the central S × S; ``none`` resizes the whole
            frame to S × S, ignoring its aspect ratio.
        resize: shorter side in pixels before cropping, ≥ ``size``; None means ``size``. Not with ``none``.
        interpolation: interpolation method, always antialiased.
        span: (begin, end) in seconds after the first frame, 0 ≤ begin < end; None is the whole clip.

    Raises:
        ConfigError: a value is out of range, or a clip would take more than 1 GiB.
    """

    frames: int
    size: int
    crop: Literal["center", "none"] = "center"
    resize: int | None = None
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    span: Span | None = None

    def __post_init__(self) -> None:
        for name in ("frames", "size"):
            if getattr(self, name) < 1:
                raise ConfigError(f"invalid {name}", expected="at least 1", got=getattr(self, name))
        if self.resize is not None and (self.crop == "none" or self.resize < self.size):
            expected = f"at least {self.size} pixels, with crop 'center'"
            raise ConfigError("impossible resize", expected=expected, got=f"{self.resize}, {self.crop!r}")
        needed = 3 * max(self.frames * self.size**2, self.shorter_side**2)
        if needed > LARGEST_CLIP:
            raise ConfigError(
                "a clip would need too much memory", expected=f"at most {LARGEST_CLIP / 2**30:g} GiB",
                got=f"{needed / 2**30:,.1f} GiB for {self.frames} frames of {self.size} × {self.size} pixels",
            )  # fmt: skip
        if self.span is not None and not 0 <= self.span[0] < self.span[1] < float("inf"):
            raise ConfigError("invalid span", expected="0 ≤ begin < end, in seconds", got=self.span)

    @property
    def shorter_side(self) -> int:
        """Shorter side in pixels before cropping."""
        return self.size if self.resize is None else self.resize

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(T, S, S, 3), the frames of a clip."""
        return (self.frames, self.size, self.size, 3)

    def moments(self, begin: Fraction, end: Fraction) -> list[Fraction]:
        """T exact times in seconds: the centres of equal parts of a clip from ``begin`` to ``end``."""
        numerators, denominator = self._moments(begin, end, Fraction(1))
        return [Fraction(numerator, denominator) for numerator in numerators]

    def ticks(self, begin: int, end: int, base: Fraction) -> list[int]:
        """The same of a clip from tick ``begin`` to ``end``, in whole ticks of ``base`` seconds, rounded down."""
        numerators, denominator = self._moments(Fraction(begin), Fraction(end), base)
        return [numerator // denominator for numerator in numerators]

    def _moments(self, begin: Fraction, end: Fraction, unit: Fraction) -> tuple[list[int], int]:
        """Numerators and the denominator that they share, which takes a tenth of the time of fractions, each reduced."""
        first, length = begin, end - begin
        if self.span is not None:
            since, until = Fraction(self.span[0]), Fraction(self.span[1])
            first, length = begin + since / unit, (until - since) / unit
        denominator = 2 * self.frames * first.denominator * length.denominator
        start = 2 * self.frames * first.numerator * length.denominator
        half = length.numerator * first.denominator
        return [start + (2 * part + 1) * half for part in range(self.frames)], denominator

    def positions(self, count: int) -> list[int]:
        """The T frames to take of ``count`` that are shown equally long; some are repeated if there are fewer than T."""
        return self.ticks(0, count, Fraction(1))

    def key(self) -> str:
        """A short unique name of the sampling, for use as a folder name."""
        parts = [f"{self.frames}x{self.size}", self.crop, self.interpolation]
        if self.crop == "center":
            parts.insert(1, f"short{self.shorter_side}")
        if self.span is not None:
            parts += ["from" + _ratio(self.span[0]), "to" + _ratio(self.span[1])]
        return "-".join(parts)

    def within(self, span: Span | None) -> Sampling:
        """The same frames of a stretch of the clip; None is the clip itself."""
        return self if span is None else replace(self, span=span)


def _ratio(seconds: Seconds) -> str:
    numerator, denominator = Fraction(seconds).as_integer_ratio()
    return f"{numerator}_{denominator}"
