"""`bgs train`: from a configuration to a run folder with an adapter and its evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bgs.cli._trial_options import DropDuplicates, ExcludeFlagged, RtKind, RtUnit, overrides

EXAMPLE = "Example: bgs train configs/garcia-isik-2025-minilm.yaml --out runs/minilm --set seed=1"


def train(
    config: Annotated[Path, typer.Argument(help="YAML configuration; see configs/.")],
    out: Annotated[Path, typer.Option(help="Run folder to write; must be new unless --resume.")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Override a key: optimizer.learning_rate=1e-4.")
    ] = None,
    drop_duplicates: DropDuplicates = False,
    exclude_flagged: ExcludeFlagged = False,
    rt_unit: RtUnit = None,
    rt_kind: RtKind = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was interrupted.")] = False,
    mirror: Annotated[
        Path | None, typer.Option(help="Folder with a mirror of the authors' repositories.")
    ] = None,
) -> None:
    """Tune an encoder on human judgments; measure base and tuned on held-out clips."""
    from bgs.runs.quiet import quiet_libraries

    quiet_libraries()
    from bgs.runs.cross_validation import cross_validate
    from bgs.runs.run import run_training
    from bgs.training import load_config
    from bgs.views.console import console
    from bgs.views.cross_validation import cross_validation_view
    from bgs.views.evaluation import result_view

    asked = overrides("judgments", rt_unit, rt_kind, drop_duplicates, exclude_flagged)
    settings = load_config(config, [*(set_ or ()), *asked])
    if settings.cross_validation is not None:
        console().print(cross_validation_view(cross_validate(settings, out, resume=resume, mirror=mirror)))
        return
    for result in run_training(settings, out, resume=resume, mirror=mirror):
        console().print(result_view(result, names=("tuned", "base")))
    typer.echo(f"Run folder: {out}. Embed with it: bgs embed --model run:{out} --data … --out …")
