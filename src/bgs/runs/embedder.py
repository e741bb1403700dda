"""Runs a backbone on a stimulus set: loading, reading clips and embedding, with progress and notes."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np
import torch

from bgs._errors import ConfigError
from bgs._progress import note, progress_bar
from bgs.backbones import Backbone, VideoBackbone, embed, embed_layers, load_backbone
from bgs.backbones.known_features import KnownFeatures
from bgs.backbones.micro_batch import MicroBatch, measured_micro_batch
from bgs.backbones.sharding import place
from bgs.embeddings import TRAINED_ON, Embeddings
from bgs.runs.origins import provenance
from bgs.runs.quiet import quiet_libraries
from bgs.stimuli import StimulusSet


def open_backbone(model: str, device: str = "auto", precision: str = "auto") -> Backbone:
    """Load a backbone by its reference and move it to its device.

    Raises:
        ConfigError: unknown model, device or precision.
        BgsError: the model cannot be loaded.
    """
    quiet_libraries()
    return placed(load_backbone(model), device, precision)


def placed(backbone: Backbone, device: str, precision: str) -> Backbone:
    """The backbone on its device.

    Raises:
        ConfigError: unknown device or precision.
    """
    backbone.precision = known_precision(precision)
    place(backbone, resolve_device(device))
    return backbone


class Embedder:
    """A backbone and its input stimuli, with progress bars.

    Args:
        backbone: from :func:`open_backbone`.
        stimuli: what to embed.
        micro_batch: captions or clips per forward pass; ``auto``: measured now.
        skip_bad: skip clips that cannot be read; ``inputs.failures`` lists them.

    Raises:
        DataError: stimuli cannot be read.
    """

    def __init__(
        self, backbone: Backbone, stimuli: StimulusSet, micro_batch: MicroBatch = 64, skip_bad: bool = False
    ) -> None:
        self.backbone = backbone
        self.inputs = backbone.prepare(stimuli, skip_bad=skip_bad)
        note(*backbone.notes)
        left_out = {failure.stimulus_id for failure in self.inputs.failures}
        self.positions = np.array([i for i, name in enumerate(stimuli.ids) if name not in left_out])
        self.stimuli = stimuli
        if micro_batch == "auto":
            every = np.arange(len(self.inputs.owner))
            micro_batch = measured_micro_batch(backbone, self.inputs, every, len(every), train=False)
        self.micro_batch = micro_batch

    def embed(self, source: str, encode: Callable[[Any], torch.Tensor] | None = None) -> Embeddings:
        """One vector per stimulus; ``source`` is the model reference, ``encode`` replaces :meth:`Backbone.forward`."""
        run = embed if encode is None else partial(embed, encode=encode)
        return self._embeddings(self._run(run), source)

    def reuse(self, frozen: Embeddings) -> None:
        """Apply only the head: ``frozen`` are the embeddings of all stimuli by the network without it."""
        values = frozen.select(self.stimuli.ids).values
        self.inputs = KnownFeatures.of(self.backbone, self.inputs, self.micro_batch, frozen=values)

    def layers(self, source: str) -> list[Embeddings]:
        """One vector per stimulus from each layer.

        Raises:
            ConfigError: the model is not a video encoder.
        """
        if not isinstance(self.backbone, VideoBackbone):
            raise ConfigError(
                "--all-layers: the model has no layers to choose from", where=source, expected="a video model"
            )
        values = self._run(embed_layers)
        return [self._embeddings(layer, f"{source} layer {k}") for k, layer in enumerate(values)]

    def _run(self, encode: Callable[..., Any]) -> Any:
        with progress_bar() as bar:
            task = bar.add_task("embedding", total=len(self.inputs.owner))
            return encode(
                self.backbone, self.inputs, self.positions, self.micro_batch,
                progress=lambda done: bar.advance(task, done),
            )  # fmt: skip

    def _embeddings(self, values: Any, source: str) -> Embeddings:
        return described(values, self.stimuli.subset(self.positions), self.backbone, source)


def described(values: Any, stimuli: StimulusSet, backbone: Backbone, source: str) -> Embeddings:
    """Vectors with what is known about how they were made."""
    details = {"revision": backbone.spec.revision, "stimuli": stimuli.hash()}
    details |= {f"setting {key}": str(value) for key, value in backbone.spec.settings().items()}
    if backbone.trained_on:
        details[TRAINED_ON] = json.dumps(dict(backbone.trained_on))
    versions = {f"version of {name}": text for name, text in provenance()["versions"].items()}
    return Embeddings(values, stimuli.ids, source, details | versions)


def embed_stimuli(
    model: str,
    stimuli: StimulusSet,
    micro_batch: int = 64,
    device: str = "auto",
    precision: str = "auto",
) -> Embeddings:
    """Load a backbone and embed all stimuli, with a progress bar."""
    return Embedder(open_backbone(model, device, precision), stimuli, micro_batch).embed(model)


def known_precision(precision: str) -> Literal["auto", "fp32", "bf16"]:
    """Check the name of a precision.

    Raises:
        ConfigError: unknown precision.
    """
    for known in ("auto", "fp32", "bf16"):
        if precision == known:
            return known
    raise ConfigError("unknown precision", where="--precision", expected="auto, fp32 or bf16", got=precision)


def resolve_device(device: str) -> str:
    """Resolve ``auto`` to CUDA if available, otherwise CPU.

    Raises:
        ConfigError: the device is unknown to torch or not available on this machine.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    reason = None
    try:
        if torch.empty(0, device=device).is_meta:
            reason = "it has no memory"
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
    if reason is not None:
        raise ConfigError(f"cannot use this device: {reason}", where=f"device {device}", hint="use cpu")
    return device
