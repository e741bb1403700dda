"""The main job on the real thing, in a few minutes: `make quickstart-real`.

Fetches the 49,484 judgments, takes a sentence encoder, tunes it on them and measures it on held-out clips.
Where the judgments are out of reach it plants a geometry on the spot and says so.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from rich.console import Console

from bgs import BgsError
from bgs.runs.quiet import quiet_libraries

RUN = Path("runs/quickstart-real")
PLANTED = Path("runs/planted")
CONFIG = Path(__file__).parents[1] / "configs" / "garcia-isik-2025-minilm.yaml"


def choose_data(console: Console) -> tuple[str, str]:
    """The real judgments where they can be had, else a planted geometry; with a sentence that says which."""
    from bgs.cli.data import plant
    from bgs.datasets import load_dataset

    try:
        load_dataset("garcia-isik-2025")
    except BgsError as error:
        console.print(f"The human judgments are out of reach: {error}")
        console.print("To give a copy of the authors' repository: BGS_DATA_MIRROR=DIR make quickstart-real")
        console.print("[bold]Going on with SIMULATED captions and observers[/]: no human data below.")
        plant(PLANTED)
        return str(PLANTED), "SIMULATED captions and observers (a planted geometry)"
    return (
        "garcia-isik-2025",
        "Judgments: Garcia & Isik, arXiv 2510.01502. The encoder reads captions of their clips.",
    )


def main() -> None:
    """Train, print the tables, draw the figure."""
    quiet_libraries()
    from bgs.reports import GapFigure
    from bgs.reports.gap import gap_panel
    from bgs.reports.rendering import draw_gap
    from bgs.runs.run import run_training
    from bgs.training import load_config
    from bgs.views.evaluation import result_view

    console = Console(highlight=False, soft_wrap=True)
    data, source = choose_data(console)
    console.print(
        f"Tuning all-MiniLM-L6-v2 on [bold]{data}[/]: 30 updates, each over all clips, trials and pairs."
    )
    if RUN.exists():
        shutil.rmtree(RUN)  # this script's own folder, made anew each time
    results = run_training(load_config(CONFIG, [f"data={data}"]), RUN)
    for result in results:
        console.print(result_view(result, names=("tuned", "base")))
    figure = RUN / "gap.png"
    draw_gap(GapFigure(tuple(gap_panel([result]) for result in results), source), figure)
    console.print(f"\nFigure: [bold]{figure}[/]   everything else: {RUN}/")
    console.print(f"Next: .venv/bin/bgs embed --model run:{RUN} --data {data} --out tuned.safetensors")


if __name__ == "__main__":
    try:
        main()
    except BgsError as error:
        print(f"quickstart: {error}", file=sys.stderr)
        sys.exit(2)
