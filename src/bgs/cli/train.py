"""`bgs train`: from a configuration to a run folder with an adapter and its evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bgs.cli._trial_options import DropDuplicates, ExcludeFlagged, RtKind, RtUnit, overrides

if TYPE_CHECKING:
    from bgs.runs.cross_validation import CrossValidation

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
    from bgs.cli.evaluate import print_results
    from bgs.runs.cross_validation import cross_validate
    from bgs.runs.run import run_training
    from bgs.training import load_config

    asked = overrides("judgments", rt_unit, rt_kind, drop_duplicates, exclude_flagged)
    settings = load_config(config, [*(set_ or ()), *asked])
    if settings.cross_validation is not None:
        print_folds(cross_validate(settings, out, resume=resume, mirror=mirror))
        return
    for result in run_training(settings, out, resume=resume, mirror=mirror):
        print_results(result, names=("tuned", "base"))
    typer.echo(f"Run folder: {out}. Embed with it: bgs embed --model run:{out} --data … --out …")


def print_folds(result: CrossValidation) -> None:
    """Print the pooled figures and each repeat's mean."""
    from statistics import mean

    from bgs.cli._numbers import number
    from bgs.cli._show import console, table

    out, settings = console(), result.provenance["config"]["cross_validation"]
    rows = [
        (
            name,
            number(metric.value, True),
            f"{number(metric.low, True)} to {number(metric.high, True)}",
            f"{metric.n:,}",
        )
        for name, metric in (
            ("base", result.base),
            ("tuned", result.tuned),
            ("tuned − base", result.difference),
        )
    ]
    title = f"Held-out RSA, Spearman: {settings['folds']} folds × {settings['repeats']} repeats"
    out.print(table(title, ("", "value", "95 % interval", "n"), rows, numbers=(1, 2, 3)))
    for repeat in range(settings["repeats"]):
        own = [fold for fold in result.folds if fold["repeat"] == repeat]
        means = {name: mean(fold[name] for fold in own) for name in ("base", "tuned")}
        out.print(
            f"repeat {repeat}: base {number(means['base'], True)}, tuned {number(means['tuned'], True)}"
        )
    out.print(
        f"Intervals resample {result.provenance['n_clips']} clips; n counts held-out pairs over folds and repeats."
    )
