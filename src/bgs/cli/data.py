"""`bgs data`: list, fetch, link, audit and show data sets; write a simulated one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bgs.cli._options import DatasetArgument, Json, Mirror, Ratings, RtKind, RtUnit, trial_options
from bgs.cli._output import Output

if TYPE_CHECKING:
    from bgs.datasets import Dataset
    from bgs.judgments import TrialOptions

app = typer.Typer(
    help="List, fetch, audit and show data sets.",
    epilog="Example: bgs data audit garcia-isik-2025",
    no_args_is_help=True,
    rich_markup_mode=None,
)

RegisteredName = Annotated[str, typer.Argument(help="A registered name; see `bgs data list`.")]


def _load(
    name: str, mirror: Path | None, ratings: Path | None = None, options: TrialOptions | None = None
) -> Dataset:
    """Load a data set and print how its tables were interpreted."""
    from bgs._progress import note
    from bgs.datasets import load_dataset
    from bgs.judgments import DEFAULT_OPTIONS
    from bgs.views.console import download_progress

    with download_progress() as progress:
        dataset = load_dataset(
            name, mirror=mirror, progress=progress, ratings=ratings, options=options or DEFAULT_OPTIONS
        )
    note(*dataset.notes)
    return dataset


@app.command(
    "list",
    epilog="Example: bgs data list",
    short_help="List the public data sets that can be fetched by name.",
)
def list_datasets(json: Json = None) -> None:
    """List the public data sets that can be fetched by name."""
    from bgs.datasets import REGISTRY
    from bgs.datasets.download import is_fetched
    from bgs.views.console import bytes_text, table

    output = Output(json)
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
    output.show(table("Data sets", header, rows, numbers=(1, 2, 3), names=(0,)))
    output.say("A folder with stimuli.csv (and trials.csv) is also a data set: pass its path.")
    output.write([{**card.to_json(), "fetched": is_fetched(card)} for card in REGISTRY.values()])


@app.command(
    "fetch",
    epilog="Example: bgs data fetch phase-genset --ratings ratings.csv",
    short_help="Download a data set from its authors and verify it.",
)
def fetch_dataset(
    name: RegisteredName,
    json: Json = None,
    mirror: Mirror = None,
    clips: Annotated[
        bool, typer.Option(help="Also obtain the clips: render phase-genset, download heider-simmel-*.")
    ] = True,
    out: Annotated[
        Path | None,
        typer.Option(help="phase-genset: folder for the clips and stimuli.csv; it is itself a data set."),
    ] = None,
    ratings: Ratings = None,
    size: Annotated[int, typer.Option(help="phase-genset: width and height of the clips in pixels.")] = 256,
    fps: Annotated[int, typer.Option(help="phase-genset: frames per second.")] = 12,
) -> None:
    """Download a data set's files from its authors, verify them, and print their terms of use."""
    from bgs._files import require_output
    from bgs._optional import require
    from bgs.datasets import find_card
    from bgs.datasets.download import fetch
    from bgs.stimuli.encoding import check_rate, check_side
    from bgs.views.console import download_progress
    from bgs.views.dataset import fetched_view

    output, card = Output(json), find_card(name)
    draws = clips and name == "phase-genset"
    if draws:
        require("av", "video")
        if out is not None:
            require_output(out / "stimuli.csv")
    check_side(size)
    check_rate(fps)
    with download_progress() as progress:
        folder = fetch(card, mirror, progress, clips=clips)
    place = folder / card.clip_folder if clips and card.clips else None
    if draws:
        from bgs.api.clips import draw_phase_clips

        place = draw_phase_clips(folder, out, ratings, size=size, fps=fps)
    output.show(fetched_view(card, folder, place))
    output.write({**card.to_json(), "folder": str(folder), "clips": None if place is None else str(place)})


@app.command(
    "link",
    epilog="Example: bgs data link garcia-isik-2025 --videos Moments_in_Time/",
    short_help="Find the clips of a data set in a folder.",
)
def link(
    name: RegisteredName,
    videos: Annotated[Path, typer.Option(help="Folder to search, including all subfolders.")],
    json: Json = None,
    mirror: Mirror = None,
) -> None:
    """Search a folder for the clips of a data set and remember their location."""
    from bgs.datasets import find_card
    from bgs.datasets.links import remember_clips, require_linkable, search_for_clips
    from bgs.views.dataset import search_view

    output, card = Output(json), find_card(name)
    require_linkable(card)
    found = search_for_clips(card, _load(name, mirror).stimuli, videos)
    output.write(found.to_json())
    remember_clips(card, found, videos)
    output.show(search_view(name, found, videos))


