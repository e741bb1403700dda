"""`bgs masks`: regions of clips, found by a detector."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bgs.cli._options import ClipData, Json, Mirror, SkipBad
from bgs.cli._output import Output

EXAMPLE = "Example: bgs masks --data my-clips --detector mediapipe --out my-clips"


def masks(
    data: ClipData,
    detector: Annotated[
        str,
        typer.Option(
            help="mediapipe: faces and bodies. triangles: two dark triangles on a light ground (Heider & Simmel). Or the hub id "
            "or folder of a DETR or YOLOS model: people and other objects."
        ),
    ],
    out: Annotated[
        Path, typer.Option(help="Folder to write masks/ and masks.json into, e.g. that of the data set.")
    ],
    models: Annotated[
        Path | None,
        typer.Option(
            help="mediapipe: its wheel, or a folder that contains it (default: the installed package)."
        ),
    ] = None,
    frames: Annotated[
        int | None, typer.Option(min=1, help="Masks of a clip, evenly spaced (default: one for each frame).")
    ] = None,
    side: Annotated[
        int,
        typer.Option(
            min=16, help="Shorter side in pixels of masks, and of the frames that the detector sees."
        ),
    ] = 320,
    skip_bad: SkipBad = False,
    json: Json = None,
    mirror: Mirror = None,
) -> None:
    """Find regions in every clip and write them as masks, for `bgs attention --masks OUT`.

    Clips in which nothing is found get empty masks, and are counted. An interrupted command continues where it was; other
    masks in OUT are never replaced.
    """
    from bgs._progress import note
    from bgs.api.masks import detect_regions
    from bgs.datasets import load_dataset
    from bgs.views.masks import masks_view

    output = Output(json)
    dataset = load_dataset(data, mirror=mirror)
    note(*dataset.notes)
    found = detect_regions(dataset, detector, out, models=models, frames=frames, side=side, skip_bad=skip_bad)
    output.show(masks_view(found.summary))
    output.write(found.to_json())
    output.say(f"{len(found.summary.masks)} files → {out / 'masks'}")
