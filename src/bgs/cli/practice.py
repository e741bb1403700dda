"""`bgs practice`: practise seeing social meaning with the sound off."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bgs.cli._output import Output

EXAMPLE = "Example: bgs practice my-study"

JudgmentsOption = Annotated[
    Path | None,
    typer.Option("--judgments", help="Trial table of these clips (default: trials.csv in the folder)."),
]
ModelOption = Annotated[
    str | None,
    typer.Option("--model", help="Answers triplets that nobody judged, e.g. run:my-run (`bgs models`)."),
]


def practice(
    study: Annotated[Path, typer.Argument(help="Folder with stimuli.csv, clips and judgments.")],
    judgments: JudgmentsOption = None,
    model: ModelOption = None,
    temperature: Annotated[
        float | None,
        typer.Option(
            help="--model: of the softmax over cosine distances that gives probabilities [default: 0.1]."
        ),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
) -> None:
    """Practise: choose the odd one out, place clips on scales, and see what others saw. Stores nothing.

    Served on this machine only, until interrupted. Without trials.csv or --judgments, answers in the study's own database
    (study.sqlite) are shown.
    """
    from bgs._errors import ConfigError
    from bgs.api.collecting import Study
    from bgs.collection.practice import TEMPERATURE

    if temperature is not None and model is None:
        raise ConfigError("--temperature is of --model", expected="both, or neither")
    server = Study(study).practice_server(
        judgments, model, temperature=TEMPERATURE if temperature is None else temperature, port=port
    )
    Output().say(f"practice with {study} at {server.address}")
    server.run()
