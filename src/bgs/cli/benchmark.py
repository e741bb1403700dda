"""`bgs benchmark`: encoders on every public data set that they can read, a row each, and the rows beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bgs.cli._options import Device, Json, Mirror, Ratings
from bgs.cli._output import Output

if TYPE_CHECKING:
    from bgs.benchmarks import Row

EXAMPLE = "Example: bgs benchmark text:minilm pixels:grey --tune"


def benchmark(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL]...",
            help="References of encoders, as for `bgs embed`; people: is the behaviour-only reference. "
            "Without any, the rows that there are are compared.",
        ),
    ] = None,
    tune: Annotated[
        bool,
        typer.Option(
            "--tune", help="Also tune: a linear transform of the embeddings, trained on training clips."
        ),
    ] = False,
    twin: Annotated[
        bool, typer.Option("--twin", help="Also measure the random twin: same network, random weights.")
    ] = False,
    name: Annotated[
        str | None, typer.Option(help="Name of the row, for one model (default: from its reference).")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the rows, one JSON file each.")] = Path("benchmark"),
    again: Annotated[bool, typer.Option("--again", help="Measure although there is a row.")] = False,
    ratings: Ratings = None,
    device: Device = "auto",
    json: Json = None,
    mirror: Mirror = None,
) -> None:
    """Measure encoders against people on every public data set that they can read.

    Layer and pooling are chosen on training clips. Each model gets one row (NAME.json) with its results, what they need to be
    compared with other rows, and provenance. Without a model, the rows in the folder are compared.
    """
    from bgs._errors import ConfigError
    from bgs.api.benchmarking import benchmark as measure
    from bgs.api.benchmarking import twin_of
    from bgs.benchmarks import compare, read_rows

    output = Output(json)
    if name is not None and len(models or ()) != 1:
        raise ConfigError("--name is for one model", got=f"{len(models or ())} models")
    for model in models or () if twin else ():
        twin_of(model)  # so that nothing is measured before all is known to have a twin
    rows: list[Row] = []
    for model in models or ():
        rows += measure(
            model, out=out, name=name, tune=tune, twin=twin, again=again, mirror=mirror, ratings=ratings, device=device
        )  # fmt: skip
    if models:
        for row in rows:
            output.show(_row_table(row))
            for data, reason in row.not_measured.items():
                output.say(f"{row.name}: not measured on {data}: {reason}")
        output.write([row.to_json() for row in rows])
        return
    boards = compare(read_rows(out), mirror=mirror)
    from bgs.benchmarks.page import HEADER, board_cells, ceiling_text
    from bgs.views.console import table

    for board in boards:
        output.show(table(board.data, HEADER, board_cells(board)))
        output.say(ceiling_text(board))
    output.write(
        {
            board.data: [dict(zip(HEADER, cells, strict=True)) for cells in board_cells(board)]
            for board in boards
        }
    )


def _row_table(row: Row) -> object:
    from bgs.benchmarks.page import interval
    from bgs.evaluation import mean_metric
    from bgs.views.console import table

    lines = []
    for data, state in dict.fromkeys((one.data, one.state) for one in row.measurements):
        found = [one.metrics for one in row.of(data, state)]
        values = [
            interval(mean_metric([metrics[key] for metrics in found])) if key in found[0] else ""
            for key in ("rsa_spearman", "odd_one_out_3afc")
        ]
        lines.append((data, state, *values))
    return table(row.name, ("data", "", "RSA, Spearman", "odd one out"), lines, numbers=(2, 3), names=(0,))
