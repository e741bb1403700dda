"""`bgs attention`: where models attend, drawn over the frames and measured within region masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bgs.cli._options import DataName, Device, Json, Mirror, Seed, SkipBad
from bgs.cli._output import Output

if TYPE_CHECKING:
    from bgs.datasets import Dataset
    from bgs.evaluation import AttentionShares
    from bgs.runs.attention_mapper import AttentionMapper
    from bgs.stimuli import RegionMasks

EXAMPLE = "Example: bgs attention --model run:runs/phase --against videomae-b --data data/phase-genset --out attention"


class MethodName(StrEnum):
    """Methods of :mod:`bgs.backbones.attention`, repeated here so that `--help` does not import torch."""

    ROLLOUT = "rollout"
    LAST_LAYER = "last-layer"
    GRADIENT = "gradient"


def attention(
    model: Annotated[
        str, typer.Option(help="A video model, as in `bgs embed`; run:<run folder> for a tuned one.")
    ],
    data: DataName,
    out: Annotated[Path, typer.Option(help="Folder to write attention.json, strips/ and videos/ into.")],
    against: Annotated[
        str | None, typer.Option(help="A model to compare with, e.g. the base of a tuned one.")
    ] = None,
    method: Annotated[
        MethodName,
        typer.Option(
            help="rollout: attention propagated through all blocks. last-layer: of the last block only. gradient: "
            "gradient × activation, without attention weights."
        ),
    ] = MethodName.ROLLOUT,
    masks: Annotated[
        Path | None, typer.Option(help="Folder that contains masks/ (default: that of the data set).")
    ] = None,
    boxes: Annotated[
        Path | None, typer.Option(help="COCO-style JSON of boxes or run-length masks, instead of masks.")
    ] = None,
    strips: Annotated[int, typer.Option(min=0, help="Draw strips for the first N clips.")] = 12,
    video: Annotated[
        bool, typer.Option("--video", help="Also write an mp4 for each of these clips.")
    ] = False,
    skip_bad: SkipBad = False,
    resamples: Annotated[int, typer.Option(min=1, help="Bootstrap resamples of clips.")] = 2000,
    permutations: Annotated[int, typer.Option(min=0, help="Sign flips for the p-values.")] = 10_000,
    seed: Seed = 0,
    micro_batch: Annotated[int, typer.Option(min=1, help="Clips per forward pass.")] = 4,
    device: Device = "auto",
    json: Json = None,
    mirror: Mirror = None,
) -> None:
    """Measure and draw where a model attends, and how that differs from another model on the same clips.

    With region masks: the share of attention on each region, compared with the region's share of the area, with
    95 % intervals over clips. Without masks: strips only.
    """
    from bgs._files import require_output
    from bgs._optional import require_all
    from bgs.runs.attention_mapper import AttentionMapper

    output = Output(json)
    if strips:
        require_all("report", "plot", "report")
    require_output(out / "attention.json")
    dataset, regions = load(data, mirror, masks, boxes)
    if not regions:
        say_unmeasured(dataset, output)
    mappers = [
        AttentionMapper(name, dataset.stimuli, method.value, micro_batch, device, skip_bad)
        for name in (model, against)
        if name is not None
    ]
    if regions:
        result = measure(mappers, regions, dataset, boxes, resamples, permutations, seed)
        write(result, dataset, out, output)
    if strips:
        drawn = draw_clips(dataset, mappers, out, strips, video)
        output.say(f"{drawn} strips → {out / 'strips'}")


def load(
    data: str, mirror: Path | None, masks: Path | None, boxes: Path | None
) -> tuple[Dataset, dict[str, RegionMasks]]:
    """Load the data set and the available region masks of its clips."""
    from bgs._errors import ConfigError
    from bgs._progress import note
    from bgs.datasets import load_dataset
    from bgs.runs.attention_mapper import read_regions

    if masks is not None and boxes is not None:
        raise ConfigError("--masks conflicts with --boxes")
    dataset = load_dataset(data, mirror=mirror)
    note(*dataset.notes)
    return dataset, read_regions(dataset, masks, boxes)


def say_unmeasured(dataset: Dataset, output: Output) -> None:
    """Print a note that nothing is measured without regions; raise an error if ``--json`` was given."""
    from bgs._errors import DataError
    from bgs._progress import note

    if output.wants_json:
        raise DataError(
            "no region masks, so there is nothing to measure", where=dataset.name, hint="omit --json"
        )
    note(f"{dataset.name} has no region masks, so only strips are drawn")


def measure(
    mappers: Sequence[AttentionMapper],
    regions: Mapping[str, RegionMasks],
    dataset: Dataset,
    boxes: Path | None,
    resamples: int,
    permutations: int,
    seed: int,
) -> AttentionShares | None:
    """Measure attention on each region, over the clips that have regions and that every model could read."""
    from bgs.evaluation import attention_shares

    marked = [name for name in shared_clips(dataset, mappers) if name in regions]
    if not marked:
        return None
    maps = [mapper.maps.select(marked) for mapper in mappers]
    return attention_shares(
        maps[0], regions, maps[1] if len(maps) > 1 else None, resamples=resamples, permutations=permutations,
        seed=seed, provenance=mappers[0].about(dataset, mappers[1:], boxes),
    )  # fmt: skip


def write(result: AttentionShares | None, dataset: Dataset, out: Path, output: Output) -> None:
    """Write attention.json and the ``--json`` file, and print a table; None: no clip with regions could be read."""
    from bgs._files import write_json
    from bgs.views.attention import shares_view

    if result is None:
        say_unmeasured(dataset, output)
        return
    write_json(out / "attention.json", result.to_json())
    output.show(shares_view(result))
    output.write(result.to_json())


def shared_clips(dataset: Dataset, mappers: Sequence[AttentionMapper]) -> list[str]:
    """The clips that every model could read, in the order of the data set."""
    return [name for name in dataset.stimuli.ids if all(name in each.maps.stimulus_ids for each in mappers)]


def draw_clips(
    dataset: Dataset, mappers: Sequence[AttentionMapper], out: Path, strips: int, video: bool
) -> int:
    """Draw the first clips; returns how many."""
    from bgs.stimuli.stems import file_stems

    stems, clips = file_stems(dataset.stimuli.ids), shared_clips(dataset, mappers)[:strips]
    for name in clips:
        draw_clip(name, stems[name], mappers, out, video)
    return len(clips)


def draw_clip(name: str, stem: str, mappers: Sequence[AttentionMapper], out: Path, video: bool) -> None:
    """Write the strip of a clip and optionally its video: the comparison model on top, the model below."""
    from bgs.reports.draw_overlay import draw_strip, write_overlay_video
    from bgs.runs.attention_mapper import overlay_of

    labels = ("tuned", "base") if len(mappers) > 1 else ("",)
    rows = {f"{label} {mapper.model}".strip(): mapper for label, mapper in zip(labels, mappers, strict=True)}
    rows = dict(reversed(rows.items()))
    draw_strip(overlay_of(name, rows), out / "strips" / f"{stem}.png")
    if video:
        write_overlay_video(overlay_of(name, rows, columns=None), out / "videos" / f"{stem}.mp4")
