"""Region masks of clips, from Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bgs._errors import ConfigError
from bgs.datasets import Dataset, load_dataset
from bgs.runs.region_masks import MaskSummary, write_region_masks
from bgs.views.displayable import Displayable
from bgs.views.masks import masks_view

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True, repr=False)
class FoundRegions(Displayable):
    """What a detector found in the clips of a data set; displays as a table.

    Attributes:
        summary: regions, empty clips, and clips that could not be read.
    """

    summary: MaskSummary

    def _views(self) -> Sequence[RenderableType]:
        return (masks_view(self.summary),)

    def to_json(self) -> dict[str, Any]:
        """JSON types only, as ``bgs masks --json`` writes them."""
        return self.summary.to_json()


def detect_regions(
    data: Dataset | str | Path,
    detector: str,
    out: str | Path,
    *,
    models: str | Path | None = None,
    frames: int | None = None,
    side: int = 320,
    skip_bad: bool = False,
    mirror: str | Path | None = None,
) -> FoundRegions:
    """Write region masks of every clip, on which attention can be measured.

    Args:
        data: a data set, its name or folder.
        detector: ``mediapipe`` (face, body), ``triangles`` (two dark triangles on a light ground), or the hub id or folder of
            a DETR or YOLOS model (agent, object).
        out: folder to write ``masks/`` and ``masks.json`` into, e.g. that of the data set.
        models: the wheel of mediapipe or a folder that contains it unpacked (default: the installed package).
        frames: masks of a clip, evenly spaced (default: one for each frame).
        side: shorter side of masks, and of the frames that the detector sees, at most, in pixels.
        skip_bad: skip clips that cannot be read.
        mirror: folder with a mirror of the authors' repositories.

    Raises:
        DataError: the data set is not available, clips cannot be read, or ``out`` has other masks.
        BgsError: the detector's models are missing.
        MissingExtraError: an extra is missing.
    """
    from bgs.detectors import open_detector

    for name, value in (("frames", frames), ("side", side)):
        if value is not None and value < 1:
            raise ConfigError(f"invalid {name}", expected="at least 1", got=value)
    dataset = data if isinstance(data, Dataset) else load_dataset(data, mirror=mirror)
    finder = open_detector(detector, models)
    return FoundRegions(write_region_masks(dataset.stimuli, finder, Path(out), frames, side, skip_bad))
