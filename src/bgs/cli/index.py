"""`bgs index`: the vectors of every video in a folder, kept up to date, to find clips alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bgs.cli._options import Cut, Device, Json, SkipBad, Whole, Window
from bgs.cli._output import Output

EXAMPLE = "Example: bgs index clips/ --model tiny:videomae --out library/"


def index(
    folder: Annotated[Path, typer.Argument(help="Folder with videos; subfolders are included.")],
    model: Annotated[str, typer.Option(help="A video model (`bgs models list`), or run:<run folder>.")],
    out: Annotated[
        str,
        typer.Option(
            help="Folder of the index, new or to be brought up to date; or a URI such as s3://bucket/library."
        ),
    ],
    cut: Cut = "shots",
    whole: Whole = 10.0,
    window: Window = 3.0,
    skip_bad: SkipBad = False,
    micro_batch: Annotated[int, typer.Option(min=1, help="Clips per forward pass.")] = 64,
    precision: Annotated[
        str, typer.Option(help="fp32, bf16, or auto: bf16 on CUDA devices that support it.")
    ] = "auto",
    device: Device = "auto",
    json: Json = None,
) -> None:
    """Index a folder of videos, or bring its index up to date.

    Files are known by content: only new and changed ones are embedded; moved and deleted ones take no time. A run that was
    killed goes on where it was. Needs the extra `library`.
    """
    output = Output(json)
    from bgs._errors import DataError
    from bgs._optional import require_all
    from bgs.library.cutting import Cutting

    require_all("library", "library")
    cutting = Cutting(cut, whole, window)
    if not folder.is_dir():
        raise DataError("no such folder", where=folder)
    from bgs.library.indexing import PartlyIndexed, index_folder
    from bgs.runs.opened_model import open_model
    from bgs.views.library import indexed_view

    opened = open_model(model, device, precision)
    try:
        found = index_folder(folder, opened, out, cutting, micro_batch=micro_batch, skip_bad=skip_bad)
    except PartlyIndexed as error:
        output.show(indexed_view(error.indexed))
        raise
    output.show(indexed_view(found))
    output.say(f"Next: bgs similar CLIP --index {out}")
    output.write(found.as_json())
