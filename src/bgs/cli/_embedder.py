"""A backbone at work on a stimulus set: loading, reading clips, embedding, each with its progress and notes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import typer

if TYPE_CHECKING:
    from bgs.backbones import Backbone, Inputs
    from bgs.embeddings import Embeddings
    from bgs.stimuli import StimulusSet


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
        from bgs.cli._quiet import quiet_libraries

        quiet_libraries()
        import numpy as np

        from bgs.backbones import load_backbone

        self.model, self.micro_batch = model, micro_batch
        self.backbone = load_backbone(model)
        self.backbone.precision = known_precision(precision)
        self.backbone.to(resolve_device(device))
        self.inputs, self.failures = prepare(self.backbone, stimuli, skip_bad)
        print_once(*self.backbone.notes)
        left_out = {name for name, _ in self.failures}
        self.positions = np.array([i for i, name in enumerate(stimuli.ids) if name not in left_out])
        self.stimuli = stimuli

    def embed(self) -> Embeddings:
        """One vector a stimulus."""
        from bgs import backbones

        return self._embeddings(self._run(backbones.embed), self.model)

    def layers(self) -> list[Embeddings]:
        """One vector a stimulus from each layer.

        Raises:
            ConfigError: the model is not a video encoder.
        """
        from bgs import backbones
        from bgs._errors import ConfigError

        if not isinstance(self.backbone, backbones.VideoBackbone):
            raise ConfigError(
                "--all-layers: no layers to choose from", where=self.model, expected="a video model"
            )
        values = self._run(backbones.embed_layers)
        return [self._embeddings(layer, f"{self.model} layer {k}") for k, layer in enumerate(values)]

    def write_failures(self, path: Path) -> None:
        """Which stimuli were left out, and why, if any were."""
        if not self.failures:
            return
        import csv
        import io

        from bgs._files import write_text

        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows([("stimulus_id", "reason"), *self.failures])
        write_text(path, text.getvalue())
        typer.echo(f"{len(self.failures)} stimuli left out: see {path}", err=True)

    def _run(self, embed: Callable[..., Any]) -> Any:
        from bgs.cli._progress import progress_bar

        with progress_bar() as bar:
            task = bar.add_task("embedding", total=len(self.inputs.owner))
            return embed(
                self.backbone, self.inputs, self.positions, self.micro_batch,
                progress=lambda done: bar.advance(task, done),
            )  # fmt: skip

    def _embeddings(self, values: Any, source: str) -> Embeddings:
        from bgs.cli._provenance import provenance
        from bgs.embeddings import Embeddings

        kept = self.stimuli.subset(self.positions)
        details = {"revision": self.backbone.spec.revision, "stimuli": kept.hash()}
        details |= {f"setting {key}": str(value) for key, value in self.backbone.spec.settings().items()}
        versions = {f"version of {name}": text for name, text in provenance()["versions"].items()}
        return Embeddings(values, kept.ids, source, details | versions)


def prepare(
    backbone: Backbone, stimuli: StimulusSet, skip_bad: bool = False
) -> tuple[Inputs, tuple[tuple[str, str], ...]]:
    """Inputs of all stimuli, and which were left out; clips are decoded with a progress bar."""
    from bgs.backbones.clip_reader import ClipReader
    from bgs.cli._progress import progress_bar

    if not isinstance(backbone, ClipReader):
        return backbone.prepare(stimuli), ()
    with progress_bar() as bar:
        task = bar.add_task("reading clips", total=len(stimuli))
        inputs = backbone.prepare(stimuli, progress=lambda done: bar.advance(task, done), skip_bad=skip_bad)
    return inputs, inputs.failures


def print_once(*notes: str) -> None:
    """What a user should know of how a model was loaded or is trained, once a process."""
    for note in notes:
        if note not in _PRINTED:
            _PRINTED.add(note)
            typer.echo(f"note: {note}", err=True)


_PRINTED: set[str] = set()


def known_precision(precision: str) -> Literal["auto", "fp32", "bf16"]:
    """The precision of that name.

    Raises:
        ConfigError: there is none.
    """
    from bgs._errors import ConfigError

    for known in ("auto", "fp32", "bf16"):
        if precision == known:
            return known
    raise ConfigError("unknown precision", where="--precision", expected="auto, fp32 or bf16", got=precision)


def resolve_device(device: str) -> str:
    """``auto`` is CUDA where there is one.

    Raises:
        ConfigError: torch does not know the device, or this machine does not have it.
    """
    import torch

    from bgs._errors import ConfigError

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(
            f"cannot use this device: {str(error).splitlines()[0]}", where=f"device {device}", hint="use cpu"
        ) from None
    return device
