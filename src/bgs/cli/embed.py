"""`bgs embed`: one vector a stimulus, into a safetensors file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: bgs embed --model text:minilm --data garcia-isik-2025 --out minilm.safetensors"


def embed(
    model: Annotated[
        str,
        typer.Option(
            help="text:minilm, lookup:<dim>, a short name (`bgs models`), <family>:<hub id or folder>, or run:<run folder>."
        ),
    ],
    data: Annotated[
        str,
        typer.Option(
            help="Name of a data set (`bgs data list`), or a folder: with stimuli.csv, or of videos."
        ),
    ],
    out: Annotated[Path, typer.Option(help="File to write, .safetensors.")],
    layer: Annotated[
        int | None, typer.Option(min=0, help="Embed with the tokens after this block (0: before the first).")
    ] = None,
    all_layers: Annotated[
        bool,
        typer.Option("--all-layers", help="Every layer in one pass: one file each, OUT.layer-00 and so on."),
    ] = False,
    skip_bad: Annotated[
        bool,
        typer.Option("--skip-bad", help="Leave clips out that cannot be read; list them in failures.csv."),
    ] = False,
    micro_batch: Annotated[int, typer.Option(min=1, help="Captions (or clips) encoded at a time.")] = 64,
    precision: Annotated[
        str, typer.Option(help="fp32, bf16, or auto: bf16 on CUDA devices that have it.")
    ] = "auto",
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto.")] = "auto",
    mirror: Annotated[
        Path | None, typer.Option(help="Folder with a mirror of the authors' repositories.")
    ] = None,
) -> None:
    """Embed every stimulus of a data set: one vector each, aligned by stimulus id."""
    from bgs._errors import ConfigError
    from bgs._files import require_output
    from bgs._progress import note
    from bgs.datasets import load_dataset
    from bgs.embeddings import SUFFIXES

    require_output(out, SUFFIXES)
    if all_layers and layer is not None:
        raise ConfigError("--layer conflicts with --all-layers")
    dataset = load_dataset(data, mirror=mirror)
    note(*dataset.notes)
    if layer is not None:
        from bgs.backbones.registry import with_layer

        model = with_layer(model, layer)
    from bgs.runs.embedder import Embedder, open_backbone

    backbone = open_backbone(model, device, precision)
    embedder = Embedder(backbone, dataset.stimuli, micro_batch, skip_bad)
    if all_layers:
        found = embedder.layers(model)
        paths = [out.with_suffix(f".layer-{k:02d}{out.suffix}") for k in range(len(found))]
    else:
        found, paths = [embedder.embed(model)], [out]
    for path, embeddings in zip(paths, found, strict=True):
        embeddings.save(path)
    if embedder.inputs.failures:
        left_out = out.with_name("failures.csv")
        embedder.write_failures(left_out)
        typer.echo(f"{len(embedder.inputs.failures)} stimuli left out: see {left_out}", err=True)
    n, width = found[0].values.shape
    layers, more = (f" × {len(found)} layers", " …") if all_layers else ("", "")
    typer.echo(f"{n} stimuli × {width} dimensions{layers} from {model} → {paths[0]}{more}")
