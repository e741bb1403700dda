"""`bgs train`: train an adapter from a configuration, and evaluate it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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

EXAMPLE = "Example: bgs train configs/garcia-isik-2025-minilm.yaml --out runs/minilm --set seed=1"


def train(
    config: Annotated[Path, typer.Argument(help="YAML configuration; see configs/.")],
    out: Annotated[Path, typer.Option(help="Run folder to write; resumes an interrupted run.")],
    set_: Overrides = None,
    drop_duplicates: DropDuplicates = False,
    exclude_flagged: ExcludeFlagged = False,
    rt_unit: RtUnit = None,
    rt_kind: RtKind = None,
    json: Json = None,
    mirror: Mirror = None,
) -> None:
    """Tune an encoder on human judgments and evaluate base and tuned model on held-out clips.

    Several processes share the work: torchrun --nproc-per-node 2 -m bgs train CONFIG --out DIR.
    """
    from bgs.api.training import Run
    from bgs.api.training import train as trained
    from bgs.backbones.processes import launched
    from bgs.runs.quiet import quiet_libraries
    from bgs.views.cross_validation import cross_validation_view
    from bgs.views.evaluation import result_view

    quiet_libraries()
    output = Output(json)
    asked = overrides("judgments", rt_unit, rt_kind, drop_duplicates, exclude_flagged)
    found = trained(out=out, config=config, overrides=[*(set_ or ()), *asked], mirror=mirror)
    if not isinstance(found, Run):
        output.show(cross_validation_view(found))
        output.write(found.to_json())
        return
    if launched()[0]:
        return  # the first of several processes tells what was measured
    measured = found.evaluation
    output.show(*(result_view(result, names=measured.names) for result in measured.results))
    output.say(
        f"Run folder: {out}. Next: bgs describe CLIP --model run:{out}, or bgs embed --model run:{out} --data … --out …"
    )
    output.write(measured.to_json())
