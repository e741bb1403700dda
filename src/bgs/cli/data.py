"""`bgs data`: list, fetch, audit and show data sets; plant a simulated one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bgs.cli._trial_options import RtKind, RtUnit, trial_options

if TYPE_CHECKING:
    from bgs.datasets import Dataset
    from bgs.judgments import TrialOptions

app = typer.Typer(
    help="List, fetch, audit and show data sets.",
    epilog="Example: bgs data audit garcia-isik-2025",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[
    str, typer.Argument(help="A registered name (see `bgs data list`) or a folder with stimuli.csv.")
]
Mirror = Annotated[
    Path | None,
    typer.Option(
        help="Folder with <owner>/<repo>/<commit>/<path> below it; no network then. [env: BGS_DATA_MIRROR]"
    ),
]


def _load(
    name: str, mirror: Path | None, ratings: Path | None = None, options: TrialOptions | None = None
) -> Dataset:
    """A data set, saying how its tables were understood."""
    from bgs._progress import note
    from bgs.datasets import load_dataset
    from bgs.judgments import AS_IT_STANDS
    from bgs.views.console import download_progress

    with download_progress() as progress:
        dataset = load_dataset(
            name, mirror=mirror, progress=progress, ratings=ratings, options=options or AS_IT_STANDS
        )
    note(*dataset.notes)
    return dataset


@app.command(
    "list",
    epilog="Example: bgs data list",
    short_help="List the public data sets that can be fetched by name.",
)
def list_datasets() -> None:
    """List the public data sets that can be fetched by name."""
    from bgs.datasets import REGISTRY
    from bgs.datasets.download import is_fetched
    from bgs.views.console import bytes_text, console, table

    rows = [
        (
            card.name,
            f"{card.stimuli:,}",
            f"{card.trials:,}" if card.trials else "–",
            bytes_text(card.size),
            "yes" if is_fetched(card) else "no",
            card.licence,
        )
        for card in REGISTRY.values()
    ]
    header = ("name", "stimuli", "trials", "size", "fetched", "licence")
    console().print(table("Data sets", header, rows, numbers=(1, 2, 3)))
    console().print(
        "A folder with stimuli.csv (and trials.csv) is a data set too: give its path as the name."
    )


@app.command(
    "fetch",
    epilog="Example: bgs data fetch phase-genset --ratings ratings.csv",
    short_help="Fetch a data set from its authors, and verify it.",
)
def fetch_dataset(
    name: Annotated[str, typer.Argument(help="A registered name; see `bgs data list`.")],
    mirror: Mirror = None,
    clips: Annotated[bool, typer.Option(help="phase-genset: draw its clips.")] = True,
    out: Annotated[
        Path | None,
        typer.Option(help="phase-genset: folder for the clips and stimuli.csv, a data set itself."),
    ] = None,
    ratings: Annotated[
        Path | None, typer.Option(help="phase-genset: table of how many people chose what.")
    ] = None,
    size: Annotated[int, typer.Option(help="phase-genset: pixels along each side of a clip.")] = 256,
    fps: Annotated[int, typer.Option(help="phase-genset: frames a second.")] = 12,
) -> None:
    """Fetch a data set's files from its authors, verify them, and say under what terms they come."""
    from bgs._files import require_output
    from bgs._optional import require
    from bgs.cli._clips import draw_clips
    from bgs.datasets import find_card
    from bgs.datasets.download import fetch
    from bgs.stimuli.encoding import check_rate, check_side
    from bgs.views.console import bytes_text, console, download_progress, facts

    card = find_card(name)
    if clips and name == "phase-genset":
        require("av", "video")
        if out is not None:
            require_output(out / "stimuli.csv")
    check_side(size)
    check_rate(fps)
    with download_progress() as progress:
        folder = fetch(card, mirror, progress)
    rows = [
        ("files", f"{len(card.files)} files, {bytes_text(card.size)}, SHA-256 verified"),
        ("source", card.source),
        ("folder", folder),
        ("licence", card.licence),
        ("please cite", card.citation),
    ]
    if clips and name == "phase-genset":
        rows.insert(3, ("clips", draw_clips(folder, out, ratings, size, fps)))
    console().print(facts(card.name, rows))


