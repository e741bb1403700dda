"""`bgs train`: from a configuration to a run folder with an adapter and its evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bgs.cli._trial_options import DropDuplicates, ExcludeFlagged, RtKind, RtUnit, overrides

EXAMPLE = "Example: bgs train configs/garcia-isik-2025-minilm.yaml --out runs/minilm --set seed=1"


def train(
    config: Annotated[Path, typer.Argument(help="YAML configuration; see configs/.")],
    out: Annotated[Path, typer.Option(help="Run folder to write; an interrupted run in it is resumed.")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Override a key: optimizer.learning_rate=1e-4.")
    ] = None,
    drop_duplicates: DropDuplicates = False,
    exclude_flagged: ExcludeFlagged = False,
    rt_unit: RtUnit = None,
    rt_kind: RtKind = None,
    mirror: Annotated[
        Path | None, typer.Option(help="Folder with a mirror of the authors' repositories.")
    ] = None,
) -> None:
    """Tune an encoder on human judgments; measure base and tuned on held-out clips."""
    from bgs.api.training import Run
    from bgs.api.training import train as trained
    from bgs.runs.quiet import quiet_libraries
    from bgs.views.console import console
    from bgs.views.cross_validation import cross_validation_view
    from bgs.views.evaluation import result_view

    quiet_libraries()
    asked = overrides("judgments", rt_unit, rt_kind, drop_duplicates, exclude_flagged)
    found = trained(out=out, config=config, overrides=[*(set_ or ()), *asked], mirror=mirror)
    if not isinstance(found, Run):
        console().print(cross_validation_view(found))
        return
    for result in found.evaluation.results:
        console().print(result_view(result, names=found.evaluation.names))
    typer.echo(f"Run folder: {out}. Embed with it: bgs embed --model run:{out} --data … --out …")
