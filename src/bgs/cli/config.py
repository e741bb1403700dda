"""`bgs config`: print a configuration template, or a configuration with all values resolved."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bgs.cli._options import Overrides

app = typer.Typer(
    help="Print a commented template, or a resolved configuration.",
    epilog="Example: bgs config init training > training.yaml",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class Kind(StrEnum):
    """The command that a configuration is for."""

    TRAINING = "training"
    EXPERIMENT = "experiment"
    STUDY = "study"
    RULES = "rules"


@app.command(
    "init",
    epilog="Example: bgs config init training > training.yaml",
    short_help="Print a commented template.",
)
def init(
    kind: Annotated[
        Kind, typer.Argument(help="For bgs train, bgs experiment, bgs collect, or bgs data audit.")
    ] = Kind.TRAINING,
) -> None:
    """Print a configuration template with every key, its default and its meaning.

    That of a run or an experiment works unchanged: it tunes a sentence encoder on the published judgments. Rules are the
    defaults, to be registered with a study.
    """
    from bgs._template import template

    model, data = "text:minilm", "garcia-isik-2025"
    if kind is Kind.TRAINING:
        from bgs.training import TrainingConfig

        typer.echo(template(TrainingConfig, {"model": model, "data": data}), nl=False)
    elif kind is Kind.STUDY:
        from bgs.collection.settings import StudySettings

        typer.echo(template(StudySettings, {}), nl=False)
    elif kind is Kind.RULES:
        from bgs.judgments.quality_rules import RuleSet

        typer.echo(template(RuleSet, {}), nl=False)
    else:
        from bgs.experiments.config import ExperimentConfig

        needed = {"data": data, "models": {"minilm": {"model": model}}, "captions": model}
        typer.echo(template(ExperimentConfig, needed), nl=False)


@app.command(
    "show",
    epilog="Example: bgs config show training.yaml --set seed=1",
    short_help="Print a resolved configuration.",
)
def show(
    config: Annotated[Path, typer.Argument(help="YAML configuration of a training run or an experiment.")],
    set_: Overrides = None,
) -> None:
    """Print a configuration with presets, overrides and defaults applied.

    Invalid configurations give the same error as bgs train. One with the key `models` is treated as an experiment.
    """
    from bgs._config import read_settings, validate

    given = read_settings(config, set_ or ())
    if "models" in given:
        from bgs.experiments.config import validated_experiment

        typer.echo(validated_experiment(given, config).to_yaml(), nl=False)
    else:
        from bgs.training import TrainingConfig

        typer.echo(validate(TrainingConfig, given, config).to_yaml(), nl=False)
