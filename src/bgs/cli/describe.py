"""`bgs describe`: predicted ratings of a clip, with intervals."""

from __future__ import annotations

from typing import Annotated

import typer

from bgs.cli._options import Cut, Device, Json, Whole, Window
from bgs.cli._output import Output

EXAMPLE = "Example: bgs describe my-clip.mp4 --model run:runs/minilm"

ModelReference = Annotated[
    str, typer.Option("--model", help="run:<run folder>, or a model shared from one (`bgs share`).")
]


def describe(
    clips: Annotated[
        list[str],
        typer.Argument(help="Video files, or one folder of videos (sentences, for a text model)."),
    ],
    model: ModelReference,
    level: Annotated[float, typer.Option(help="Level of the prediction intervals.")] = 0.9,
    cut: Cut = "shots",
    whole: Whole = 10.0,
    window: Window = 3.0,
    device: Device = "auto",
    json: Json = None,
) -> None:
    """Describe clips: predicted ratings with prediction intervals, and whether the model knows such clips at all.

    Long videos are described in pieces, with times, cut as by `bgs index` (finding shots needs the extra `library`). The model
    must have been calibrated: `bgs train` does it where a run has validation clips, `bgs calibrate` for others.
    """
    from pathlib import Path

    from bgs.api.model import load_model
    from bgs.library.cutting import Cutting

    output = Output(json)
    cutting = Cutting(cut, whole, window)
    loaded = load_model(model, device=device)
    given = clips[0] if len(clips) == 1 and Path(clips[0]).is_dir() else clips
    found = loaded.describe_all(given, level=level, cutting=cutting)
    output.show(*found._views())
    output.write(found.to_json())
