"""A backbone at work on a stimulus set: loading, reading clips, embedding, each with its progress and notes."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from bgs._errors import ConfigError
from bgs._files import write_text
from bgs._progress import print_once, progress_bar
from bgs.backbones import VideoBackbone, embed, embed_layers, load_backbone
from bgs.embeddings import Embeddings
from bgs.runs.provenance import provenance
from bgs.runs.quiet import quiet_libraries
from bgs.stimuli import StimulusSet
from bgs.stimuli.unreadable import Failure


class Embedder:
    """A loaded backbone and the stimuli it can read, with a progress bar for all that takes time."""

    def __init__(
        self,
        model: str,
        stimuli: StimulusSet,
        micro_batch: int,
        device: str,
        precision: str = "auto",
        skip_bad: bool = False,
    ) -> None:
        quiet_libraries()
        self.model, self.micro_batch = model, micro_batch
        self.backbone = load_backbone(model)
        self.backbone.precision = known_precision(precision)
        self.backbone.to(resolve_device(device))
        self.inputs = self.backbone.prepare(stimuli, skip_bad=skip_bad)
        print_once(*self.backbone.notes)
        left_out = {failure.stimulus_id for failure in self.inputs.failures}
        self.positions = np.array([i for i, name in enumerate(stimuli.ids) if name not in left_out])
        self.stimuli = stimuli

    def embed(self) -> Embeddings:
        """One vector a stimulus."""
        return self._embeddings(self._run(embed), self.model)

    def layers(self) -> list[Embeddings]:
        """One vector a stimulus from each layer.

        Raises:
            ConfigError: the model is not a video encoder.
        """
        if not isinstance(self.backbone, VideoBackbone):
            raise ConfigError(
                "--all-layers: no layers to choose from", where=self.model, expected="a video model"
            )
        values = self._run(embed_layers)
        return [self._embeddings(layer, f"{self.model} layer {k}") for k, layer in enumerate(values)]

    def write_failures(self, path: Path) -> None:
        """Which stimuli were left out, and why, as CSV."""
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows([Failure._fields, *self.inputs.failures])
        write_text(path, text.getvalue())

    def _run(self, encode: Callable[..., Any]) -> Any:
        with progress_bar() as bar:
            task = bar.add_task("embedding", total=len(self.inputs.owner))
            return encode(
                self.backbone, self.inputs, self.positions, self.micro_batch,
                progress=lambda done: bar.advance(task, done),
            )  # fmt: skip

    def _embeddings(self, values: Any, source: str) -> Embeddings:
        kept = self.stimuli.subset(self.positions)
        details = {"revision": self.backbone.spec.revision, "stimuli": kept.hash()}
        details |= {f"setting {key}": str(value) for key, value in self.backbone.spec.settings().items()}
        versions = {f"version of {name}": text for name, text in provenance()["versions"].items()}
        return Embeddings(values, kept.ids, source, details | versions)


def embed_stimuli(
    model: str,
    stimuli: StimulusSet,
    micro_batch: int = 64,
    device: str = "auto",
    precision: str = "auto",
) -> Embeddings:
    """Load a backbone and embed all stimuli, with a progress bar."""
    return Embedder(model, stimuli, micro_batch, device, precision).embed()


def known_precision(precision: str) -> Literal["auto", "fp32", "bf16"]:
    """The precision of that name.

    Raises:
        ConfigError: there is none.
    """
    for known in ("auto", "fp32", "bf16"):
        if precision == known:
            return known
    raise ConfigError("unknown precision", where="--precision", expected="auto, fp32 or bf16", got=precision)


def resolve_device(device: str) -> str:
    """``auto`` is CUDA where there is one.

    Raises:
        ConfigError: torch does not know the device, or this machine does not have it.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(
            f"cannot use this device: {str(error).splitlines()[0]}", where=f"device {device}", hint="use cpu"
        ) from None
    return device
