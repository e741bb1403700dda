"""`bgs ordinal`: an ordinal embedding of the stimuli, from judgments alone."""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bgs.cli._options import DataName, Json, Mirror, Seed
from bgs.cli._output import Output

if TYPE_CHECKING:
    from rich.table import Table

    from bgs.judgments import OrdinalEmbedding

EXAMPLE = "Example: bgs ordinal --data garcia-isik-2025 --out people.safetensors"


class Clips(StrEnum):
    """The clips whose judgments are used."""

    TRAIN = "train"
    ALL = "all"


def ordinal(
    data: DataName,
    out: Annotated[
        Path,
        typer.Option(help="File to write, .safetensors; the measurements go into a .json file beside it."),
    ],
    clips: Annotated[
        Clips,
        typer.Option(
            help="train: only judgments among training clips (all clips if there is no split). all: all judgments."
        ),
    ] = Clips.TRAIN,
    dimensions: Annotated[
        int | None, typer.Option(help="Number of dimensions (default: chosen by cross-validation).")
    ] = None,
    lapse: Annotated[
        float, typer.Option(help="Lapse rate: proportion of guesses among the answers, in [0, 1).")
    ] = 0.0,
    seed: Seed = 0,
    json: Json = None,
    mirror: Mirror = None,
) -> None:
    """Embed stimuli so that distances explain people's choices (ordinal embedding, from judgments alone).

    Evaluate it with `bgs evaluate --distance euclidean`, on judgments that it was not fitted to.
    """
    from bgs._errors import ConfigError, DataError
    from bgs._files import require_output, write_json
    from bgs.datasets import load_dataset
    from bgs.judgments import ordinal_embedding
    from bgs.views.console import waiting

    output = Output(json)
    if out.suffix != ".safetensors":
        raise ConfigError(
            "not an embedding file", where="--out", expected="a name ending in .safetensors", got=out
        )
    for path in (out, out.with_suffix(".json")):
        require_output(path)
    dataset = load_dataset(data, mirror=mirror)
    trials = dataset.need_trials()
    if clips is Clips.TRAIN:
        trials = trials.within(dataset.stimuli.train)
        if not len(trials.judgments):
            raise DataError(
                "no judgment is among training clips only",
                where=data,
                hint="--clips all uses the judgments of all clips",
            )
    with waiting("fitting"):
        found = ordinal_embedding(trials, dataset.stimuli.ids, dimensions=dimensions, lapse=lapse, seed=seed)
    found.embeddings().save(out)
    measured = {"data": dataset.name, "clips": clips.value, **found.to_json()}
    write_json(out.with_suffix(".json"), measured)
    output.show(_table(found))
    chosen = found.held_out.get(found.dimensions)
    if chosen is not None and chosen.log_likelihood <= -math.log(3):
        output.say("Note: it predicts held-out answers no better than guessing.")
    output.say(
        f"{len(found.values)} of {found.n_stimuli} stimuli × {found.dimensions} dimensions from "
        f"{found.provenance['n_judgments']:,} judgments → {out}"
    )
    output.write(measured)


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
    return table("Answers to held-out triplets", header, rows, numbers=(0, 1, 2, 3))
