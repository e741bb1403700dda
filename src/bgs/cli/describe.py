"""`bgs describe`: predicted ratings of a clip, with intervals."""

from __future__ import annotations

from typing import Annotated

import typer

from bgs.cli._options import Device, Json
from bgs.cli._output import Output

EXAMPLE = "Example: bgs describe my-clip.mp4 --model run:runs/minilm"

ModelReference = Annotated[
    str, typer.Option("--model", help="run:<run folder>, or a model shared from one (`bgs share`).")
]


def describe(
    clips: Annotated[list[str], typer.Argument(help="Video files (sentences, for a text model).")],
    model: ModelReference,
    level: Annotated[float, typer.Option(help="Level of the prediction intervals.")] = 0.9,
    device: Device = "auto",
    json: Json = None,
) -> None:
    """Describe clips: predicted ratings with prediction intervals, and whether the model knows such clips at all.

    The model must have been calibrated: `bgs train` does it where a run has validation clips, `bgs calibrate` for others.
    """
    from bgs.api.model import load_model

    output = Output(json)
    loaded = load_model(model, device=device)
    found = loaded.describe_all(clips, level=level)
    output.show(*(view for one in found for view in one._views()))
    output.write([one.to_json() for one in found])
