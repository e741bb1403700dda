"""Attention maps of a model on the clips of a data set, with the frames it saw and overlays of both."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from bgs._errors import DataError
from bgs._files import sha256
from bgs._progress import note, progress_bar
from bgs.backbones import VideoInputs, load_backbone
from bgs.backbones.attention import clip_maps, require_attention
from bgs.datasets import Dataset
from bgs.reports.overlays import Overlay, overlay
from bgs.runs.embedder import resolve_device
from bgs.runs.origins import provenance
from bgs.runs.quiet import quiet_libraries
from bgs.stimuli import ClipMaps, RegionMasks, StimulusSet, read_masks
from bgs.stimuli.boxes import regions_from_boxes
from bgs.stimuli.masks import clip_stem, mask_path


class AttentionMapper:
    """A loaded video model and its attention maps.

    Raises:
        BgsError: the model cannot be loaded or has no attention over clips, or a clip cannot be read.
    """

    def __init__(
        self, model: str, stimuli: StimulusSet, method: str, micro_batch: int, device: str, skip_bad: bool
    ) -> None:
        quiet_libraries()
        self.model, self.stimuli, self.method, self.micro_batch = model, stimuli, method, micro_batch
        self.backbone = load_backbone(model)
        require_attention(self.backbone, method)  # check before decoding any clip
        self.backbone.to(resolve_device(device))
        inputs = self.backbone.prepare(stimuli, skip_bad=skip_bad)
        assert isinstance(inputs, VideoInputs)
        self.inputs = inputs
        note(*self.backbone.notes)

    @cached_property
    def maps(self) -> ClipMaps:
        """Attention maps of every clip that could be read."""
        with progress_bar() as bar:
            task = bar.add_task("attention", total=len(set(self.inputs.owner.tolist())))
            return clip_maps(
                self.backbone, self.stimuli, self.inputs, self.method, self.micro_batch,
                progress=lambda done: bar.advance(task, done),
            )  # fmt: skip

    def frames(self, name: str) -> UInt8[np.ndarray, "t s s 3"]:
        """(T, S, S, 3) uint8 frames of a clip, as the model saw them."""
        unit = int(np.searchsorted(self.inputs.owner, self.stimuli.index[name]))
        frames: UInt8[np.ndarray, "t s s 3"] = self.inputs.batch(np.array([unit])).numpy()[0]
        return frames

    def about(
        self, dataset: Dataset, others: Sequence[AttentionMapper], boxes: Path | None
    ) -> dict[str, Any]:
        """Provenance of a comparison of this model with others."""
        source = {"boxes": {"file": boxes.name, "sha256": sha256(boxes)}} if boxes else {}
        return provenance(
            model=self._card(), against=[other._card() for other in others], data=dataset.name,
            data_hashes=dict(dataset.hashes), simulated=dataset.simulated, **source,
        )  # fmt: skip

    def _card(self) -> dict[str, Any]:
        spec = self.backbone.spec
        return {
            "source": self.model,
            "base": spec.source,
            "revision": spec.revision,
            "settings": spec.settings(),
        }


def read_regions(dataset: Dataset, masks: Path | None, boxes: Path | None) -> dict[str, RegionMasks]:
    """Stimulus id -> its masks, for the stimuli that have masks.

    Args:
        dataset: data set whose folder is searched by default.
        masks: another folder that contains ``masks/``.
        boxes: a COCO-style file, instead.

    Raises:
        DataError: a file is damaged, or a given file or folder has no masks of these stimuli.
    """
    ids = dataset.stimuli.ids
    if boxes is not None:
        of_clip = regions_from_boxes(boxes)
        found = {name: of_clip[clip_stem(name)] for name in ids if clip_stem(name) in of_clip}
    else:
        folder = masks or dataset.folder
        paths = {} if folder is None else {name: mask_path(folder, name) for name in ids}
        # os.path.isfile: an id that is not a valid file name has no masks
        found = {name: read_masks(path) for name, path in paths.items() if os.path.isfile(path)}
    if not found and (masks or boxes):
        raise DataError(
            "no masks of these clips",
            where=boxes or masks,
            expected=f"masks of {clip_stem(ids[0])} and so on",
        )
    return found


def overlay_of(name: str, mappers: Mapping[str, AttentionMapper], columns: int | None = 6) -> Overlay:
    """The overlay of a clip: one row per model, labelled; ``columns`` frames, None for all."""
    maps = {label: mapper.maps for label, mapper in mappers.items()}
    frames = {label: mapper.frames(name) for label, mapper in mappers.items()}
    return overlay(name, maps, frames, columns=columns)
