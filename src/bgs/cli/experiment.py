"""`bgs experiment`: a grid of models, conditions and seeds, trained, kept and compared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bgs.cli._trial_options import DropDuplicates, ExcludeFlagged, RtKind, RtUnit, overrides

EXAMPLE = "Example: bgs experiment configs/paper-text-minilm.yaml --out experiments/minilm --plan"


def experiment(
    config: Annotated[Path, typer.Argument(help="YAML configuration; see configs/paper-*.yaml.")],
    out: Annotated[
        Path, typer.Option(help="Folder of the experiment; an interrupted one in it is gone on with.")
    ],
    plan: Annotated[
        bool, typer.Option("--plan", help="Print cells, time and disk it will take; write nothing.")
    ] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Override a key: training.epochs=10.")
    ] = None,
    drop_duplicates: DropDuplicates = False,
    exclude_flagged: ExcludeFlagged = False,
    rt_unit: RtUnit = None,
    rt_kind: RtKind = None,
    mirror: Annotated[
        Path | None, typer.Option(help="Folder with a mirror of the authors' repositories.")
    ] = None,
    report: Annotated[
        bool,
        typer.Option(
            "--report/--no-report", help="Write report.html in the end (`bgs report` does it later)."
        ),
    ] = True,
) -> None:
    """Train models under every condition and seed, compare what became of them, and write a report.

    Finished cells are kept; called again, it goes on where it was and tries failed cells again. Exit code 1: a cell
    or an analysis failed.
    """
    from bgs._optional import require_all
    from bgs.experiment.quiet import quiet_libraries

    quiet_libraries()
    if report and not plan:
        require_all("report", "plot", "analysis", "report")
    from bgs.cli._experiment import print_failures, print_plan, print_table
    from bgs.experiment.config import load_experiment
    from bgs.experiment.grid import run_experiment
    from bgs.experiment.page import write_report
    from bgs.experiment.plan import plan_experiment

    asked = overrides("training.judgments", rt_unit, rt_kind, drop_duplicates, exclude_flagged)
    settings = load_experiment(config, [*(set_ or ()), *asked])
    if plan:
        print_plan(plan_experiment(settings, out, mirror=mirror))
        return
    outcome = run_experiment(settings, out, mirror=mirror)
    print_table(outcome.table, outcome.data.config.evaluation.center)
    typer.echo(f"Experiment: {out}. Table: {out / 'results.json'}")
    if report:
        typer.echo(f"Report: {write_report(outcome.data, outcome.table, outcome.failed)}")
    if outcome.failed:
        print_failures(outcome.failed, out)
        raise typer.Exit(1)
