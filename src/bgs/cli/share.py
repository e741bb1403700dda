"""`bgs share`: a tuned model as a folder that others can load, or on the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bgs.cli._options import Json, Mirror
from bgs.cli._output import Output

EXAMPLE = "Example: bgs share runs/minilm --out shared/minilm --licence cc-by-4.0"


def share(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    out: Annotated[Path, typer.Option(help="Folder to write; new or empty.")],
    push: Annotated[
        str | None,
        typer.Option(metavar="OWNER/NAME", help="Also upload it to this repository of the Hugging Face hub."),
    ] = None,
    licence: Annotated[
        str, typer.Option(help="Licence of the adapter, as the hub abbreviates it: mit, cc-by-nc-4.0.")
    ] = "unknown",
    about: Annotated[
        Path | None, typer.Option(help="Markdown file with your own words, for the model card.")
    ] = None,
    private: Annotated[bool, typer.Option("--private", help="Make a new repository private.")] = False,
    json: Json = None,
    mirror: Mirror = None,
) -> None:
    """Share a tuned model: what was trained, how well it does, and a model card written from what was measured.

    The folder has the format of the Hugging Face hub. It holds no clips and no judgments.
    """
    from bgs.api.sharing import share as shared
    from bgs.runs.quiet import quiet_libraries

    quiet_libraries()
    output = Output(json)
    found = shared(run, out, push=push, licence=licence, about=about, private=private, mirror=mirror)
    output.show(*found._views())
    output.write(found.to_json())
