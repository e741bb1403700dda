"""`bgs quickstart`: the whole study in miniature, on simulated clips and observers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

EXAMPLE = "Example: bgs quickstart --out runs/quickstart"

#: A study of a few minutes on two cores, see ``bgs.experiments.config``.
STUDY: dict[str, Any] = {
    "simulate": {"clips": 480, "trials": 60000, "observers": 120},
    "models": {"tiny-videomae": {"model": "tiny-videomae?symmetry=square"}},
    "captions": "text:minilm",
    "conditions": ["base", "hybrid", "shuffled"],
    "training": {
        "epochs": 40, "views": 1, "micro_batch": 90, "keep_graphs": 4,
        # The last block only: with 360 clips more freedom fits these and not others (tried on a world of seed 5).
        "lora": {"rank": 4, "alpha": 4, "dropout": 0.1, "layers": "last:1"},
        "optimizer": {"learning_rate": 1.0e-2, "weight_decay": 0.01, "schedule": "cosine", "warmup": 3},
        "validation": {"fraction": 0.0},
        "evaluation": {"protocols": ["held-out-pairs"], "center": True, "resamples": 500, "permutations": 200},
    },
}  # fmt: skip
_LEAD = (
    "A small video model, pretrained on animations, sees {clips} animated social scenes and does not see them as observers do. "
    "Tuned on the odd-one-out choices of observers on three quarters of the clips, it is measured on the others.\n\n"
    "Everything here is simulated, so the truth is known: observers go by valence, intimacy, arousal, dominance and "
    "communication, which are computed from what the agents do; colours, textures, camera and bystanders mean nothing."
)


def quickstart(
    out: Annotated[
        Path, typer.Option(help="Folder to write; an interrupted quickstart in it is gone on with.")
    ] = Path("runs/quickstart"),
    seed: Annotated[int, typer.Option(min=0, help="Seed: clips, observers and training depend on it.")] = 0,
    open_: Annotated[bool, typer.Option("--open", help="Open the report in a browser.")] = False,
) -> None:
    """Film clips, ask observers (both SIMULATED), tune a video model on them, and write report.html. No network."""
    from bgs._optional import require_all
    from bgs.runs.quiet import quiet_libraries

    quiet_libraries()
    require_all("quickstart", "train", "text", "minilm", "video", "plot", "analysis", "report")
    from bgs.cli._failures import print_failures
    from bgs.views.console import console
    from bgs.views.experiment import table_view

    report, outcome = run_quickstart(out, seed)
    console().print(table_view(outcome.table, outcome.data.config.evaluation.center))
    typer.echo("Clips and observers are SIMULATED: no human data.")
    if outcome.failed:
        print_failures(outcome.failed, out)
        raise typer.Exit(1)
    typer.echo(f"Report: {report}")
    if open_:
        typer.launch(str(report))


def run_quickstart(out: Path, seed: int = 0, **changes: object):  # type: ignore[no-untyped-def]
    """Run the study and write its report, also where a part of it failed; ``changes`` replace keys of :data:`STUDY`."""
    from bgs.experiments.config import ExperimentConfig
    from bgs.experiments.grid import run_experiment
    from bgs.experiments.page import write_report
    from bgs.experiments.sections import ReportSettings

    given = {**STUDY, "simulate": {**STUDY["simulate"], "seed": seed}, "seeds": [seed], **changes}
    config = ExperimentConfig.model_validate(given)
    report = ReportSettings(
        title="Seeing social interaction as observers do: a study in miniature",
        lead=_LEAD.format(clips=config.simulate.clips if config.simulate else 0),
        rerun=f"bgs quickstart --seed {seed}",
    )
    outcome = run_experiment(config.model_copy(update={"report": report}), out)
    return write_report(outcome.data, outcome.table, outcome.failed), outcome
