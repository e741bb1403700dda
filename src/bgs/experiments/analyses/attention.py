"""Where base and tuned models look: shares of attention on regions against those of the regions' areas."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bgs._files import sha256, sha256_of
from bgs.evaluation import AttentionShares, Metric, attention_shares
from bgs.experiments.analyses.over_seeds import base_means, before_and_after, by_model, means, to_json
from bgs.experiments.applicable import NotApplicable
from bgs.experiments.cells import Cell
from bgs.experiments.experiment_data import ExperimentData
from bgs.experiments.results import with_q
from bgs.experiments.sections import AttentionSettings
from bgs.reports.draw_overlay import draw_strip
from bgs.stimuli import RegionMasks, StimulusSet
from bgs.stimuli.masks import FOLDER
from bgs.stimuli.stems import file_stems

if TYPE_CHECKING:
    from bgs.runs.attention_mapper import AttentionMapper

_STRIP_PIXELS = 96
#: Clips at a time, at most: a clip takes blocks × tokens² × 4 bytes.
_MICRO_BATCH = 4
MEASURES = ("area", "share", "enrichment")


def attention(data: ExperimentData) -> dict[str, Any]:
    """Attention by region of each model.

    ``base``, ``tuned``: ``area``, ``share``, ``enrichment`` (share − area) -> region -> mean over seeds;
    ``difference``: region -> difference in enrichment, tuned − base, paired by clip, with q over regions. ``strips``:
    clip, file (below ``analyses/``) and its description.
    """
    section = data.config.analyses.attention
    assert section is not None
    videos = data.study.stimuli.videos
    if videos is None or None in videos:
        raise NotApplicable("the clips are not on this machine")
    regions = _regions(data, section)
    return by_model(data, lambda data, model: _of_model(data, model, section, regions))


def attention_files(data: ExperimentData) -> str:
    """What the regions rest on: SHA-256 over the files of masks or boxes."""
    section, folder = data.config.analyses.attention, data.study.dataset.folder
    assert section is not None
    masks = section.masks or folder
    files = [] if masks is None else sorted((masks / FOLDER).rglob("*.safetensors"))
    return sha256_of(
        *(sha256(path) for path in (*files, section.boxes) if path is not None and path.is_file())
    )


def _regions(data: ExperimentData, section: AttentionSettings) -> dict[str, RegionMasks]:
    """Masks of the clips looked at, their regions put together as the settings say."""
    from bgs.runs.attention_mapper import read_regions

    stimuli = data.study.stimuli
    wanted = set(_clips(data, section))
    found = {
        name: masks
        for name, masks in read_regions(data.study.dataset, section.masks, section.boxes).items()
        if name in wanted
    }
    if not found:
        raise NotApplicable("no clip of the data set has region masks")
    groups = {region: name for name, regions in section.regions.items() for region in regions}
    return {name: found[name].merged(groups) for name in stimuli.ids if name in found}


def _clips(data: ExperimentData, section: AttentionSettings) -> list[str]:
    stimuli = data.study.stimuli
    if isinstance(section.clips, int):
        return [stimuli.ids[i] for i in data.evaluated[: section.clips]]
    stimuli.positions(section.clips)  # an unknown clip is an error
    return list(section.clips)


def _of_model(
    data: ExperimentData, model: str, section: AttentionSettings, regions: Mapping[str, RegionMasks]
) -> dict[str, Any]:
    shown = data.study.stimuli.subset(data.study.stimuli.positions(tuple(regions)))
    found: dict[int, AttentionShares] = {}
    strips: list[dict[str, str]] = []
    look = partial(_looker, stimuli=shown, section=section)
    for seed, base, tuned in before_and_after(data, model, look):
        found[seed] = _shares(data, tuned, base, regions)
        if not strips:
            strips = _draw(data, model, {"base": base, "tuned": tuned}, section.strips)
    return {
        "method": section.method,
        "n_clips": len(regions),
        **_tables(data, model, found),
        "strips": strips,
    }


def _looker(reference: str, cell: Cell, stimuli: StimulusSet, section: AttentionSettings) -> AttentionMapper:
    from bgs.backbones.attention import NoAttention
    from bgs.runs.attention_mapper import AttentionMapper

    try:
        return AttentionMapper(
            reference,
            stimuli,
            section.method,
            min(cell.config.micro_batch, _MICRO_BATCH),
            cell.config.device,
            False,
        )
    except NoAttention as error:
        raise NotApplicable(f"{cell.model}: {error.what}") from None


def _shares(
    data: ExperimentData, tuned: AttentionMapper, base: AttentionMapper, regions: Mapping[str, RegionMasks]
) -> AttentionShares:
    settings = data.config.evaluation
    return attention_shares(
        tuned.maps, regions, base.maps, resamples=settings.resamples,
        permutations=settings.permutations, seed=data.config.seeds[0],
    )  # fmt: skip


def _tables(data: ExperimentData, model: str, found: Mapping[int, AttentionShares]) -> dict[str, Any]:
    def of(table: str, measure: str) -> dict[int, dict[str, Metric]]:
        return {
            seed: {region: metrics[measure] for region, metrics in getattr(shares, table).items()}
            for seed, shares in found.items()
        }

    tuned = {measure: to_json(means(of("metrics", measure))) for measure in MEASURES}
    base = {measure: to_json(base_means(data, model, of("against", measure))) for measure in MEASURES}
    difference = with_q(means({seed: shares.differences for seed, shares in found.items()}))
    return {"base": base, "tuned": tuned, "difference": to_json(difference)}


def _draw(
    data: ExperimentData, model: str, mappers: Mapping[str, AttentionMapper], count: int
) -> list[dict[str, str]]:
    """Strips of a few clips, evenly spread over those looked at."""
    from bgs.runs.attention_mapper import overlay_of

    ids = mappers["tuned"].maps.stimulus_ids
    stems, strips = file_stems(data.study.stimuli.ids), []
    for place in np.unique(np.linspace(0, len(ids) - 1, min(count, len(ids))).round().astype(int)):
        figure = overlay_of(ids[place], mappers)
        file = f"attention/{model}-{stems[ids[place]]}.png"
        draw_strip(figure, data.folder.analyses / file, _STRIP_PIXELS)
        strips.append({"clip": ids[place], "file": file, "alt": figure.describe()})
    return strips
