"""Where base and tuned models attend: the share of attention on each region against the region's share of the area."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from bgs._config import Settings
from bgs._files import sha256, sha256_of
from bgs.evaluation import AttentionShares, Metric, attention_shares
from bgs.experiments.chapters.chapter import Chapter, Findings, NotApplicable
from bgs.experiments.chapters.context import Context, estimate, p_text, reasons
from bgs.experiments.chapters.over_seeds import Figures, before_and_after, by_model, means
from bgs.experiments.results import SeedMean, with_q
from bgs.reports import FigureBlock, ForestFigure, ForestPanel, ForestRow, Table, change_sentence
from bgs.reports.draw_overlay import draw_strip
from bgs.reports.page import Cell as TableCell
from bgs.stimuli import RegionMasks, StimulusSet
from bgs.stimuli.masks import FOLDER
from bgs.stimuli.stems import file_stems

if TYPE_CHECKING:
    from bgs.experiments.cells import Cell
    from bgs.experiments.experiment import Experiment
    from bgs.runs.attention_mapper import AttentionMapper

_STRIP_PIXELS = 96
#: Clips at a time, at most: a clip takes blocks × tokens² × 4 bytes.
_MICRO_BATCH = 4
_BACKGROUND = "background"
_AXIS = "share of attention − share of the picture, percentage points"


class AttentionSettings(Settings):
    """Attention of base and tuned models by region."""

    method: Literal["rollout", "last-layer", "gradient"] = "rollout"
    clips: Annotated[int, Field(ge=1)] | tuple[str, ...] = 60
    """Clips to analyse: a number of held-out clips, or their ids."""
    masks: Path | None = None
    """Folder that contains ``masks/``; null: that of the data set."""
    boxes: Path | None = None
    """COCO-style JSON of boxes or run-length masks, instead of masks."""
    regions: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Regions of the masks to merge: ``{agents: [agent A, agent B]}``; others keep their names."""
    strips: int = Field(3, ge=0)
    """Number of clips whose frames are shown."""


@dataclass(frozen=True)
class Looking:
    """Means over clips, by region: share of the picture, share of attention, and the latter minus the former."""

    area: Figures
    share: Figures
    enrichment: Figures


@dataclass(frozen=True)
class Strip:
    """A picture of a clip: its file (within ``analyses/``) and its description."""

    clip: str
    file: str
    alt: str


@dataclass(frozen=True)
class ModelAttention:
    """One model.

    Attributes:
        base, tuned: attention by region.
        difference: region -> difference in enrichment, tuned − base, paired by clip, with q over regions.
        strips: pictures of some clips.
    """

    base: Looking
    tuned: Looking
    difference: Figures
    strips: tuple[Strip, ...]


@dataclass(frozen=True)
class Attention:
    """Attention of each model, and model -> why the analysis does not apply to it.

    Attributes:
        method: how attention was traced to patches.
        n_clips: number of clips analysed.
        regions: names of the merged regions.
    """

    models: dict[str, ModelAttention]
    not_applicable: dict[str, str]
    method: str
    n_clips: int
    regions: tuple[str, ...]


def analyse(experiment: Experiment, settings: AttentionSettings) -> Attention:
    """Attention by region of each model."""
    videos = experiment.study.stimuli.videos
    if videos is None or None in videos:
        raise NotApplicable("the clips are not on this machine")
    regions = _regions(experiment, settings)
    models, left_out = by_model(experiment, lambda model: _of_model(experiment, model, settings, regions))
    return Attention(models, left_out, settings.method, len(regions), tuple(settings.regions))


def rests_on(experiment: Experiment, settings: AttentionSettings) -> str:
    """SHA-256 over the files of masks or boxes from which the regions come."""
    masks = settings.masks or experiment.study.dataset.folder
    files = [] if masks is None else sorted((masks / FOLDER).rglob("*.safetensors"))
    return sha256_of(
        *(sha256(path) for path in (*files, settings.boxes) if path is not None and path.is_file())
    )