@app.command(
    "link",
    epilog="Example: bgs data link garcia-isik-2025 --videos Moments_in_Time/",
    short_help="Find the clips of a data set in a folder.",
)
def link(
    name: Annotated[str, typer.Argument(help="A registered name; see `bgs data list`.")],
    videos: Annotated[Path, typer.Option(help="Folder to search, with every folder below it.")],
    json: Annotated[Path | None, typer.Option(help="Also write what was found and missing as JSON.")] = None,
    mirror: Mirror = None,
) -> None:
    """Search a folder for the clips of a data set, and remember where they lie."""
    from bgs._files import require_output
    from bgs.cli._clips import find_clips, print_search
    from bgs.datasets import find_card

    if json is not None:
        require_output(json)
    card = find_card(name)
    found = find_clips(card, _load(name, mirror).stimuli, videos, json)
    print_search(card, found, videos)


@app.command(
    "audit",
    epilog="Example: bgs data audit garcia-isik-2025 --json audit.json",
    short_help="Audit the trials of a data set.",
)
def audit(
    name: Name,
    json: Annotated[
        Path | None, typer.Option(help="Also write everything, per participant too, as JSON.")
    ] = None,
    rt_unit: RtUnit = None,
    rt_kind: RtKind = None,
    mirror: Mirror = None,
) -> None:
    """Audit a data set's trials: attention checks, duplicates, response times, coverage, agreement, leakage, published files."""
    from bgs._files import require_output, write_json
    from bgs.api.auditing import audit as audited
    from bgs.views.audit import audit_view
    from bgs.views.console import console

    if json is not None:
        require_output(json)
    dataset = _load(name, mirror, options=trial_options(rt_unit, rt_kind))
    found = audited(dataset)
    console().print(audit_view(found.dataset, found.found))
    if json is not None:
        write_json(json, found.to_json())


@app.command(
    "show",
    epilog="Example: bgs data show garcia-isik-2025 --first 3",
    short_help="Show what a data set holds.",
)
def show(
    name: Name,
    first: Annotated[int, typer.Option(min=0, help="How many stimuli and trials to show.")] = 5,
    ratings: Annotated[
        Path | None, typer.Option(help="phase-genset only: table of how many people chose what.")
    ] = None,
    rt_unit: RtUnit = None,
    rt_kind: RtKind = None,
    mirror: Mirror = None,
) -> None:
    """Show a data set: its first stimuli and trials, ratings, licence and citation."""
    from bgs.views.console import console
    from bgs.views.dataset import dataset_view

    dataset = _load(name, mirror, ratings, trial_options(rt_unit, rt_kind))
    console().print(dataset_view(dataset, first))


@app.command(
    "plant",
    epilog="Example: bgs data plant planted/ --seed 1",
    short_help="Write a SIMULATED data set with a known geometry.",
)
def plant(
    folder: Annotated[Path, typer.Argument(help="Folder to write stimuli.csv and trials.csv to.")],
    clips: Annotated[int, typer.Option(help="Number of simulated clips.")] = 120,
    trials: Annotated[int, typer.Option(help="Number of simulated trials.")] = 4000,
    seed: Annotated[int, typer.Option(help="Seed.")] = 0,
) -> None:
    """Write a SIMULATED data set: captions and observers with a planted geometry, for trying things out."""
    from bgs._errors import DataError
    from bgs._files import require_output
    from bgs.datasets import Dataset, load_dataset, write_folder
    from bgs.simulation import planted_dataset

    require_output(folder / "stimuli.csv")
    if (folder / "stimuli.csv").exists() and not load_dataset(folder).simulated:
        raise DataError("holds a data set that is not simulated", where=folder, expected="a new folder")
    stimuli, judged = planted_dataset(n_clips=clips, n_trials=trials, seed=seed)
    citation = "SIMULATED scenes and SIMULATED observers; no person judged anything"
    write_folder(
        Dataset(stimuli, judged, simulated=True, name=folder.name, licence="simulated", citation=citation),
        folder,
    )
    typer.echo(f"{folder}: {len(stimuli)} simulated clips, {len(judged):,} simulated trials")
