"""Region masks of a clip, stored as run lengths in safetensors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from jaxtyping import UInt8

from bgs._errors import DataError, listed
from bgs._files import write_tensors
from bgs.stimuli.stimulus_set import VIDEO_SUFFIXES

_FORMAT = "bgs-masks/1"
#: Folder of masks within a data set.
FOLDER = "masks"


@dataclass(frozen=True, eq=False)
class RegionMasks:
    """A region label for every pixel of a clip.

    Masks cover the whole frame, at any resolution with the clip's aspect ratio, and the whole duration, in frames of
    equal duration.

    Attributes:
        labels: (T, H, W) uint8; 0 is the background, k is ``names[k]``.
        names: distinct names of 1 to 256 regions, e.g. ``("background", "agent", "object")``.

    Raises:
        DataError: there are no frames, a label has no name, or a name is repeated or empty.
    """

    labels: UInt8[np.ndarray, "t h w"]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.labels.size:
            raise DataError("masks without pixels", got=f"shape {self.labels.shape}")
        if len(set(self.names)) != len(self.names) or not all(self.names):
            raise DataError("invalid names of regions", expected="distinct names", got=list(self.names))
        greatest = int(self.labels.max())
        if greatest >= len(self.names):
            raise DataError(
                "a region without a name", got=f"label {greatest}", expected=f"0 to {len(self.names) - 1}"
            )

    def merged(self, groups: Mapping[str, str]) -> RegionMasks:
        """Rename regions; those that get the same name are merged.

        Args:
            groups: name -> new name; other regions keep their name.
        """
        new = [groups.get(name, name) for name in self.names]
        names = tuple(dict.fromkeys(new))
        label = np.array([names.index(name) for name in new], dtype=np.uint8)
        return RegionMasks(label[self.labels], names)


def write_masks(path: str | Path, masks: RegionMasks) -> None:
    """Write masks as run lengths (along rows, then frames), atomically and losslessly."""
    lengths, values = _runs(masks.labels.reshape(-1))
    header = {
        "format": _FORMAT, "shape": json.dumps(masks.labels.shape), "names": json.dumps(masks.names),
    }  # fmt: skip
    write_tensors(path, {"lengths": lengths, "values": values}, header)


def read_masks(path: str | Path) -> RegionMasks:
    """Read what :func:`write_masks` wrote.

    Raises:
        DataError: the file is missing, not a mask file, or inconsistent.
    """
    from safetensors import SafetensorError, safe_open

    if not Path(path).is_file():
        raise DataError("no such mask file", where=path)
    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            if header.get("format") != _FORMAT:
                raise DataError("not a mask file", where=path, expected=_FORMAT, got=header.get("format"))
            lengths, values = file.get_tensor("lengths"), file.get_tensor("values")
    except SafetensorError as error:
        raise DataError(f"not a mask file: {error}", where=path) from None
    shape, names = _header(header, path)
    total = int(lengths.sum(dtype=np.int64))
    if total != int(np.prod(shape)) or lengths.shape != values.shape or values.dtype != np.uint8:
        raise DataError("damaged mask file", where=path, expected=f"runs of {shape} labels", got=total)
    try:
        return RegionMasks(np.repeat(values, lengths).reshape(shape), names)
    except DataError as error:
        raise DataError(error.what, where=path, expected=error.expected, got=error.got) from None


def mask_path(folder: str | Path, stimulus_id: str) -> Path:
    """The mask file of a stimulus in a data set's folder: ``masks/<id without video file extension>.safetensors``."""
    return Path(folder) / FOLDER / f"{clip_stem(stimulus_id)}.safetensors"


def masks_of(folder: str | Path, stimulus_id: str) -> RegionMasks:
    """Read the masks of a stimulus in a data set's folder.

    Raises:
        DataError: there are no masks, or the file is damaged.
    """
    return read_masks(mask_path(folder, stimulus_id))


def clip_stem(name: str) -> str:
    """A stimulus id without the extension of a video file, but with folders: ``a/b.mp4`` becomes ``a/b``."""
    path = PurePosixPath(name)
    return str(path.with_suffix("")) if path.suffix.lower() in VIDEO_SUFFIXES else name


def _runs(flat: UInt8[np.ndarray, " n"]) -> tuple[np.ndarray, UInt8[np.ndarray, " r"]]:
    """Lengths (uint16 if they fit, otherwise uint32) and values of runs of equal labels."""
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    lengths = np.diff(starts, append=len(flat))
    narrow = np.uint16 if lengths.max() < 2**16 else np.uint32
    return lengths.astype(narrow), flat[starts]


def _header(header: dict[str, str], path: str | Path) -> tuple[tuple[int, int, int], tuple[str, ...]]:
    try:
        frames, height, width = (int(side) for side in json.loads(header["shape"]))
        return (frames, height, width), tuple(str(name) for name in json.loads(header["names"]))
    except (KeyError, TypeError, ValueError):
        raise DataError("damaged mask file: its header", where=path, got=listed(header.items())) from None
