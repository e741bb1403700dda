"""`bgs models`: list checkpoints by short name, and convert those that are not on the Hugging Face hub."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from bgs.cli._options import Json
from bgs.cli._output import Output

EXAMPLE = "Example: bgs models list --json models.json"
CONVERT_EXAMPLE = (
    "Example: bgs models convert vjepa2.1-l vjepa2_1_vitl_dist_vitG_384.pt --out models/vjepa2.1-l"
)


class _ListsByDefault(TyperGroup):
    """`bgs models` alone, or with `--json`, is `bgs models list`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args if args and not args[0].startswith("--json") else ["list", *args])


app = typer.Typer(
    epilog="Example: bgs models list",
    cls=_ListsByDefault,
    help="List video models by short name; convert checkpoints.",
    rich_markup_mode=None,
)


@app.command("list", epilog=EXAMPLE, short_help="List the video models that have a short name.")
def list_models(json: Json = None) -> None:
    """List the video models that have a short name, and their requirements.

    Load any other checkpoint of these families as `family:<hub id or folder>`, optionally with
    `?frames=T&size=S&layer=k`; encoders of single frames also take `?pool=P&time=Q`.
    """
    from bgs.backbones.catalogue import CARDS, TINY

    output = Output(json)
    output.say("\n".join(_listing()))
    output.write([card.to_json() for card in (*CARDS.values(), TINY)])


def _listing() -> list[str]:
    from bgs.backbones.catalogue import CARDS, TINY

    lines = []
    for (family, licence), cards in groupby(
        (*CARDS.values(), TINY), key=lambda card: (card.family, card.licence)
    ):
        lines += [f"{family}:  licence {licence}"]
        for card in cards:
            clip, millions = f"{card.frames}×{card.size}", f"{card.parameters / 1e6:.0f} M"
            checkpoint = "(in this package)" if card is TINY else card.checkpoint or "(bgs models convert)"
            lines.append(f"  {card.name:<16} {checkpoint:<40} {clip:>6} {millions:>6} {card.memory:>5.1f}")
            if card.about:
                lines.append(f"    {card.about}")
        lines.append("")
    header = f"  {'name':<16} {'checkpoint':<40} {'clip':>6} {'params':>6} {'GiB':>5}"
    return [
        header, "", *lines, "clip: frames × pixels. GiB: memory to tune with LoRA in float32, one clip at",
        "a time; less with ?frames=16, gradient_checkpointing and precision: bf16.", "",
        "Without video: text:minilm (captions; extra minilm), text:<hub id or folder>.",
        "Baselines: pixels:, motion:, lookup:<dim>, scratch:videomae-tiny.",
    ]  # fmt: skip


@app.command("convert", epilog=CONVERT_EXAMPLE, short_help="Convert a V-JEPA 2.1 checkpoint to safetensors.")
def convert(
    model: Annotated[str, typer.Argument(help="vjepa2.1-b, -l, -g or -G.")],
    checkpoint: Annotated[Path, typer.Argument(help="The authors' .pt file, downloaded.")],
    out: Annotated[Path, typer.Option(help="Folder to write; must be new.")],
) -> None:
    """Write the encoder of a V-JEPA 2.1 training checkpoint as safetensors, with its configuration.

    Get the files (5 to 17 GB) from https://dl.fbaipublicfiles.com/vjepa2/; only the encoder is read.
    """
    from bgs.backbones.vjepa2_1_convert import convert as convert_checkpoint

    parameters = convert_checkpoint(model, checkpoint, out)
    Output().say(
        f"{model}: {parameters:,} parameters → {out}. Next: bgs embed --model vjepa2.1:{out} --data …"
    )
