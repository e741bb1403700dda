"""`bgs ordinal`: stimuli as points, from judgments alone."""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from bgs.judgments import OrdinalEmbedding

EXAMPLE = "Example: bgs ordinal --data garcia-isik-2025 --out people.safetensors"


class Clips(StrEnum):
    """Whose judgments count."""

    TRAIN = "train"
    ALL = "all"


def ordinal(
    data: Annotated[str, typer.Option(help="Name of a data set (`bgs data list`), or a folder.")],
    out: Annotated[
        Path, typer.Option(help="File to write, .safetensors; what was measured goes beside it, .json.")
    ],
    clips: Annotated[
        Clips, typer.Option(help="train: judgments among training clips (all where there is no split); all.")
    ] = Clips.TRAIN,
    dimensions: Annotated[
        int | None, typer.Option(help="Number of dimensions (default: chosen by cross-validation).")
    ] = None,
    lapse: Annotated[float, typer.Option(help="Share of answers that are guesses, 0 to below 1.")] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every random number.")] = 0,
    mirror: Annotated[
        Path | None, typer.Option(help="Folder with a mirror of the authors' repositories.")
    ] = None,
) -> None:
    """Place stimuli so that distances explain people's choices: an embedding from judgments alone.

    Compare it with `bgs evaluate --distance euclidean`. Judgments that it was fitted to are no test of it.
    """
    from bgs._errors import ConfigError, DataError
    from bgs._files import write_json
    from bgs.datasets import load_dataset
    from bgs.judgments import ordinal_embedding
    from bgs.views.console import console

    if out.suffix != ".safetensors":
        raise ConfigError(
            "not a file of embeddings", where="--out", expected="a name in .safetensors", got=out
        )
    dataset = load_dataset(data, mirror=mirror)
    trials = dataset.need_trials()
    if clips is Clips.TRAIN:
        trials = trials.within(dataset.stimuli.train)
        if not len(trials.judgments):
            raise DataError(
                "no judgment is among training clips alone",
                where=data,
                hint="--clips all takes those of all clips",
            )
    with console().status("fitting"):
        found = ordinal_embedding(trials, dataset.stimuli.ids, dimensions=dimensions, lapse=lapse, seed=seed)
    found.embeddings().save(out)
    write_json(out.with_suffix(".json"), {"data": dataset.name, "clips": clips.value, **found.to_json()})
    console().print(_table(found))
    chosen = found.held_out.get(found.dimensions)
    if chosen is not None and chosen.log_likelihood <= -math.log(3):
        console().print("Note: it foretells answers left out no better than guessing.", style="yellow")
    console().print(
        f"{len(found.values)} of {found.n_stimuli} stimuli × {found.dimensions} dimensions from "
        f"{found.provenance['n_judgments']:,} judgments → {out}"
    )


def _table(found: OrdinalEmbedding) -> Table:
    from bgs.views.console import table

    rows = [
        (
            f"{d}{' (chosen)' if d == found.dimensions else ''}",
            f"{score.penalty:g}",
            f"{score.log_likelihood:.4f}",
            f"{score.accuracy:.3f}",
        )
        for d, score in found.held_out.items()
    ]
    header = ("dimensions", "penalty", "log likelihood", "3AFC")
    return table("Answers to triplets left out", header, rows, numbers=(0, 1, 2, 3))
