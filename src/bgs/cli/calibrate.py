"""`bgs calibrate`: fit what lets a run say how sure it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bgs.cli._options import Json, Mirror
from bgs.cli._output import Output

EXAMPLE = "Example: bgs calibrate runs/minilm"


def calibrate(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    folds: Annotated[
        int | None,
        typer.Option(
            min=2,
            help="Train again without each of so many folds of the training clips.",
            show_default="none where the run has validation clips, otherwise 3",
        ),
    ] = None,
    attribute: Annotated[
        list[str] | None,
        typer.Option(
            help="A rating that `bgs describe` predicts; repeatable.", show_default="all of the study"
        ),
    ] = None,
    json: Json = None,
    mirror: Mirror = None,
) -> None:
    """Calibrate a run: probabilities that people agree, ratings with intervals, and a flag for unfamiliar clips.

    Everything is fitted on clips that the model has not seen. `bgs train` does it by itself where there are validation clips.
    """
    from bgs.api.describing import calibrate as calibrated
    from bgs.views.readout import readout_view

    output = Output(json)
    found = calibrated(run, folds=folds, attributes=attribute, mirror=mirror)
    output.show(readout_view(found))
    output.say(f"Next: bgs describe CLIP --model run:{run}")
    output.write(found.summary())
