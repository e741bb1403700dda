"""`bgs quickstart`: a study in miniature, on simulated clips and observers; or a sentence encoder on real judgments."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bgs.cli._failures import print_failures
from bgs.cli._options import Json, Mirror, OpenReport
from bgs.cli._output import Output

EXAMPLE = "Example: bgs quickstart --out runs/quickstart"


def quickstart(
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder to write; resumes an interrupted quickstart.",
            show_default="runs/quickstart or runs/quickstart-real",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Random seed of clips, observers and training.")] = 0,
    real: Annotated[
        bool,
        typer.Option("--real", help="Tune a sentence encoder on real judgments instead (downloads them)."),
    ] = False,
    open_: OpenReport = False,
    json: Json = None,
    mirror: Mirror = None,
) -> None:
    """Tune a video model on SIMULATED clips and observers, and write report.html. Needs no network.

    With --real: tune a sentence encoder on the 49,484 judgments of Garcia & Isik and plot the gain. If they cannot be
    downloaded, it uses simulated ones and says so.
    """
    from bgs._optional import require_all
    from bgs.runs.quiet import quiet_libraries

    quiet_libraries()
    output = Output(json)
    if real:
        require_all("quickstart", "train", "text", "minilm", "plot")
        _real(out or Path("runs/quickstart-real"), seed, mirror, output, open_)
    else:
        require_all("quickstart", "train", "text", "minilm", "video", "plot", "analysis", "report")
        _simulated(out or Path("runs/quickstart"), seed, output, open_)


def _simulated(out: Path, seed: int, output: Output, open_: bool) -> None:
    from bgs.api.quickstarts import quickstart_model, simulated_quickstart
    from bgs.views.experiment import table_view

    found = simulated_quickstart(out, seed)
    output.show(table_view(found.table, found.centred))
    output.say("Clips and observers are SIMULATED: no human data.")
    output.write({**found.table.to_json(), "failed": dict(found.failed)})
    if found.failed:
        print_failures(found.failed, out)
        raise typer.Exit(1)
    model = quickstart_model(found, seed)
    output.say(f"Report: {found.report}")
    output.say(f"Next: bgs describe MY-CLIP.mp4 --model {model}")
    if open_:
        typer.launch(str(found.report))


def _real(out: Path, seed: int, mirror: Path | None, output: Output, open_: bool) -> None:
    from bgs.api.quickstarts import real_quickstart
    from bgs.views.evaluation import result_view

    found = real_quickstart(out, seed, mirror=mirror)
    measured = found.run.evaluation
    output.show(*(result_view(result, names=measured.names) for result in measured.results))
    output.say(f"\nFigure: {found.figure}   all other output: {out}/")
    output.say(f"Next: bgs embed --model run:{out} --data {found.data} --out tuned.safetensors")
    output.write(measured.to_json())
    if open_:
        typer.launch(str(found.figure))
