"""Writes region masks of every clip of a data set, found by a detector."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bgs import __version__
from bgs._errors import ConfigError, DataError
from bgs._files import read_json, write_json
from bgs._progress import progress_bar
from bgs.detectors import Detector
from bgs.stimuli import RegionMasks, StimulusSet, read_masks, write_masks
from bgs.stimuli.clip_files import readable_files
from bgs.stimuli.decoding import whole_frames
from bgs.stimuli.masks import FOLDER, mask_path
from bgs.stimuli.unreadable import Failure, UnreadableClip, UnreadableClips

#: How the masks of a folder were made.
RECORD = "masks.json"


@dataclass(frozen=True)
class RegionCount:
    """Where a region occurs.

    Attributes:
        clips: number of clips that show it.
        frames: share of the masks of all clips that show it, 0–1.
        area: its mean share of the picture in those, 0–1; NaN if there are none.
    """

    clips: int
    frames: float
    area: float


@dataclass(frozen=True)
class MaskSummary:
    """The masks of a data set.

    Attributes:
        masks: stimulus id -> number of masks of that clip.
        regions: region -> where it occurs; without the background.
        empty: clips that are all background.
        failures: clips that could not be read.
    """

    masks: Mapping[str, int]
    regions: Mapping[str, RegionCount]
    empty: tuple[str, ...]
    failures: tuple[Failure, ...]

    def to_json(self) -> dict[str, Any]:
        """JSON types only."""
        regions = {
            name: {"clips": each.clips, "frames": each.frames, "area": each.area if each.clips else None}
            for name, each in self.regions.items()
        }
        failures = [each._asdict() for each in self.failures]
        return {
            "masks": dict(self.masks),
            "regions": regions,
            "empty": list(self.empty),
            "failures": failures,
        }


def write_region_masks(
    stimuli: StimulusSet,
    detector: Detector,
    out: Path,
    frames: int | None = None,
    side: int = 320,
    skip_bad: bool = False,
) -> MaskSummary:
    """Write ``masks/<stimulus id>.safetensors`` for every clip, where :func:`bgs.stimuli.masks_of` finds them.

    Clips that have masks from an earlier, interrupted call with the same settings are not done again.

    Args:
        stimuli: the clips.
        detector: see :func:`bgs.detectors.open_detector`.
        out: folder that will contain ``masks/`` and ``masks.json``, which records the settings.
        frames: masks of a clip, evenly spaced; None: one for each of its frames.
        side: shorter side of masks, and of the frames that the detector sees, in pixels, if the clip is larger.
        skip_bad: leave out clips that cannot be read, instead of an error.

    Raises:
        DataError: ``out`` has masks that were made otherwise, an id is no file name, two clips would share a file, or clips
            cannot be read.
        ConfigError: fewer frames for a detector that needs all.
    """
    if frames is not None and detector.every_frame:
        raise ConfigError(
            "this detector follows regions from frame to frame", expected="all frames", got=frames
        )
    files = _files(out, stimuli.ids)
    videos, unreadable = readable_files(stimuli)
    if unreadable and not skip_bad:
        raise UnreadableClips(_named(stimuli, unreadable), len(stimuli), stimuli.obtain_clips)
    _record(out, {"detector": detector.settings(), "frames": frames or "all", "side": side})
    with progress_bar() as bar:
        for i, video in bar.track(videos.items(), description="masks"):
            path = files[stimuli.ids[i]]
            if os.path.isfile(path):
                continue
            try:
                write_masks(path, detector(whole_frames(video, side, frames)))
            except UnreadableClip as error:
                unreadable[i] = error.reason
    if unreadable and not skip_bad:
        raise UnreadableClips(_named(stimuli, unreadable), len(stimuli), "--skip-bad leaves them out")
    written = {stimuli.ids[i]: files[stimuli.ids[i]] for i in videos if i not in unreadable}
    return summarise(
        ((name, read_masks(path)) for name, path in written.items()), _named(stimuli, unreadable)
    )


def summarise(found: Iterable[tuple[str, RegionMasks]], failures: Sequence[Failure] = ()) -> MaskSummary:
    """Count what masks show.

    Args:
        found: stimulus ids and masks, with the same names of regions in all clips.
        failures: clips without masks.
    """
    shares: dict[str, np.ndarray] = {}
    names: tuple[str, ...] = ()
    for stimulus, masks in found:
        names = masks.names
        shares[stimulus] = np.stack(
            [(masks.labels == label).mean(axis=(1, 2)) for label in range(len(names))], axis=1
        )
    every = np.concatenate(list(shares.values())) if shares else np.zeros((0, len(names)))
    regions = {}
    for label, name in enumerate(names[1:], start=1):
        there = every[:, label] > 0
        clips = sum(bool((each[:, label] > 0).any()) for each in shares.values())
        area = float(every[there, label].mean()) if clips else float("nan")
        regions[name] = RegionCount(clips, float(there.mean()), area)
    empty = tuple(stimulus for stimulus, each in shares.items() if not each[:, 1:].any())
    return MaskSummary({name: len(each) for name, each in shares.items()}, regions, empty, tuple(failures))


def _files(out: Path, ids: Sequence[str]) -> dict[str, Path]:
    """Stimulus id -> file of its masks, each its own and within the folder."""
    files = {name: mask_path(out, name) for name in ids}
    inside = (out / FOLDER).resolve()
    for name, path in files.items():
        if not path.resolve().is_relative_to(inside) or len(path.name.encode()) > 255:
            raise DataError(
                "an id that is no file name", got=repr(name), expected="names of files within a folder"
            )
    owners: dict[Path, str] = {}
    for name, path in files.items():
        if owners.setdefault(path, name) != name:
            raise DataError(f"{owners[path]} and {name} would share the file {path.name}", where=path.parent)
    return files


def _record(out: Path, settings: dict[str, Any]) -> None:
    """Write down how the masks are made, unless there are others already."""
    record, made = out / RECORD, {"bgs": __version__, **settings}
    known = read_json(record, "delete it and masks/ to start again") if record.is_file() else None
    if known is not None and {**known, "bgs": __version__} == made:
        return
    if known is not None or any((out / FOLDER).rglob("*.safetensors")):
        raise DataError(
            f"this folder has masks made otherwise, and none is replaced (see {RECORD})" if known else
            f"this folder has masks of another origin (no {RECORD}), and none is replaced",
            where=out, hint="choose another folder",
        )  # fmt: skip
    write_json(record, made)


def _named(stimuli: StimulusSet, unreadable: Mapping[int, str]) -> tuple[Failure, ...]:
    return tuple(Failure(stimuli.ids[i], why) for i, why in sorted(unreadable.items()))
