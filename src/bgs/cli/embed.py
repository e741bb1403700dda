"""`bgs embed`: one vector per stimulus, written to a safetensors file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bgs.cli._options import ClipData, Device, Mirror, SkipBad
from bgs.cli._output import Output

if TYPE_CHECKING:
    from bgs.embeddings import Embeddings
    from bgs.runs.embedder import Embedder

EXAMPLE = "Example: bgs embed --model text:minilm --data garcia-isik-2025 --out minilm.safetensors"


def embed(
    model: Annotated[
        str,
        typer.Option(
            help="text:minilm, lookup:<dim>, a short name (`bgs models`), <family>:<hub id or folder>, or run:<run folder>."
        ),
    ],
    data: ClipData,
    out: Annotated[Path, typer.Option(help="File to write, .safetensors.")],
    layer: Annotated[
        int | None, typer.Option(min=0, help="Pool the tokens after this block (0: before the first).")
    ] = None,
    all_layers: Annotated[
        bool,
        typer.Option(
            "--all-layers", help="Embed from every layer in one pass, one file each: OUT.layer-00 and so on."
        ),
    ] = False,
    skip_bad: SkipBad = False,
    micro_batch: Annotated[
        str, typer.Option(help="Captions or clips per forward pass; auto measures which number is fastest.")
    ] = "64",
    precision: Annotated[
        str, typer.Option(help="fp32, bf16, or auto: bf16 on CUDA devices that support it.")
    ] = "auto",
    device: Device = "auto",
    mirror: Mirror = None,
) -> None:
    """Embed every stimulus of a data set: one vector each, indexed by stimulus id.

    With --skip-bad, skipped clips are listed in failures.csv beside the embeddings.
    """
    from bgs._errors import ConfigError
    from bgs._files import require_output
    from bgs._progress import note
    from bgs.backbones.micro_batch import known_micro_batch
    from bgs.datasets import load_dataset
    from bgs.embeddings import SUFFIXES

    size = known_micro_batch(micro_batch)
    require_output(out, SUFFIXES)
    if all_layers and layer is not None:
        raise ConfigError("--layer conflicts with --all-layers")
    dataset = load_dataset(data, mirror=mirror)
    note(*dataset.notes)
    if layer is not None:
        from bgs.backbones.registry import with_layer

        model = with_layer(model, layer)
    from bgs.runs.embedder import Embedder, open_backbone

    embedder = Embedder(open_backbone(model, device, precision), dataset.stimuli, size, skip_bad)
    found = embedder.layers(model) if all_layers else [embedder.embed(model)]
    save(embedder, found, out, all_layers)
    n, width = found[0].values.shape
    layers, to = (f" × {len(found)} layers", f"{layer_path(out, 0)} …") if all_layers else ("", out)
    Output().say(f"{n} stimuli × {width} dimensions{layers} from {model} → {to}")


def layer_path(out: Path, layer: int) -> Path:
    """The file for the embeddings of one layer: OUT.layer-00.safetensors."""
    return out.with_suffix(f".layer-{layer:02d}{out.suffix}")


def save(embedder: Embedder, found: Sequence[Embeddings], out: Path, all_layers: bool) -> None:
    """Write the embeddings, and beside them a list of skipped stimuli."""
    from bgs._progress import note

    for layer, embeddings in enumerate(found):
        embeddings.save(layer_path(out, layer) if all_layers else out)
    if embedder.inputs.failures:
        left_out = out.with_name("failures.csv")
        embedder.write_failures(left_out)
        note(f"{len(embedder.inputs.failures)} stimuli skipped: see {left_out}")