@app.command(
    "import",
    epilog="Example: bgs data import results.jrzip --from jatos --out study/",
    short_help="Turn judgments of other programs into your own data.",
)
def import_judgments(
    files: Annotated[list[Path], typer.Argument(help="Files with judgments.")],
    format_: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="FORMAT",
            help="jspsych, jatos, published, meadows, salmon, triplets, table or qualtrics: see docs/importing.md.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the data; may hold stimuli.csv, but no judgments.")],
    ids: Annotated[
        Path | None,
        typer.Option(
            help="Stimulus ids, one a line, for files that number stimuli from 0 (or index,video_name as CSV)."
        ),
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="YAML file that says what the columns of a table mean.")
    ] = None,
    licence: Annotated[str, typer.Option(help="Licence of the data, for a new folder.")] = "your own data",
    simulated: Annotated[
        bool, typer.Option("--simulated", help="Nobody judged anything: mark the data.")
    ] = False,
    json: Json = None,
) -> None:
    """Turn judgments in the format of another program into a folder that every command reads as a data set."""
    from bgs._progress import note
    from bgs.datasets import import_judgments as imported

    output = Output(json)
    dataset = imported(files, format_, out, ids=ids, mapping=mapping, licence=licence, simulated=simulated)
    note(*dataset.notes)
    trials = dataset.trials
    what = "anchored comparisons, in comparisons.csv" if trials is None else f"{len(trials):,} trials"
    output.say(f"{out}: {what}, of {len(dataset.stimuli):,} stimuli")
    output.write(
        {
            "folder": str(out),
            "stimuli": len(dataset.stimuli),
            "trials": None if trials is None else len(trials),
            "notes": list(dataset.notes),
        }
    )


@app.command(
    "audit",
    epilog="Example: bgs data audit garcia-isik-2025 --json audit.json",
    short_help="Audit the trials of a data set.",
)
def audit(
    name: DatasetArgument,
    rules: Annotated[
        Path | None,
        typer.Option(
            help="YAML file of rules of exclusion (`bgs config init rules`); flags are listed, nothing is deleted."
        ),
    ] = None,
    with_excluded: Annotated[
        bool,
        typer.Option("--with-excluded", help="Keep rows that the table itself marks, in a column excluded."),
    ] = False,
    json: Json = None,
    rt_unit: RtUnit = None,
    rt_kind: RtKind = None,
    mirror: Mirror = None,
) -> None:
    """Audit a data set's trials: attention checks, duplicates, response times, coverage, agreement, leakage, published files."""
    from bgs.api.auditing import audit as audited
    from bgs.judgments.quality_rules import read_rules
    from bgs.views.audit import audit_view

    output = Output(json)
    chosen = None if rules is None else read_rules(rules)
    options = replace(trial_options(rt_unit, rt_kind), with_excluded=with_excluded)
    dataset = _load(name, mirror, options=options)
    found = audited(dataset, rules=chosen)
    output.show(audit_view(found.dataset, found.found))
    output.write(found.to_json())


@app.command(
    "show",
    epilog="Example: bgs data show garcia-isik-2025 --first 3",
    short_help="Show the contents of a data set.",
)
def show(
    name: DatasetArgument,
    first: Annotated[int, typer.Option(min=0, help="Number of stimuli and trials to show.")] = 5,
    json: Json = None,
    ratings: Ratings = None,
    rt_unit: RtUnit = None,
    rt_kind: RtKind = None,
    mirror: Mirror = None,
) -> None:
    """Show a data set: its first stimuli and trials, ratings, licence and citation."""
    from bgs.datasets.description import describe_dataset
    from bgs.views.dataset import dataset_view

    output = Output(json)
    dataset = _load(name, mirror, ratings, trial_options(rt_unit, rt_kind))
    output.show(dataset_view(dataset, first))
    output.write(describe_dataset(dataset, first))


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
    """Write a SIMULATED data set: captions, and observers with a known (planted) geometry, for trying things out."""
    from bgs.api.planting import plant as planted

    dataset = planted(folder, clips, trials, seed)
    Output().say(
        f"{folder}: {len(dataset.stimuli)} simulated clips, {len(dataset.need_trials()):,} simulated trials"
    )
