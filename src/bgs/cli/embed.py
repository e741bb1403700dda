"""`bgs embed`: one vector a stimulus, into a safetensors file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bgs.embeddings import Embeddings
    from bgs.stimuli import StimulusSet

EXAMPLE = "Example: bgs embed --model text:minilm --data garcia-isik-2025 --out minilm.safetensors"


def embed(
    model: Annotated[
        str, typer.Option(help="text:<hub id or folder>, text:minilm, lookup:<dim> or run:<run folder>.")
    ],
    data: Annotated[str, typer.Option(help="Name of a data set (`bgs data list`), or a folder.")],
    out: Annotated[Path, typer.Option(help="File to write, .safetensors.")],
    micro_batch: Annotated[int, typer.Option(min=1, help="Captions (or clips) encoded at a time.")] = 64,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto.")] = "auto",
    mirror: Annotated[
        Path | None, typer.Option(help="Folder with a mirror of the authors' repositories.")
    ] = None,
) -> None:
    """Embed every stimulus of a data set: one vector each, aligned by stimulus id."""
    from bgs.datasets import load_dataset

    dataset = load_dataset(data, mirror=mirror)
    embeddings = embed_stimuli(model, dataset.stimuli, micro_batch, device)
    embeddings.save(out)
    n, width = embeddings.values.shape
    typer.echo(f"{n} stimuli × {width} dimensions from {model} → {out}")


def embed_stimuli(
    model: str, stimuli: StimulusSet, micro_batch: int = 64, device: str = "auto"
) -> Embeddings:
    """Load a backbone and embed all stimuli, with a progress bar."""
    from bgs.cli._progress import progress_bar
    from bgs.cli._provenance import provenance
    from bgs.cli._quiet import quiet_libraries

    quiet_libraries()
    import numpy as np

    from bgs import backbones
    from bgs.embeddings import Embeddings

    backbone = backbones.load_backbone(model)
    backbone.to(resolve_device(device))
    inputs = backbone.prepare(stimuli)
    with progress_bar() as bar:
        task = bar.add_task("embedding", total=len(inputs.owner))
        values = backbones.embed(
            backbone,
            inputs,
            np.arange(len(stimuli)),
            micro_batch,
            progress=lambda done: bar.advance(task, done),
        )
    details = {"revision": backbone.spec.revision, "stimuli": stimuli.hash()}
    versions = {f"version of {name}": text for name, text in provenance()["versions"].items()}
    return Embeddings(values, stimuli.ids, model, details | versions)


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