def _regions(experiment: Experiment, settings: AttentionSettings) -> dict[str, RegionMasks]:
    """Masks of the analysed clips, with regions merged as the settings ask."""
    from bgs.runs.attention_mapper import read_regions

    wanted = set(_clips(experiment, settings))
    found = {
        name: masks
        for name, masks in read_regions(experiment.study.dataset, settings.masks, settings.boxes).items()
        if name in wanted
    }
    if not found:
        raise NotApplicable("no clip of the data set has region masks")
    groups = {region: name for name, regions in settings.regions.items() for region in regions}
    return {name: found[name].merged(groups) for name in experiment.study.stimuli.ids if name in found}


def _clips(experiment: Experiment, settings: AttentionSettings) -> list[str]:
    stimuli = experiment.study.stimuli
    if isinstance(settings.clips, int):
        return [stimuli.ids[i] for i in experiment.evaluated[: settings.clips]]
    stimuli.positions(settings.clips)  # an unknown clip is an error
    return list(settings.clips)


def _of_model(
    experiment: Experiment, model: str, settings: AttentionSettings, regions: Mapping[str, RegionMasks]
) -> ModelAttention:
    stimuli, measured = experiment.study.stimuli, experiment.config.evaluation
    shown = stimuli.subset(stimuli.positions(tuple(regions)))
    found: dict[int, AttentionShares] = {}
    strips: tuple[Strip, ...] = ()
    look = partial(_looker, stimuli=shown, settings=settings)
    for seed, base, tuned in before_and_after(experiment, model, look):
        found[seed] = attention_shares(
            tuned.maps, regions, base.maps, resamples=measured.resamples,
            permutations=measured.permutations, seed=experiment.config.seeds[0],
        )  # fmt: skip
        strips = strips or _draw(experiment, model, base, tuned, settings.strips)
    base_seeds = {experiment.config.base_seed(model, seed): shares.against for seed, shares in found.items()}
    difference = means({seed: shares.differences for seed, shares in found.items()})
    tuned_seeds = {seed: shares.metrics for seed, shares in found.items()}
    return ModelAttention(_looking(base_seeds), _looking(tuned_seeds), with_q(difference), strips)


def _looker(reference: str, cell: Cell, stimuli: StimulusSet, settings: AttentionSettings) -> AttentionMapper:
    from bgs.backbones.attention import NoAttention
    from bgs.runs.attention_mapper import AttentionMapper

    try:
        size = min(cell.config.batch_size, _MICRO_BATCH)
        return AttentionMapper(reference, stimuli, settings.method, size, cell.config.device, False)
    except NoAttention as error:
        raise NotApplicable(f"{cell.model}: {error.what}") from None


def _looking(found: Mapping[int, Mapping[str, Mapping[str, Metric]]]) -> Looking:
    """From seed -> region -> measure."""

    def of(measure: str) -> Figures:
        return means(
            {s: {region: row[measure] for region, row in regions.items()} for s, regions in found.items()}
        )

    return Looking(of("area"), of("share"), of("enrichment"))


def _draw(
    experiment: Experiment, model: str, base: AttentionMapper, tuned: AttentionMapper, count: int
) -> tuple[Strip, ...]:
    """Strips of some clips, evenly spaced among those analysed."""
    from bgs.runs.attention_mapper import overlay_of

    ids = tuned.maps.stimulus_ids
    stems, strips = file_stems(experiment.study.stimuli.ids), []
    for place in np.unique(np.linspace(0, len(ids) - 1, min(count, len(ids))).round().astype(int)):
        figure = overlay_of(ids[place], {"base": base, "tuned": tuned})
        file = f"attention/{model}-{stems[ids[place]]}.png"
        draw_strip(figure, experiment.folder.analyses / file, _STRIP_PIXELS)
        strips.append(Strip(ids[place], file, figure.describe()))
    return tuple(strips)


