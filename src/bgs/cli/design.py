"""`bgs design`: a trial schedule, and a forecast of what it will cost and yield."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bgs.cli._options import Json, Mirror, Seed
from bgs.cli._output import Output

EXAMPLE = "Example: bgs design study/ --per-pair 3 --method covering --hourly 12"


class Method(StrEnum):
    """How triplets are chosen."""

    BALANCED = "balanced"
    COVERING = "covering"
    ADAPTIVE = "adaptive"


class RepeatsIn(StrEnum):
    """Where repeated triplets come from."""

    BLOCK = "block"
    OTHER = "other"


class Split(StrEnum):
    """What keeps train and test clips apart."""

    MIXED = "mixed"
    TRIALS = "trials"
    BLOCKS = "blocks"


def design(
    study: Annotated[
        str | None, typer.Argument(help="Study folder with stimuli.csv (or of videos), or a data set's name.")
    ] = None,
    clips: Annotated[
        int | None, typer.Option(help="Number of clips, in place of a study: plan only.")
    ] = None,
    trials: Annotated[
        int | None, typer.Option(help="Number of trials, including repeats and checks.")
    ] = None,
    per_pair: Annotated[
        int | None,
        typer.Option(
            help="Observations of each pair: the least (covering), or the mean. Without --trials, it sets their number."
        ),
    ] = None,
    method: Annotated[
        Method,
        typer.Option(
            help="balanced: random, every clip equally often. covering: every pair. adaptive: the most informative triplets."
        ),
    ] = Method.BALANCED,
    block_trials: Annotated[
        int, typer.Option(help="Most trials of a participant, including repeats and checks.")
    ] = 60,
    repeats: Annotated[float, typer.Option(help="Proportion of trials that repeat a triplet.")] = 0.0,
    repeats_in: Annotated[
        RepeatsIn, typer.Option(help="Repeat triplets of the same block, or of another.")
    ] = RepeatsIn.BLOCK,
    checks: Annotated[float, typer.Option(help="Proportion of attention checks (one clip twice).")] = 0.05,
    split: Annotated[
        Split,
        typer.Option(
            help="mixed: ignore train and test clips. trials: no trial mixes them. blocks: no participant sees both."
        ),
    ] = Split.MIXED,
    judgments: Annotated[
        str | None,
        typer.Option(help="Data set with judgments that exist already, for forecast and adaptive."),
    ] = None,
    learning_curve: Annotated[
        Path | None,
        typer.Option(help="Experiment with the chapter learning_curve: what judgments gave a real encoder."),
    ] = None,
    embeddings: Annotated[
        Path | None, typer.Option(help="adaptive: positions of the clips, from `bgs ordinal`.")
    ] = None,
    random_share: Annotated[float, typer.Option(help="adaptive: proportion of random triplets.")] = 0.25,
    seconds: Annotated[float, typer.Option(help="Mean seconds per trial.")] = 6.0,
    overhead: Annotated[float, typer.Option(help="Minutes for consent, instructions and practice.")] = 3.0,
    hourly: Annotated[float | None, typer.Option(help="Pay per hour, in any currency.")] = None,
    fee: Annotated[float, typer.Option(help="Platform fee as a proportion of the pay.")] = 0.0,
    studies: Annotated[
        int, typer.Option(help="Simulated studies in each world (at least 2); 0: no forecast.")
    ] = 8,
    append: Annotated[
        bool, typer.Option("--append", help="Add blocks to the study's schedule; it may be served already.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for schedule.csv and schedule.json (default: the study folder)."),
    ] = None,
    seed: Seed = 0,
    json: Json = None,
    mirror: Mirror = None,
) -> None:
    """Make a schedule of odd-one-out trials, and forecast what it will cost and yield before anybody is paid.

    Writes schedule.csv and schedule.json to the study folder. The forecast is from SIMULATED people.
    """
    from bgs._errors import ConfigError
    from bgs._files import require_output
    from bgs.api.designing import design as make
    from bgs.collection.design import DesignSettings
    from bgs.collection.forecast import CostSettings
    from bgs.collection.schedule_table import ABOUT, SCHEDULE
    from bgs.views.console import waiting

    output = Output(json)
    which = [one for one in (study, clips) if one is not None]
    if len(which) != 1:
        raise ConfigError("which clips?", expected="a study or --clips", got="both" if which else "neither")
    settings = DesignSettings(
        trials=trials, per_pair=per_pair, method=method.value, block_trials=block_trials, repeats=repeats,
        repeats_in=repeats_in.value, checks=checks, split=split.value, random_share=random_share, seed=seed,
    )  # fmt: skip
    cost = CostSettings(seconds, overhead, hourly, fee)
    folder = Path(study) if out is None and study is not None and Path(study).is_dir() else out
    if folder is not None:
        for name in (SCHEDULE, ABOUT):
            require_output(folder / name)
    with waiting("simulating studies" if studies else "making the schedule"):
        found = make(
            which[0], settings, cost=cost, judgments=judgments, embeddings=embeddings,
            studies=studies, append=append, learning_curve=learning_curve, mirror=mirror,
        )  # fmt: skip
    if folder is not None:
        found.save(folder)
    output.show(*found._views())
    for note in found.notes:
        output.say(f"Note: {note}.")
    output.say(
        "No file written (--out FOLDER)."
        if folder is None
        else f"{len(found.schedule):,} trials{' added' if append else ''} → {folder / SCHEDULE}"
    )
    output.write(found.to_json())
