"""`bgs evaluate`: embeddings against human judgments."""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from bgs.evaluation import Metric, Result

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


#: Metric, what it is called in a table, and the ceilings that it is read against.
_ROWS = (
    ("rsa_spearman", "RSA, Spearman", ("rsa_ceiling",)),
    ("rsa_spearman_squared", "  squared", ("rsa_ceiling_squared",)),
    ("rsa_pearson", "RSA, Pearson", ()),
    ("rsa_pearson_squared", "  squared", ()),
    (
        "odd_one_out_3afc",
        "odd one out (chance 1/3)",
        ("odd_one_out_ceiling_lower", "odd_one_out_ceiling"),
    ),
    ("odd_one_out_two_way", "  two-way (chance 1/2)", ()),
)


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
        bool, typer.Option("--center", help="Subtract the training clips' mean first.")
    ] = False,
    resamples: Annotated[int, typer.Option(min=1, help="Bootstrap resamples of each design.")] = 2000,
    permutations: Annotated[int, typer.Option(min=0, help="Shuffles for the p-value of the RSA.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every random number.")] = 0,
    json: Annotated[Path | None, typer.Option(help="Write the result here.")] = None,
    mirror: Annotated[
        Path | None, typer.Option(help="Folder with a mirror of the authors' repositories.")
    ] = None,
) -> None:
    """Measure how well embeddings predict human similarity judgments, with intervals and noise ceilings."""
    from rich.console import Console

    from bgs import evaluation
    from bgs._files import write_json
    from bgs.datasets import load_dataset
    from bgs.embeddings import Embeddings
    from bgs.experiment.provenance import provenance

    model = Embeddings.load(embeddings)
    other = None if against is None else Embeddings.load(against)
    dataset = load_dataset(data, mirror=mirror)
    with Console(stderr=True).status("resampling"):
        result = evaluation.evaluate(
            model, dataset.stimuli, dataset.need_trials(), protocol=protocol.value, distance=distance.value,
            center=center, against=other, resamples=resamples, permutations=permutations, seed=seed,
            provenance=provenance(data=dataset.name, data_hashes=dict(dataset.hashes)),
        )  # fmt: skip
    print_results(result)
    if json is not None:
        write_json(json, result.to_json())


def print_results(result: Result, names: tuple[str, str] = ("this", "other")) -> None:
    """Print a result in plain words, at most 80 columns wide.

    Args:
        result: what to print.
        names: what to call the embeddings evaluated and, where there are any, those compared with.
    """
    from bgs.cli._show import console

    out, known = console(), result.provenance
    out.print(_metrics_table(result))
    p = result.metrics["rsa_spearman"].p
    if p is not None:
        shuffles = f"{known['permutations']} shuffles of stimulus labels, one-sided"
        out.print(f"p = {_p_value(p)} for the Spearman RSA ({shuffles}).")
    out.print(
        f"Intervals: {known['n_clips']} clips and {known['n_participants']} participants, both resampled "
        f"{known['resamples']} times."
    )
    if result.differences:
        out.print()
        out.print(_differences_table(result, names))
    for warning in result.warnings:
        out.print(f"Note: {warning}.", style="yellow")


def _metrics_table(result: Result) -> Table:
    from bgs.cli._show import table

    rows = []
    for name, words, ceilings in _ROWS:
        metric = result.metrics[name]
        # Where two ceilings are given, the truth lies between a pessimistic and an optimistic one.
        ceiling = " to ".join(_number(result.metrics[key].value) for key in ceilings)
        rows.append((words, _number(metric.value), _interval(metric), f"{metric.n:,}", ceiling))
    title = f"{result.provenance['model']['source']}: {result.protocol}"
    return table(title, ("", "value", "95 % interval", "n", "ceiling"), rows, numbers=(1, 2, 3, 4))


def _differences_table(result: Result, names: tuple[str, str]) -> Table:
    from bgs.cli._show import table

    rows = []
    for name, words, _ in _ROWS:
        models, difference = (result.metrics[name], result.against_metrics[name]), result.differences[name]
        values = [_number(metric.value) for metric in models]
        rows.append((words, *values, _number(difference.value, sign=True), _interval(difference, sign=True)))
    title = f"Compared with {result.provenance['against']['source']}, on the same resamples"
    return table(title, ("", *names, "difference", "95 % interval"), rows, numbers=(1, 2, 3, 4))


def _interval(metric: Metric, sign: bool = False) -> str:
    if math.isnan(metric.low):
        return "–"
    return f"{_number(metric.low, sign)} to {_number(metric.high, sign)}"


def _number(value: float, sign: bool = False) -> str:
    """Three decimals without the leading zero; a dash for what is undefined."""
    if math.isnan(value):
        return "–"
    return f"{value:{'+' if sign else ''}.3f}".replace("0.", ".", 1)


def _p_value(p: float) -> str:
    return "–" if math.isnan(p) else f"{p:.2g}"
