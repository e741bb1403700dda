"""`bgs collect`: serve a study, look at its progress, export its answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bgs.cli._options import Json
from bgs.cli._output import Output
from bgs.cli.practice import JudgmentsOption, ModelOption

app = typer.Typer(
    help="Collect odd-one-out judgments in browsers.",
    epilog="Example: bgs collect serve my-study",
    no_args_is_help=True,
)

StudyPath = Annotated[
    Path, typer.Argument(help="Study folder: stimuli.csv, schedule.csv (bgs design), study.yaml, clips.")
]
DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database", envvar="BGS_DATABASE",
        help="Address of the database, e.g. postgresql+psycopg://user@host/name (default: study.sqlite in the folder).",
    ),
]  # fmt: skip
Source = Annotated[str, typer.Option(help="How the participant came: prolific, link or simulated.")]


@app.command(epilog="Example: bgs collect serve my-study --port 8000", short_help="Serve a study.")
def serve(
    study: StudyPath,
    host: Annotated[str, typer.Option(help="Interface to listen on; 0.0.0.0 for all of them.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    database: DatabaseOption = None,
    practice: Annotated[
        bool,
        typer.Option("--practice", help="Offer practice mode, too, with published judgments or a model."),
    ] = False,
    judgments: JudgmentsOption = None,
    model: ModelOption = None,
) -> None:
    """Serve a study until interrupted; started again, it goes on where it was.

    With --practice, the last page leads to practice mode. It shows trials.csv in the folder, --judgments or --model, never the
    answers that are being collected.
    """
    from bgs._errors import ConfigError
    from bgs.api.practising import open_practice
    from bgs.collection.serving import StudyServer

    if not practice and (judgments or model):
        raise ConfigError("--judgments and --model are of practice mode", hint="add --practice")
    output = Output()
    shown = open_practice(study, judgments, model) if practice else None
    server = StudyServer(study, host, port, database, shown)
    output.say(f"serving {study} at {server.about.address} (preview: {server.about.address}?preview=1)")
    if practice:
        output.say(f"practice mode: {server.about.address}practice")
    token = server.about.admin_token
    known = (
        "its token was shown when the study was first served"
        if token is None
        else f"token, shown only now: {token}"
    )
    output.say(f"admin page: {server.about.address}admin · {known}")
    server.run()


@app.command(epilog="Example: bgs collect demo demo-study", short_help="Serve a study of simulated clips.")
def demo(
    folder: Annotated[Path, typer.Argument(help="Folder for the study: new, or of an earlier demo.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    clips: Annotated[int, typer.Option(min=16, help="Number of SIMULATED clips.")] = 24,
) -> None:
    """Film SIMULATED clips, design a schedule, and serve the study at once, to see what participants see."""
    from bgs.api.collecting import demo_study

    demo_study(folder, clips)
    serve(folder, port=port)


@app.command(
    epilog="Example: bgs collect prepare my-study", short_help="Convert clips that browsers do not play."
)
def prepare(study: StudyPath) -> None:
    """Write copies of the clips that browsers do not play, and name them in stimuli.csv; originals stay."""
    from bgs.api.collecting import Study

    made = Study(study).prepare()
    Output().say(f"{len(made):,} clips converted" if made else "browsers play every clip")


class Target(StrEnum):
    """Where a bundle runs."""

    jatos = "jatos"
    static = "static"


@app.command(
    epilog="Example: bgs collect bundle my-study --for static --datapipe AbC123 --out my-bundle",
    short_help="Write a study that needs no server.",
)
def bundle(
    study: StudyPath,
    target: Annotated[
        Target, typer.Option("--for", help="A JATOS server, or any web host (https) that serves files.")
    ],
    out: Annotated[Path, typer.Option(help="Folder to write: new or empty.")],
    datapipe: Annotated[
        str | None,
        typer.Option(
            help="Id of an experiment of DataPipe, which then saves the answers (default: download)."
        ),
    ] = None,
    save_every: Annotated[
        int | None, typer.Option(min=1, help="Answers in a file of DataPipe (default: a block).")
    ] = None,
    conditions: Annotated[
        bool, typer.Option(help="Take blocks in turn by DataPipe's condition assignment, not at random.")
    ] = False,
) -> None:
    """Write a study as a folder that runs without our server, on JATOS or any web host; see docs/collect.md."""
    from bgs._errors import ConfigError
    from bgs.api.collecting import Study
    from bgs.collection.bundling import DataPipe

    if datapipe is None and (save_every is not None or conditions):
        raise ConfigError(
            "--save-every and --conditions are settings of DataPipe", expected="--datapipe, too"
        )
    pipe = None if datapipe is None else DataPipe(datapipe, save_every, conditions)
    made = Study(study).bundle(out, target.value, pipe)
    output = Output()
    output.say(f"{made.blocks:,} blocks, {made.clips:,} clips → {made.path} (steps: README.txt)")
    for each in made.notes:
        output.say(f"note: {each}")


@app.command(epilog="Example: bgs collect status my-study", short_help="Show how far a study is.")
def status(study: StudyPath, database: DatabaseOption = None, json: Json = None) -> None:
    """Show how far a study is: blocks, answers, participants, pairs of clips seen."""
    from bgs.api.collecting import Study
    from bgs.views.collection import progress_view

    output = Output(json)
    found = Study(study, database).progress()
    output.show(progress_view(found))
    output.write(found.to_json())


@app.command(
    epilog="Example: bgs collect export my-study --out trials.csv", short_help="Write the trial table."
)
def export(
    study: StudyPath,
    out: Annotated[Path, typer.Option(help="Trial table to write: .csv or .parquet.")],
    with_excluded: Annotated[
        bool,
        typer.Option(
            help="Keep excluded participants, and blocks that went to somebody else, marked as such."
        ),
    ] = False,
    rules: Annotated[
        Path | None,
        typer.Option(
            help="YAML file of rules of exclusion (`bgs config init rules`); whoever breaks one is left out."
        ),
    ] = None,
    published: Annotated[
        bool, typer.Option("--published", help="Column names of the published table (Garcia & Isik).")
    ] = False,
    database: DatabaseOption = None,
    json: Json = None,
) -> None:
    """Write the answers as a trial table that `bgs train` reads."""
    from bgs._files import require_output
    from bgs._numbers import counted
    from bgs.api.collecting import Study

    output = Output(json)
    require_output(out, (".csv", ".parquet"))
    found = Study(study, database).export(out, with_excluded, rules=rules, published=published)
    if rules is not None:
        done = "marked" if with_excluded else "left out"
        output.say(f"{counted(len(found.flagged), 'participant')} {done} by {rules}")
    for rule, why in found.untested.items():
        output.say(f"Note: {rule} not applied: {why}.")
    if found.simulated:
        output.say(f"Note: of SIMULATED observers (column source): {counted(found.simulated, 'answer')}.")
    if found.marked:
        output.say(
            f"Note: marked in the column excluded, and left out by who reads the table: {counted(found.marked, 'answer')}."
        )
    output.say(f"{found.answers:,} answers → {out}")
    output.write(asdict(found))


@app.command(
    epilog="Example: bgs collect exclude my-study 5f1e0c --reason 'answered at random'",
    short_help="Exclude a participant.",
)
def exclude(
    study: StudyPath,
    participant: Annotated[str, typer.Argument(help="The name by which they came, e.g. their PROLIFIC_PID.")],
    reason: Annotated[str, typer.Option(help="Recorded, and written into exports.")],
    source: Source = "prolific",
    database: DatabaseOption = None,
) -> None:
    """Exclude a participant: answers are kept and marked, and the block goes to somebody else."""
    from bgs.api.collecting import Study

    Study(study, database).exclude(participant, reason, source)
    Output().say("excluded")


@app.command(
    epilog="Example: bgs collect erase my-study 5f1e0c", short_help="Erase a participant on request."
)
def erase(
    study: StudyPath,
    participant: Annotated[str, typer.Argument(help="The name by which they came.")],
    source: Source = "prolific",
    database: DatabaseOption = None,
) -> None:
    """Erase a participant and all of their answers, on their request. Tables exported before are not changed."""
    from bgs.api.collecting import Study

    Output().say(f"{Study(study, database).erase(participant, source):,} answers erased")


@app.command(
    epilog="Example: bgs collect simulate my-study http://127.0.0.1:8000 --participants 20",
    short_help="Let simulated observers take part.",
)
def simulate(
    study: StudyPath,
    address: Annotated[str, typer.Argument(help="Where the study is served.")],
    participants: Annotated[int, typer.Option(min=1, help="How many simulated observers come.")] = 10,
    geometry: Annotated[
        Path | None,
        typer.Option(help="Embeddings that they see (default: random positions in three dimensions)."),
    ] = None,
    temperature: Annotated[
        float, typer.Option(min=1e-6, help="Of their choices, in distances of the geometry.")
    ] = 0.3,
    at_once: Annotated[int, typer.Option(min=1, help="How many take part at the same time.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Random seed.")] = 0,
    database: DatabaseOption = None,
    json: Json = None,
) -> None:
    """Let SIMULATED observers take part over HTTP, to try a study before people do. Exports mark their answers."""
    from bgs._errors import BgsError
    from bgs.api.collecting import Study, acknowledged_times
    from bgs.embeddings import Embeddings

    output = Output(json)
    seen = None if geometry is None else Embeddings.load(geometry)
    ledger = Study(study, database).simulate(
        address, participants, seen, temperature=temperature, at_once=at_once, seed=seed
    )
    output.write({"completed": len(ledger.codes), "answers": len(ledger.answers), "refused": ledger.refused})
    refused = ", ".join(f"{count:,} {why}" for why, count in Counter(ledger.refused.values()).items())
    if not ledger.answers:
        raise BgsError(
            "nobody answered a trial", where=address, got=f"refused: {refused}" if refused else None
        )
    median, most = acknowledged_times(ledger)
    output.say(
        f"SIMULATED: {len(ledger.codes):,} of {participants:,} completed a block, {len(ledger.answers):,} answers "
        f"acknowledged, {median:.0f} ms each (median; 95 % within {most:.0f} ms)"
    )
    if refused:
        output.say(f"refused: {refused}")
