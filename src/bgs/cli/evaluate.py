"""`bgs evaluate`: embeddings against human judgments."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bgs.cli._trial_options import DropDuplicates, ExcludeFlagged, RtKind, RtUnit, trial_options

EXAMPLE = (
    "Example: bgs evaluate --embeddings tuned.safetensors --data garcia-isik-2025 --against base.safetensors"
)


class ProtocolName(StrEnum):
    """Protocols of :mod:`bgs.evaluation`, named here so that help needs no numpy."""

    HELD_OUT_TRIALS = "held-out-trials"
    HELD_OUT_PAIRS = "held-out-pairs"
    ALL = "all"


class DistanceName(StrEnum):
    """Distances of :mod:`bgs.evaluation`."""

    COSINE = "cosine"
    CORRELATION = "correlation"
    EUCLIDEAN = "euclidean"


def evaluate(
    embeddings: Annotated[Path, typer.Option(help="Embeddings to evaluate (`bgs embed`).")],
    data: Annotated[str, typer.Option(help="Name of a data set (`bgs data list`), or a folder.")],
    protocol: Annotated[
        ProtocolName,
        typer.Option(
            help="held-out-trials: trials among test clips, as published. held-out-pairs: every pair of test clips, "
            "from all trials that show both. all: everything."
        ),
    ] = ProtocolName.HELD_OUT_TRIALS,
    against: Annotated[Path | None, typer.Option(help="Other embeddings, for paired differences.")] = None,
    distance: Annotated[
        DistanceName, typer.Option(help="Distance between embeddings.")
    ] = DistanceName.COSINE,
    center: Annotated[
        bool | None,
        typer.Option(
            "--center/--no-center",
            help="Subtract the training clips' mean first, or take embeddings as they are. Default: centre, where "
            "there are training clips.",
            show_default=False,
        ),
    ] = None,
    permutations: Annotated[int, typer.Option(min=0, help="Shuffles for the p-value of the RSA.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every random number.")] = 0,
    drop_duplicates: DropDuplicates = False,
    exclude_flagged: ExcludeFlagged = False,
    rt_unit: RtUnit = None,
    rt_kind: RtKind = None,
    json: Annotated[Path | None, typer.Option(help="Write the result here.")] = None,
    mirror: Annotated[
        Path | None, typer.Option(help="Folder with a mirror of the authors' repositories.")
    ] = None,
) -> None:
    """Measure how well embeddings predict human similarity judgments, with intervals and noise ceilings."""
    from rich.console import Console

    from bgs._files import require_output, write_json
    from bgs._progress import note
    from bgs.api.evaluating import evaluate as evaluated
    from bgs.datasets import load_dataset
    from bgs.embeddings import Embeddings
    from bgs.views.console import console
    from bgs.views.evaluation import result_view

    if json is not None:
        require_output(json)
    model = Embeddings.load(embeddings)
    other = None if against is None else Embeddings.load(against)
    options = trial_options(rt_unit, rt_kind, drop_duplicates, exclude_flagged)
    dataset = load_dataset(data, mirror=mirror, options=options)
    note(*dataset.notes)
    with Console(stderr=True).status("comparing"):
        (result,) = evaluated(
            model, dataset, protocol=protocol.value, distance=distance.value, center=center, against=other,
            permutations=permutations, seed=seed,
        ).results  # fmt: skip
    console().print(result_view(result))
    if json is not None:
        write_json(json, result.to_json())
