"""`bgs similar`: the indexed clips that are most like one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bgs.cli._options import Device, Json
from bgs.cli._output import Output

if TYPE_CHECKING:
    from bgs.runs.opened_model import OpenedModel

EXAMPLE = "Example: bgs similar clips/hug.mp4 --index library/"


def similar(
    clip: Annotated[str, typer.Argument(help="Id of an indexed clip, or a file, indexed or not.")],
    index: Annotated[str, typer.Option(help="Folder or URI of an index (`bgs index`).")],
    k: Annotated[int, typer.Option("-k", min=1, help="How many clips.")] = 10,
    device: Device = "auto",
    json: Json = None,
) -> None:
    """Find the indexed clips that are most like one: cosine distance by the model of the index, 0 to 2.

    The clip itself is left out, and so are the pieces of a file that was cut. With a calibrated model, also the share of
    people who would keep the two clips together, if the third were any other (by chance 33 %). The model is opened only for
    a file whose content is not indexed.
    """
    output = Output(json)
    from bgs.library import open_index
    from bgs.library.searching import similar as search
    from bgs.views.library import similar_view

    opened = open_index(index)

    def model() -> OpenedModel:
        from bgs.runs.opened_model import open_model

        return open_model(opened.model_reference, device)

    found = search(clip, opened, k, model)
    output.show(similar_view(clip, opened, found))
    output.write(
        {
            "clip": clip,
            "model": opened.model_reference,
            "similar": [
                {"id": one.id, "distance": one.distance}
                | ({} if one.kept_together is None else {"kept_together": one.kept_together})
                for one in found
            ],
        }
    )
