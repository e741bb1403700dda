"""`bgs attention`: where models look, drawn over the frames and measured on region masks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bgs.views.numbers import number

if TYPE_CHECKING:
    from bgs.evaluation import AttentionShares, Metric
    from bgs.runs.attention_mapper import AttentionMapper

EXAMPLE = "Example: bgs attention --model run:runs/phase --against videomae-b --data data/phase-genset --out attention"


class MethodName(StrEnum):
    """Methods of :mod:`bgs.backbones.attention`, named here so that help needs no torch."""

    ROLLOUT = "rollout"
    LAST_LAYER = "last-layer"
    GRADIENT = "gradient"


def attention(
    model: Annotated[
        str, typer.Option(help="A video model, as in `bgs embed`; run:<run folder> for a tuned one.")
    ],
    data: Annotated[str, typer.Option(help="Name of a data set (`bgs data list`), or a folder.")],
    out: Annotated[Path, typer.Option(help="Folder to write attention.json, strips/ and videos/ into.")],
    against: Annotated[
        str | None, typer.Option(help="Another model to compare with, such as the base of a tuned one.")
    ] = None,
    method: Annotated[
        MethodName,
        typer.Option(
            help="rollout: attention followed through all blocks. last-layer: of the last block alone. gradient: "
            "gradient × activation, without attention weights."
        ),
    ] = MethodName.ROLLOUT,
    masks: Annotated[
        Path | None, typer.Option(help="Folder that holds masks/ (by default the data set's own).")
    ] = None,
    boxes: Annotated[
        Path | None, typer.Option(help="COCO-style JSON of boxes or run-length masks, instead of masks.")
    ] = None,
    strips: Annotated[int, typer.Option(min=0, help="Draw strips of this many clips, the first ones.")] = 12,
    video: Annotated[bool, typer.Option("--video", help="Write an mp4 of each of these clips too.")] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave clips out that cannot be read.")
    ] = False,
    resamples: Annotated[int, typer.Option(min=1, help="Bootstrap resamples of clips.")] = 2000,
    permutations: Annotated[int, typer.Option(min=0, help="Sign flips for the p-values.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every random number.")] = 0,
    micro_batch: Annotated[int, typer.Option(min=1, help="Clips at a time.")] = 4,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto.")] = "auto",
    mirror: Annotated[
        Path | None, typer.Option(help="Folder with a mirror of the authors' repositories.")
    ] = None,
) -> None:
    """Measure and draw where a model looks, and how that differs from another model on the same clips.

    With region masks: how much attention falls on each region, against the region's share of the picture, with
    95 % intervals over clips. Without: strips only.
    """
    from bgs._errors import ConfigError
    from bgs._files import require_output, write_json
    from bgs._optional import require_all
    from bgs._progress import note
    from bgs.datasets import load_dataset
    from bgs.evaluation import attention_shares
    from bgs.runs.attention_mapper import AttentionMapper, read_regions
    from bgs.stimuli.stems import file_stems

    if strips:
        require_all("report", "plot", "report")
    if masks is not None and boxes is not None:
        raise ConfigError("--masks conflicts with --boxes")
    require_output(out / "attention.json")
    dataset = load_dataset(data, mirror=mirror)
    note(*dataset.notes)
    regions = read_regions(dataset, masks, boxes)
    mappers = [
        AttentionMapper(name, dataset.stimuli, method.value, micro_batch, device, skip_bad)
        for name in (model, against)
        if name is not None
    ]
    clips = [name for name in dataset.stimuli.ids if all(name in each.maps.stimulus_ids for each in mappers)]
    marked = [name for name in clips if name in regions]
    if marked:
        found = [mapper.maps.select(marked) for mapper in mappers]
        result = attention_shares(
            found[0], regions, found[1] if against else None, resamples=resamples, permutations=permutations,
            seed=seed, provenance=mappers[0].about(dataset, mappers[1:], boxes),
        )  # fmt: skip
        write_json(out / "attention.json", result.to_json())
        print_shares(result)
    else:
        typer.echo(f"note: {dataset.name} has no region masks, so only strips are drawn", err=True)
    stems = file_stems(dataset.stimuli.ids)
    for name in clips[:strips]:
        draw_clip(name, stems[name], mappers, out, video)
    if strips:
        typer.echo(f"{len(clips[:strips])} strips → {out / 'strips'}")


def draw_clip(name: str, stem: str, mappers: Sequence[AttentionMapper], out: Path, video: bool) -> None:
    """Write a clip's strip and, if wanted, its video: the model compared with above, the model below."""
    from bgs.reports.draw_overlay import draw_strip, write_overlay_video
    from bgs.runs.attention_mapper import overlay_of

    labels = ("tuned", "base") if len(mappers) > 1 else ("",)
    rows = {f"{label} {mapper.model}".strip(): mapper for label, mapper in zip(labels, mappers, strict=True)}
    rows = dict(reversed(rows.items()))
    draw_strip(overlay_of(name, rows), out / "strips" / f"{stem}.png")
    if video:
        write_overlay_video(overlay_of(name, rows, columns=None), out / "videos" / f"{stem}.mp4")


def print_shares(result: AttentionShares) -> None:
    """A table of regions, at most 80 columns wide: area, share of attention, and the difference between models."""
    from bgs.views.console import console, table

    out, rows = console(), []
    for region, metrics in result.metrics.items():
        row = [region, metrics["area"].n, number(metrics["area"].value)]
        effect = metrics["enrichment"]
        if result.differences:
            row.append(number(result.against[region]["share"].value))
            effect = result.differences[region]
        rows.append([*row, number(metrics["share"].value), _effect(effect), _p(effect)])
    shares = ["base", "tuned", "difference"] if result.differences else ["share", "share − area"]
    header = ["region", "n", "area", *shares, "p"]
    out.print(table(f"Attention ({result.method}) by region", header, rows, numbers=range(1, len(header))))
    if result.differences:
        out.print("base: share of attention of --against. tuned: of --model. difference: in share − area.")
    draws = result.provenance["resamples"]
    out.print(f"n: clips. Brackets: 95 % of {draws} resamples of clips. p: sign flips, two-sided.")


def _effect(metric: Metric) -> str:
    bounds = ", ".join(number(bound, sign=True) for bound in (metric.low, metric.high))
    return f"{number(metric.value, sign=True)} [{bounds}]"


def _p(metric: Metric) -> str:
    return "–" if metric.p is None or math.isnan(metric.p) else f"{metric.p:.2g}"
