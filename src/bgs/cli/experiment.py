"""`bgs experiment`: train and compare a grid of models, conditions and seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bgs.cli._options import (
    DropDuplicates,
    ExcludeFlagged,
    Json,
    Mirror,
    Overrides,
    RtKind,
    RtUnit,
    overrides,
)
from bgs.cli._output import Output

EXAMPLE = "Example: bgs experiment configs/paper-text-minilm.yaml --out experiments/minilm --plan"


def experiment(
    config: Annotated[Path, typer.Argument(help="YAML configuration; see configs/paper-*.yaml.")],
    out: Annotated[Path, typer.Option(help="Folder of the experiment; resumes an interrupted one.")],
    plan: Annotated[
        bool,
        typer.Option("--plan", help="Print the cells and the estimated time and disk space; write nothing."),
    ] = False,
    set_: Overrides = None,
    drop_duplicates: DropDuplicates = False,
    exclude_flagged: ExcludeFlagged = False,
    rt_unit: RtUnit = None,
    rt_kind: RtKind = None,
    json: Json = None,
    mirror: Mirror = None,
    report: Annotated[
        bool,
        typer.Option(
            "--report/--no-report", help="Write report.html at the end (or later, with `bgs report`)."
        ),
    ] = True,
    launcher: Annotated[
        str | None,
        typer.Option(
            help="Run cells side by side, each in a process of its own: local, or submitit (jobs of Slurm). By default "
            "they run in turn in this process, to the same results."
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(help="How many cells at once.", show_default="2 with local, all with submitit"),
    ] = None,
    slurm: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="A parameter of the jobs: partition, account, timeout_min, mem_gb, cpus_per_task …",
        ),
    ] = None,
) -> None:
    """Train models under every condition and seed, compare them, and write a report.

    Running it again resumes the experiment: finished cells are kept and failed ones retried. Exit code 1: a cell
    or an analysis failed.
    """
    from bgs.runs.quiet import quiet_libraries

    quiet_libraries()
    output = Output(json)
    from bgs._config import override
    from bgs.api.experiments import experiment as done
    from bgs.cli._failures import print_failures
    from bgs.experiments.config import load_experiment
    from bgs.experiments.plan import plan_experiment
    from bgs.views.experiment import plan_view, table_view

    asked = [
        *(set_ or ()),
        *overrides("training.judgments", rt_unit, rt_kind, drop_duplicates, exclude_flagged),
    ]
    if plan:
        planned = plan_experiment(load_experiment(config, asked), out, mirror=mirror)
        output.show(plan_view(planned))
        output.write(planned.to_json())
        return
    parameters: dict[str, Any] = {}
    for text in slurm or ():
        parameters = override(parameters, text, "--slurm")
    found = done(
        config, out=out, overrides=asked, report=report, mirror=mirror,
        launcher=launcher, jobs=jobs, slurm=parameters,
    )  # fmt: skip
    output.show(table_view(found.table, found.centred))
    output.say(f"Experiment: {out}. Table: {out / 'results.json'}")
    if report:
        output.say(f"Report: {found.report}")
    output.write({**found.table.to_json(), "failed": dict(found.failed)})
    if found.failed:
        print_failures(found.failed, out)
        raise typer.Exit(1)
