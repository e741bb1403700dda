"""A small study with what is installed: data, design, points, measurement, figure, help. For `make lowest`.

Usage: ``python small_study.py FOLDER``. Needs the extras plot and analysis, and nothing of train.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

import bgs
from bgs.cli.main import app


def main(folder: Path) -> None:
    """Raises where a step fails."""
    study, points = str(folder / "planted"), str(folder / "ratings.safetensors")
    stimuli = bgs.plant(study, clips=40, trials=2000).stimuli
    bgs.Embeddings(np.column_stack(list(stimuli.ratings.values())), stimuli.ids, "ratings").save(points)
    for arguments in (
        ["--help"],
        ["data", "--help"],
        ["attention", "--help"],
        ["data", "audit", study],
        ["design", study, "--per-pair", "2", "--studies", "2"],
        ["ordinal", "--data", study, "--out", str(folder / "people.safetensors")],
        ["evaluate", "--data", study, "--embeddings", points, "--distance", "euclidean"],
    ):
        done = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert done.exit_code == 0, (arguments, done.output)
    found = bgs.evaluate(bgs.Embeddings.load(points), study, permutations=100)
    for name in ("figure.svg", "figure.png"):
        found.plot(folder / name)
        assert (folder / name).stat().st_size > 1000
    print(f"{len(found)} protocols measured and drawn")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