def present(result: Attention, context: Context) -> Findings:
    """What tuning changed in attention by region: sentences, figures, strips and tables."""
    words, figures, tables = list[str](), list[FigureBlock](), list[Table]()
    for model, found in result.models.items():
        words += _words(context, result, model, found)
        figures += [_shares(context, result, model, found), *_strips(context, found)]
        tables.append(_table(context, result, model, found))
    return Findings(tuple(words), tuple(figures), tuple(tables), notes=reasons(result.not_applicable))


def _percent(figures: Figures) -> Figures:
    """Shares in percent, since regions and differences are small."""

    def scaled(figure: SeedMean) -> SeedMean:
        value, low, high = (100 * bound for bound in (figure.value, figure.low, figure.high))
        seeds = {seed: 100 * one for seed, one in figure.seeds.items()}
        return replace(figure, value=value, low=low, high=high, unit="percentage points", seeds=seeds)

    return {name: scaled(figure) for name, figure in figures.items()}


def _words(context: Context, result: Attention, model: str, found: ModelAttention) -> list[str]:
    """A sentence on each merged region; where none is merged, on each region but the background."""
    named = result.regions
    base, tuned = _percent(found.base.enrichment), _percent(found.tuned.enrichment)
    return [
        change_sentence(
            change, base[name].value, tuned[name].value,
            f"attention on {name} beyond their share of the picture (percentage points)",
            context.cause(model), "clips",
        )
        for name, change in _percent(found.difference).items()
        if (name in named if named else name != _BACKGROUND)
    ]  # fmt: skip


def _shares(context: Context, result: Attention, model: str, found: ModelAttention) -> FigureBlock:
    base, tuned = _percent(found.base.enrichment), _percent(found.tuned.enrichment)
    change = _percent(found.difference)
    levels = [
        ForestRow(name, (estimate("base", base[name], "base"), estimate("tuned", tuned[name], "tuned")))
        for name in change
    ]
    gaps = [ForestRow(name, (estimate("difference", figure, "tuned"),)) for name, figure in change.items()]
    panels = (
        ForestPanel("Attention on regions", _AXIS, tuple(levels), 0.0, "as much as their area"),
        ForestPanel("Tuned − base", "difference, percentage points", tuple(gaps), 0.0, "no difference"),
    )
    note = f"95 % intervals over {result.n_clips} clips; method: {result.method}."
    return FigureBlock(
        ForestFigure(panels, note), context.called(model, "Attention on regions relative to their area.")
    )


def _strips(context: Context, found: ModelAttention) -> list[FigureBlock]:
    """The pictures that the analysis drew; one that has been removed since is omitted."""
    blocks = []
    for strip in found.strips:
        path = context.experiment.folder.analyses / strip.file
        if path.is_file():
            caption = f"{strip.clip}: base above, tuned below; brighter patches receive more attention."
            blocks.append(FigureBlock(path.read_bytes(), caption, strip.alt))
    return blocks


def _table(context: Context, result: Attention, model: str, found: ModelAttention) -> Table:
    area, base, tuned = (_percent(x) for x in (found.tuned.area, found.base.share, found.tuned.share))
    lines: list[tuple[TableCell, ...]] = [
        (name, area[name], base[name], tuned[name], change, p_text(change.p), p_text(change.q), change.n)
        for name, change in _percent(found.difference).items()
    ]
    attention = "% of attention"
    header = (
        "region", "% of the picture", f"{attention}, base", f"{attention}, tuned", "difference", "p", "q", "clips",
    )  # fmt: skip
    caption = context.called(model, f"Attention ({result.method}) by region")
    return Table(caption, header, tuple(lines), tuple(range(1, 8)))


ATTENTION = Chapter(
    name="attention",
    title="Where the model attends",
    method=(
        "Attention is traced through all blocks (rollout) or taken from one of them, as weights of patches of frames. The "
        "share of attention on a region is the sum of the weights on it; uniform attention would equal its share of the "
        "picture.\n\n"
        "Regions come from the masks of the data set. Intervals resample clips; differences are paired by clip, and p comes "
        "from a sign-flip test."
    ),
    settings=AttentionSettings,
    analyse=analyse,
    result=Attention,
    present=present,
    rests_on=rests_on,
    optional=True,
)
