"""`bgs evaluate`: compare embeddings with human judgments."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bgs.cli._options import (
    DataName,
    DropDuplicates,
    ExcludeFlagged,
    Json,
    Mirror,
    RtKind,
    RtUnit,
    Seed,
    trial_options,
)
from bgs.cli._output import Output

EXAMPLE = (
    "Example: bgs evaluate --embeddings tuned.safetensors --data garcia-isik-2025 --against base.safetensors"
)


class ProtocolName(StrEnum):
    """Protocols of :mod:`bgs.evaluation`, repeated here so that `--help` does not import numpy."""

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
    data: DataName,
    protocol: Annotated[
        ProtocolName,
        typer.Option(
            help="held-out-trials: trials with only test clips, as published. held-out-pairs: every pair of test clips, "
            "from all trials that show both. all: every clip and trial."
        ),
    ] = ProtocolName.HELD_OUT_TRIALS,
    against: Annotated[
        Path | None, typer.Option(help="Other embeddings to compare with (paired differences).")
    ] = None,
    distance: Annotated[
        DistanceName, typer.Option(help="Distance between embeddings.")
    ] = DistanceName.COSINE,
    center: Annotated[
        bool | None,
        typer.Option(
            "--center/--no-center",
            help="Subtract the mean of the training clips first, or not. Default: centre, if "
            "there are training clips.",
            show_default=False,
        ),
    ] = None,
    permutations: Annotated[int, typer.Option(min=0, help="Permutations for the p-value of the RSA.")] = 1000,
    seed: Seed = 0,
    allow_overlap: Annotated[
        bool,
        typer.Option("--allow-overlap", help="Evaluate although clips were used in training on other data."),
    ] = False,
    drop_duplicates: DropDuplicates = False,
    exclude_flagged: ExcludeFlagged = False,
    rt_unit: RtUnit = None,
    rt_kind: RtKind = None,
    json: Json = None,
    mirror: Mirror = None,
) -> None:
    """Measure how well embeddings predict human similarity judgments, with intervals and noise ceilings."""
    from bgs._progress import note
    from bgs.api.evaluating import evaluate as evaluated
    from bgs.datasets import load_dataset
    from bgs.feature_files import named_as, read_features
    from bgs.views.console import waiting
    from bgs.views.evaluation import result_view

    output = Output(json)
    model = read_features(embeddings)
    other = None if against is None else read_features(against)
    options = trial_options(rt_unit, rt_kind, drop_duplicates, exclude_flagged)
    dataset = load_dataset(data, mirror=mirror, options=options)
    note(*dataset.notes)
    ids = dataset.stimuli.ids
    model, other = named_as(model, ids), None if other is None else named_as(other, ids)
    with waiting("comparing"):
        (result,) = evaluated(
            model, dataset, protocol=protocol.value, distance=distance.value, center=center, against=other,
            permutations=permutations, seed=seed, allow_overlap=allow_overlap,
        ).results  # fmt: skip
    output.show(result_view(result))
    output.write(result.to_json())
