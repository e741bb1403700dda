"""`bgs evaluate`: embeddings against human judgments."""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bgs.cli._numbers import number
from bgs.cli._trial_options import DropDuplicates, ExcludeFlagged, RtKind, RtUnit, trial_options

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

    from bgs import evaluation
    from bgs._files import require_output, write_json
    from bgs._progress import print_once
    from bgs.datasets import load_dataset
    from bgs.embeddings import Embeddings
    from bgs.runs.provenance import provenance

    if json is not None:
        require_output(json)
    model = Embeddings.load(embeddings)
    other = None if against is None else Embeddings.load(against)
    options = trial_options(rt_unit, rt_kind, drop_duplicates, exclude_flagged)
    dataset = load_dataset(data, mirror=mirror, options=options)
    print_once(*dataset.notes)
    with Console(stderr=True).status("comparing"):
        result = evaluation.evaluate(
            model, dataset.stimuli, dataset.need_trials(), protocol=protocol.value, distance=distance.value,
            center=center, against=other, permutations=permutations, seed=seed,
            provenance=provenance(
                data=dataset.name, data_hashes=dict(dataset.hashes), simulated=dataset.simulated,
                **dataset.about_trials(),
            ),
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
    out.print(f"Embeddings are centred on {known['centred_on']}.")
    out.print(
        f"Intervals: 95 %, about other clips than these {known['n_clips']} and other people than these "
        f"{known['n_participants']}."
    )
    if result.differences:
        out.print()
        out.print(_differences_table(result, names))
    if known.get("simulated"):
        out.print("SIMULATED clips or observers: no human data.", style="bold")
    for warning in result.warnings:
        out.print(f"Note: {warning}.", style="yellow")


def _metrics_table(result: Result) -> Table:
    from bgs.cli._show import table

    rows = []
    for name, words, ceilings in _ROWS:
        metric = result.metrics[name]
        known = [result.metrics[key] for key in ceilings]
        # Where two ceilings are given, the truth lies between a pessimistic and an optimistic one.
        ceiling = " to ".join(number(bound.value) for bound in known)
        if len(known) == 1 and not math.isnan(known[0].low):
            ceiling += f" [{number(known[0].low)}, {number(known[0].high)}]"
        rows.append((words, number(metric.value), _interval(metric), f"{metric.n:,}", ceiling))
    title = f"{result.provenance['model']['source']}: {result.protocol}"
    return table(title, ("", "value", "95 % interval", "n", "ceiling"), rows, numbers=(1, 2, 3, 4))


def _differences_table(result: Result, names: tuple[str, str]) -> Table:
    from bgs.cli._show import table

    rows = []
    for name, words, _ in _ROWS:
        models, difference = (result.metrics[name], result.against_metrics[name]), result.differences[name]
        values = [number(metric.value) for metric in models]
        rows.append((words, *values, number(difference.value, sign=True), _interval(difference, sign=True)))
    title = f"Compared with {result.provenance['against']['source']}, paired"
    return table(title, ("", *names, "difference", "95 % interval"), rows, numbers=(1, 2, 3, 4))


def _interval(metric: Metric, sign: bool = False) -> str:
    if math.isnan(metric.low):
        return "–"
    return f"{number(metric.low, sign)} to {number(metric.high, sign)}"


def _p_value(p: float) -> str:
    return "–" if math.isnan(p) else f"{p:.2g}"
