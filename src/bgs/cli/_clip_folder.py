"""`bgs simulate clips`: render simulated social clips into a new data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bgs.cli._options import Seed
from bgs.cli._output import Output

CLIPS_EXAMPLE = "Example: bgs simulate clips world/ --clips 240 --style discs --seed 1"


def clips(
    folder: Annotated[Path, typer.Argument(help="Folder to write; new or empty.")],
    clips: Annotated[int, typer.Option(help="Number of clips, divided evenly among behaviours.")] = 240,
    style: Annotated[
        str, typer.Option(help="discs (for training), triangles, patterned or point-light (held out).")
    ] = "discs",
    behaviour: Annotated[
        list[str] | None,
        typer.Option(help="Render only this behaviour; repeatable (default: all fourteen)."),
    ] = None,
    test_share: Annotated[float, typer.Option(help="Proportion of clips held out for testing.")] = 0.25,
    size: Annotated[int, typer.Option(help="Width and height in pixels.")] = 128,
    seed: Seed = 0,
) -> None:
    """Render SIMULATED social clips: videos, masks, trajectories, captions and their latent social variables."""
    from bgs._files import require_new_folder
    from bgs.experiments.simulated import film_world
    from bgs.simulation.clip_folder import ClipSettings

    settings = ClipSettings(clips, style, tuple(behaviour or ()), test_share, size, seed)
    require_new_folder(folder)
    film_world(settings, folder)
    Output().say(f"{folder}: {clips} simulated clips. Next: bgs simulate judgments {folder}")
