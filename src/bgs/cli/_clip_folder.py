"""`bgs simulate clips`: film simulated social clips into a new data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CLIPS_EXAMPLE = "Example: bgs simulate clips world/ --clips 240 --style discs --seed 1"


def clips(
    folder: Annotated[Path, typer.Argument(help="Folder to write; new or empty.")],
    clips: Annotated[int, typer.Option(help="Number of clips, spread evenly over behaviours.")] = 240,
    style: Annotated[
        str, typer.Option(help="discs (for training), triangles, patterned or point-light (held out).")
    ] = "discs",
    behaviour: Annotated[
        list[str] | None,
        typer.Option(help="Only this behaviour; may be given again. All fourteen if not given."),
    ] = None,
    test_share: Annotated[float, typer.Option(help="Share of the clips that are held out.")] = 0.25,
    size: Annotated[int, typer.Option(help="Pixels a side.")] = 128,
    seed: Annotated[int, typer.Option(min=0, help="Seed: everything depends on it.")] = 0,
) -> None:
    """Film SIMULATED social clips: videos, masks, trajectories, captions and the social latents behind them."""
    from bgs.experiment.progress import progress_bar
    from bgs.simulation.clip_folder import ClipSettings

    settings = ClipSettings(clips, style, tuple(behaviour or ()), test_share, size, seed)
    with progress_bar() as bar:
        task = bar.add_task("filming", total=clips)
        make_clips(folder, settings, lambda done: bar.advance(task, done))
    typer.echo(f"{folder}: {clips} simulated clips. Next: bgs simulate judgments {folder}")


def make_clips(folder: Path, settings: object, progress: object = None) -> None:
    """Clips and the tables of a data set that is marked as simulated."""
    from bgs.datasets import Dataset, write_folder
    from bgs.simulation.clip_folder import write_clips

    stimuli = write_clips(folder, settings, progress)  # type: ignore[arg-type]
    citation = "SIMULATED clips; nobody filmed, and nobody was filmed"
    write_folder(Dataset(folder.name, stimuli, None, {}, "simulated", citation), folder)
