"""`bgs select`: choose clips for a study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bgs.cli._options import Device, Json, Mirror, Seed, SkipBad
from bgs.cli._output import Output

EXAMPLE = (
    "Example: bgs select --data clips/ --out study/ -k 40 --differ valence --match motion --match pixels"
)


def select(
    out: Annotated[Path, typer.Option(help="Study folder to write, new or empty.")],
    data: Annotated[
        str | None,
        typer.Option(help="Clips to choose from: a data set (default: the folder of the index)."),
    ] = None,
    k: Annotated[int, typer.Option("-k", help="Number of clips; even for two sets.")] = 40,
    cover: Annotated[bool, typer.Option("--cover", help="Clips that cover the space of a model.")] = False,
    differ: Annotated[
        str | None,
        typer.Option(
            help="Two sets that differ in: a rating, motion, luminance, contrast, or social (a model's main axis)."
        ),
    ] = None,
    match: Annotated[
        list[str] | None,
        typer.Option(
            help="and are matched in: motion, pixels, social or a rating; repeat it (default: motion and pixels; none where they "
            "differ in one of these)."
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Model whose space is covered or matched (`bgs models`, run:<folder>).")
    ] = None,
    embeddings: Annotated[
        Path | None, typer.Option(help="In place of --model: a file of `bgs embed`.")
    ] = None,
    index: Annotated[str | None, typer.Option(help="In place of --model: an index of `bgs index`.")] = None,
    gap: Annotated[
        float, typer.Option(help="Least difference between any two clips of the two sets, in SD of the pool.")
    ] = 1.0,
    caliper: Annotated[
        float, typer.Option(help="Largest difference within a pair in any matched number, in SD of the pool.")
    ] = 0.5,
    link: Annotated[bool, typer.Option("--link", help="Link to the clips instead of copying them.")] = False,
    skip_bad: SkipBad = False,
    seed: Seed = 0,
    device: Device = "auto",
    json: Json = None,
    mirror: Mirror = None,
) -> None:
    """Choose clips for a study: some that cover a model's space, or two matched sets.

    The folder is a data set for `bgs design` and `bgs collect`. selection.json says how the clips were chosen, and
    how they were tested. With --skip-bad, copies and clips without a rating that is needed are left out, too.
    """
    from bgs.api.selecting import select as choose

    output = Output(json)
    found = choose(
        data, k, out=out, cover=cover, differ=differ, match=match or (), model=model, embeddings=embeddings, index=index,
        gap=gap, caliper=caliper, seed=seed, link=link, skip_bad=skip_bad, device=device, mirror=mirror,
    )  # fmt: skip
    output.show(*found._views())
    output.say(f"{len(found.dataset.stimuli)} clips → {out}")
    output.write(found.to_json())
