"""`bgs odd`: which of three clips people would choose as the odd one."""

from __future__ import annotations

from typing import Annotated

import typer

from bgs.cli._options import Device, Json
from bgs.cli._output import Output

EXAMPLE = "Example: bgs odd a.mp4 b.mp4 c.mp4 --model run:runs/minilm"


def odd(
    first: Annotated[str, typer.Argument(help="A video file (a sentence, for a text model).")],
    second: Annotated[str, typer.Argument(help="Another.")],
    third: Annotated[str, typer.Argument(help="A third.")],
    model: Annotated[
        str,
        typer.Option("--model", help="Any model (`bgs models`); probabilities need one that was calibrated."),
    ],
    device: Device = "auto",
    json: Json = None,
) -> None:
    """Predict which of three clips people would choose as the odd one, with probabilities if the model was calibrated."""
    from bgs.api.model import load_model

    output = Output(json)
    found = load_model(model, device=device).odd_one_out(first, second, third)
    output.show(*found._views())
    output.write(found.to_json())
