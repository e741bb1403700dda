"""`bgs embed`: one vector per stimulus, written to a safetensors file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bgs.cli._options import ClipData, Device, Mirror, SkipBad
from bgs.cli._output import Output

if TYPE_CHECKING:
    from bgs.backbones.micro_batch import MicroBatch
    from bgs.embeddings import Embeddings
    from bgs.stimuli.unreadable import Failure

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
    engine: Annotated[
        str,
        typer.Option(
            help="local: in this process; ray: with actors of Ray, which a large library of clips is for."
        ),
    ] = "local",
    actors: Annotated[
        int | None, typer.Option(help="ray: how many hold the model.", show_default="2")
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT", help="ray: a running cluster.", show_default="start Ray on this machine"
        ),
    ] = None,
    mirror: Mirror = None,
) -> None:
    """Embed every stimulus of a data set: one vector each, indexed by stimulus id.

    With --skip-bad, skipped clips are listed in failures.csv beside the embeddings. With --engine ray, shards are kept in
    OUT.shards, and a run again makes only those that are missing.
    """
    from bgs._errors import ConfigError
    from bgs._files import require_output
    from bgs._progress import note
    from bgs.datasets import load_dataset
    from bgs.embeddings import SUFFIXES

    size = _micro_batch(micro_batch)
    require_output(out, SUFFIXES)
    if all_layers and layer is not None:
        raise ConfigError("--layer conflicts with --all-layers")
    _require_engine(engine, size, actors, address, all_layers)
    dataset = load_dataset(data, mirror=mirror)
    note(*dataset.notes)
    if layer is not None:
        from bgs.backbones.registry import with_layer

        model = with_layer(model, layer)
    if engine == "ray":
        assert size != "auto"  # refused above
        from bgs.runs.ray_embedding import RayEmbedder

        spread = RayEmbedder(
            model, dataset.stimuli, out.with_suffix(".shards"), micro_batch=size, device=device,
            precision=precision, actors=2 if actors is None else actors, address=address, skip_bad=skip_bad,
        )  # fmt: skip
        found, failures = [spread.embed()], spread.failures
    else:
        from bgs.runs.embedder import Embedder, open_backbone

        embedder = Embedder(open_backbone(model, device, precision), dataset.stimuli, size, skip_bad)
        found = embedder.layers(model) if all_layers else [embedder.embed(model)]
        failures = list(embedder.inputs.failures)
    save(found, failures, out, all_layers)
    n, width = found[0].values.shape
    layers, to = (f" × {len(found)} layers", f"{layer_path(out, 0)} …") if all_layers else ("", out)
    Output().say(f"{n} stimuli × {width} dimensions{layers} from {model} → {to}")


def _micro_batch(given: str) -> MicroBatch:
    """Parse the value of --micro-batch.

    Raises:
        ConfigError: neither a number of 1 or more, nor ``auto``.
    """
    from bgs._errors import ConfigError

    if given == "auto":
        return "auto"
    if given.isdecimal() and int(given) >= 1:
        return int(given)
    raise ConfigError(
        "not a micro-batch", where="--micro-batch", expected="a number of 1 or more, or auto", got=given
    )


def _require_engine(
    engine: str, micro_batch: MicroBatch, actors: int | None, address: str | None, all_layers: bool
) -> None:
    """Refuse options that do not go with the engine."""
    from bgs._errors import ConfigError

    if engine not in ("local", "ray"):
        raise ConfigError("unknown engine", where="--engine", expected="local or ray", got=engine)
    if engine == "local" and (actors is not None or address is not None):
        raise ConfigError("--actors and --address are for --engine ray")
    if engine == "ray" and all_layers:
        raise ConfigError("--all-layers conflicts with --engine ray", hint="one --layer at a time")
    if engine == "ray" and micro_batch == "auto":
        raise ConfigError("--micro-batch auto conflicts with --engine ray", hint="give a number")


def layer_path(out: Path, layer: int) -> Path:
    """The file for the embeddings of one layer: OUT.layer-00.safetensors."""
    return out.with_suffix(f".layer-{layer:02d}{out.suffix}")


def save(found: Sequence[Embeddings], failures: Sequence[Failure], out: Path, all_layers: bool) -> None:
    """Write the embeddings, and beside them a list of skipped stimuli."""
    from bgs._progress import note
    from bgs.stimuli.unreadable import write_failures

    for layer, embeddings in enumerate(found):
        embeddings.save(layer_path(out, layer) if all_layers else out)
    if failures:
        left_out = out.with_name("failures.csv")
        write_failures(left_out, failures)
        note(f"{len(failures)} stimuli skipped: see {left_out}")
