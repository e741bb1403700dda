"""Converts COCO annotations (bounding boxes or run-length masks) to region masks."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from bgs._errors import DataError
from bgs._typing import Bool
from bgs.stimuli.masks import RegionMasks, clip_stem
from bgs.stimuli.run_lengths import RunLengths, read_run_lengths

BACKGROUND = "background"


@dataclass(frozen=True)
class Box:
    """A labelled box in one frame, in fractions of the frame's width and height.

    Attributes:
        left, top, right, bottom: 0–1 inside the frame, outside this range beyond its edges.
        label: position in the names of the regions, from 1.
    """

    left: float
    top: float
    right: float
    bottom: float
    label: int

    @property
    def area(self) -> float:
        """Area as a fraction of the frame."""
        return (self.right - self.left) * (self.bottom - self.top)

    def covered(self, size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
        """The pixels of a (height, width) frame whose centre lies inside."""
        inside = np.zeros(size, dtype=bool)
        inside[_covered(self.top, self.bottom, size[0]), _covered(self.left, self.right, size[1])] = True
        return inside


def regions_from_boxes(path: str | Path, side: int = 128) -> dict[str, RegionMasks]:
    """Read region masks of every clip from a COCO-style file.

    ``images`` have ``id``, ``width``, ``height``, and name their clip in ``video`` or ``file_name``
    (a video file, or an image in a folder with the clip's name). They are ordered by ``frame_index``, or by
    ``id`` if there is none; indices must be equally spaced, since all masks have the same duration. ``annotations``
    have ``image_id``, ``category_id`` and a run-length ``segmentation`` (:mod:`bgs.stimuli.run_lengths`) or, without
    one, ``bbox`` [x, y, width, height] in pixels: polygons are replaced by their box. ``categories`` have ``id`` and ``name``.
    Where regions overlap, the smaller one is on top.

    Args:
        path: the file.
        side: length of the shorter side of the masks in pixels.

    Returns:
        Clip (without video file extension) -> masks; label 0 is ``background``, followed by the categories in the file's order.

    Raises:
        DataError: the file does not have this format, or is inconsistent.
    """
    content = _read(path)
    categories = [(entry["id"], str(entry["name"])) for entry in content["categories"]]
    label_of = {number: label for label, (number, _) in enumerate(categories, start=1)}
    names = (BACKGROUND, *(name for _, name in categories))
    images = {image["id"]: image for image in content["images"]}
    regions: dict[Any, list[Box | RunLengths]] = defaultdict(list)
    for row, entry in enumerate(content["annotations"]):
        where = f"{path}: annotations[{row}]"
        image, label = images.get(entry["image_id"]), label_of.get(entry["category_id"])
        if image is None or label is None:
            what = f"image {entry['image_id']}" if image is None else f"category {entry['category_id']}"
            raise DataError(f"an annotation refers to {what}, which is not listed", where=where)
        regions[entry["image_id"]].append(_region(where, entry, image, label))
    return {
        clip: RegionMasks(np.stack([paint(regions[i["id"]], _size(i, side)) for i in frames]), names)
        for clip, frames in _clips(path, content["images"]).items()
    }


def paint(regions: Sequence[Box | RunLengths], size: tuple[int, int]) -> np.ndarray:
    """(height, width) uint8 labels: for each pixel, the smallest region that contains its centre."""
    labels = np.zeros(size, dtype=np.uint8)
    for region in sorted(regions, key=lambda region: -region.area):
        labels[region.covered(size)] = region.label
    return labels


def _covered(low: float, high: float, pixels: int) -> slice:
    """Pixels whose centres lie between two fractions of a side."""
    first, last = (int(np.clip(np.ceil(edge * pixels - 0.5), 0, pixels)) for edge in (low, high))
    return slice(first, last)


def _read(path: str | Path) -> dict[str, list[dict[str, Any]]]:
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"cannot read: {error.strerror}", where=path) from None
    except ValueError as error:
        raise DataError(f"not JSON: {error}", where=path) from None
    needed = {
        "images": ("id", "width", "height"),
        "annotations": ("image_id", "category_id"),
        "categories": ("id", "name"),
    }
    for key, fields in needed.items():
        entries = content.get(key) if isinstance(content, dict) else None
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise DataError("not a COCO file", where=path, expected=f"a list {key!r}")
        for row, entry in enumerate(entries):
            missing = [field for field in fields if field not in entry]
            if missing:
                raise DataError(f"{key}[{row}] has no {missing[0]!r}", where=path)
    for row, image in enumerate(content["images"]):
        sides = image["width"], image["height"]
        if not all(isinstance(side, int | float) and side > 0 and side % 1 == 0 for side in sides):
            raise DataError("invalid size", where=f"{path}: images[{row}]", got=f"{sides[0]} × {sides[1]}")
    if len(content["categories"]) > 255:
        raise DataError("too many categories", where=path, expected="at most 255")
    return content  # type: ignore[no-any-return]


def _region(where: str, entry: Mapping[str, Any], image: Mapping[str, Any], label: int) -> Box | RunLengths:
    outline = entry.get("segmentation")
    if isinstance(outline, Mapping):
        size = (int(image["height"]), int(image["width"]))
        return read_run_lengths(outline, size, label, f"{where}.segmentation")
    if "bbox" not in entry:
        raise DataError("neither 'bbox' nor a run-length 'segmentation'", where=where)
    return _box(f"{where}.bbox", entry["bbox"], image, label)


def _box(where: str, bbox: Any, image: Mapping[str, Any], label: int) -> Box:
    try:
        x, y, width, height = (float(value) for value in bbox)
    except (TypeError, ValueError):
        raise DataError(
            "not a box", where=where, expected="[x, y, width, height] in pixels", got=bbox
        ) from None
    across, down = image["width"], image["height"]
    if not (width >= 0 and height >= 0 and np.isfinite([x, y]).all()):
        raise DataError("invalid box", where=where, got=f"{bbox} in {across:g} × {down:g} pixels")
    return Box(x / across, y / down, (x + width) / across, (y + height) / down, label)


def _size(image: Mapping[str, Any], side: int) -> tuple[int, int]:
    shorter = min(image["height"], image["width"])
    return round(image["height"] * side / shorter), round(image["width"] * side / shorter)


def _clips(path: str | Path, images: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Clip -> its images in temporal order."""
    clips: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for image in images:
        clips[_clip_of(path, image)].append(image)
    for clip, frames in clips.items():
        frames.sort(key=_moment)
        steps = set(np.diff([image["frame_index"] for image in frames if "frame_index" in image]).tolist())
        if len(steps) > 1 or steps & {0}:
            raise DataError(
                f"frames of {clip} are not equally spaced", where=path, expected="a constant step of frame_index",
                got=sorted(steps),
            )  # fmt: skip
        if len({(image["width"], image["height"]) for image in frames}) > 1:
            raise DataError(f"frames of {clip} differ in size", where=path)
    return dict(clips)


def _moment(image: Mapping[str, Any]) -> Any:
    return image.get("frame_index", image["id"])


def _clip_of(path: str | Path, image: Mapping[str, Any]) -> str:
    name = image.get("video", image.get("file_name"))
    if name is None:
        raise DataError(
            f"image {image['id']} does not name its clip", where=path, expected="'video' or 'file_name'"
        )
    stem = clip_stem(str(name))
    if "video" in image or stem != str(name):
        return stem
    return str(PurePosixPath(str(name)).parent)
