"""Options shared by several commands, so that name, type and help are the same everywhere."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bgs.judgments import TrialOptions


DataName = Annotated[str, typer.Option("--data", help="Name of a data set (`bgs data list`), or a folder.")]
ClipData = Annotated[
    str,
    typer.Option(
        "--data", help="Name of a data set (`bgs data list`), or a folder with stimuli.csv or of videos."
    ),
]
DatasetArgument = Annotated[
    str, typer.Argument(help="A registered name (see `bgs data list`) or a folder with stimuli.csv.")
]
Mirror = Annotated[
    Path | None,
    typer.Option(
        "--mirror",
        help="Folder with a mirror of the authors' repositories, <owner>/<repo>/<commit>/<path>; avoids the network. "
        "[env: BGS_DATA_MIRROR]",
    ),
]
Json = Annotated[
    str | None,
    typer.Option(
        "--json",
        metavar="FILE",
        help="Write the result as JSON to this file; - writes it to standard output and prints nothing else.",
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a configuration key, e.g. seed=1."),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Random seed.")]
Device = Annotated[str, typer.Option("--device", help="cpu, cuda, or auto.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Skip clips that cannot be read.")]
Cut = Annotated[
    str,
    typer.Option("--cut", help="How long videos are cut: shots, windows, or none (every file is one clip)."),
]
Whole = Annotated[float, typer.Option("--whole", help="Seconds up to which a file, and a shot, stays whole.")]
Window = Annotated[float, typer.Option("--window", help="Length of a window in seconds, about.")]
OpenReport = Annotated[bool, typer.Option("--open", help="Open the report in a browser.")]
Ratings = Annotated[
    Path | None,
    typer.Option("--ratings", help="phase-genset: table with the number of people who chose each answer."),
]


class Unit(StrEnum):
    """Units of response times."""

    SECONDS = "s"
    MILLISECONDS = "ms"


class Kind(StrEnum):
    """The zero point of response times."""

    RESPONSE = "response"
    ELAPSED = "elapsed"


RtUnit = Annotated[
    Unit | None, typer.Option(help="Unit of `rt` in the trials.csv of a folder.", show_default="s")
]
RtKind = Annotated[
    Kind | None,
    typer.Option(
        help="What `rt` is measured from: the start of the trial, or the start of the session (elapsed; differences are taken).",
        show_default="response",
    ),
]
DropDuplicates = Annotated[
    bool,
    typer.Option(
        "--drop-duplicates",
        help="Drop fully duplicated rows and answers submitted twice (see `bgs data audit`).",
    ),
]
ExcludeFlagged = Annotated[
    bool, typer.Option("--exclude-flagged", help="Exclude participants flagged by `bgs data audit`.")
]


def given_options(
    rt_unit: Unit | None, rt_kind: Kind | None, drop_duplicates: bool = False, exclude_flagged: bool = False
) -> dict[str, str | bool]:
    """The options that were given, under their names in Python and in configurations."""
    given = {
        "rt_unit": rt_unit and rt_unit.value,
        "rt_kind": rt_kind and rt_kind.value,
        "drop_duplicates": drop_duplicates,
        "exclude_flagged": exclude_flagged,
    }
    return {name: value for name, value in given.items() if value}


def trial_options(
    rt_unit: Unit | None, rt_kind: Kind | None, drop_duplicates: bool = False, exclude_flagged: bool = False
) -> TrialOptions:
    """The options as arguments of :func:`bgs.load_dataset`."""
    from bgs.judgments import TrialOptions

    return TrialOptions(**given_options(rt_unit, rt_kind, drop_duplicates, exclude_flagged))  # type: ignore[arg-type]


def overrides(
    section: str, rt_unit: Unit | None, rt_kind: Kind | None, drop_duplicates: bool, exclude_flagged: bool
) -> list[str]:
    """The options as ``key=value`` overrides of a section of a configuration."""
    given = given_options(rt_unit, rt_kind, drop_duplicates, exclude_flagged)
    return [f"{section}.{name}={str(value).lower()}" for name, value in given.items()]
