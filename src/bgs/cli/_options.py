"""Options that several commands share: each with one name, one type and one help."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bgs.judgments import TrialOptions


DataName = Annotated[str, typer.Option("--data", help="Name of a data set (`bgs data list`), or a folder.")]
DatasetArgument = Annotated[
    str, typer.Argument(help="A registered name (see `bgs data list`) or a folder with stimuli.csv.")
]
Mirror = Annotated[
    Path | None,
    typer.Option(
        "--mirror",
        help="Folder with a mirror of the authors' repositories, <owner>/<repo>/<commit>/<path>; no network then. "
        "[env: BGS_DATA_MIRROR]",
    ),
]
Json = Annotated[
    str | None,
    typer.Option(
        "--json",
        metavar="FILE",
        help="Write what is printed as JSON; - is standard output, and prints nothing else.",
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a key of the configuration: seed=1."),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of every random number.")]
Device = Annotated[str, typer.Option("--device", help="cpu, cuda, or auto.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave clips out that cannot be read.")]
OpenReport = Annotated[bool, typer.Option("--open", help="Open the report in a browser.")]
Ratings = Annotated[
    Path | None, typer.Option("--ratings", help="phase-genset: table of how many people chose what.")
]


class Unit(StrEnum):
    """Units of response times."""

    SECONDS = "s"
    MILLISECONDS = "ms"


class Kind(StrEnum):
    """What response times count from."""

    RESPONSE = "response"
    ELAPSED = "elapsed"


RtUnit = Annotated[
    Unit | None, typer.Option(help="Unit of `rt` in the trials.csv of a folder.", show_default="s")
]
RtKind = Annotated[
    Kind | None,
    typer.Option(
        help="What `rt` counts from: the start of the trial, or elapsed since the session began (differences are taken).",
        show_default="response",
    ),
]
DropDuplicates = Annotated[
    bool,
    typer.Option(
        "--drop-duplicates",
        help="Leave out rows copied whole and answers submitted twice (`bgs data audit`).",
    ),
]
ExcludeFlagged = Annotated[
    bool, typer.Option("--exclude-flagged", help="Leave out participants whom `bgs data audit` flags.")
]


def given_options(
    rt_unit: Unit | None, rt_kind: Kind | None, drop_duplicates: bool = False, exclude_flagged: bool = False
) -> dict[str, str | bool]:
    """The options that were given, by the names that Python and configurations call them."""
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
    """The same for :func:`bgs.load_dataset`."""
    from bgs.judgments import TrialOptions

    return TrialOptions(**given_options(rt_unit, rt_kind, drop_duplicates, exclude_flagged))  # type: ignore[arg-type]


def overrides(
    section: str, rt_unit: Unit | None, rt_kind: Kind | None, drop_duplicates: bool, exclude_flagged: bool
) -> list[str]:
    """The same as ``key=value`` for a configuration that has them in a section."""
    given = given_options(rt_unit, rt_kind, drop_duplicates, exclude_flagged)
    return [f"{section}.{name}={str(value).lower()}" for name, value in given.items()]
