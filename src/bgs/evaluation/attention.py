"""Share of a model's attention on each region, compared with the region's share of the area."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bgs._codec import JsonDataclass, Number
from bgs._errors import DataError, listed
from bgs._typing import Float64
from bgs.evaluation.regions import region_fractions
from bgs.evaluation.resampling import bootstrap, percentile_interval
from bgs.evaluation.result import Metric
from bgs.evaluation.sign_flip import sign_flip_p_value
from bgs.stimuli import ClipMaps, RegionMasks

#: Measures of a region: unit and range.
_UNITS = {
    "area": ("share of the picture", (0.0, 1.0)),
    "share": ("share of attention", (0.0, 1.0)),
    "enrichment": ("share of attention − share of the picture", (-1.0, 1.0)),
}


@dataclass(frozen=True, eq=False)
class RegionShares:
    """Area and attention of k regions in n clips, NaN where a clip does not show a region.

    Attributes:
        areas: (n, k) share of the pixels seen by the model, averaged over frames: the expected share of uniform
            attention, i.e. chance level.
        shares: (n, k) share of the model's attention.
        stimulus_ids: n ids.
        names: k names.
    """

    areas: Float64[np.ndarray, "n k"]
    shares: Float64[np.ndarray, "n k"]
    stimulus_ids: tuple[str, ...]
    names: tuple[str, ...]

    def measures(self) -> dict[str, Float64[np.ndarray, "n k"]]:
        """Measures by name: area, share, and enrichment = share − area."""
        return {"area": self.areas, "share": self.shares, "enrichment": self.shares - self.areas}


@dataclass(frozen=True)
class AttentionShares(JsonDataclass):
    """Attention by region, with 95 % intervals over clips.

    All p-values are two-sided, from sign-flip tests over clips of a mean of zero.

    Attributes:
        method: how attention was measured.
        metrics: region -> ``area``, ``share``, ``enrichment`` (share − area) of the model; ``n`` is the number of
            clips that show the region.
        against: region -> the same for the comparison model; empty if there is none.
        differences: region -> difference in enrichment, first model − second, paired by clip.
        clips: stimulus id -> region -> [area, share] (and the share of the second model), NaN if the clip does not show
            the region.
        provenance: models, data, versions and settings; JSON types only.
    """

    method: str
    metrics: dict[str, dict[str, Metric]]
    against: dict[str, dict[str, Metric]] = field(default_factory=dict)
    differences: dict[str, Metric] = field(default_factory=dict)
    clips: dict[str, dict[str, list[Number]]] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)


def region_shares(maps: ClipMaps, masks: Mapping[str, RegionMasks]) -> RegionShares:
    """Area and attention of every region in every clip; regions are matched by name.

    share = Σ map · fraction over patches and frames; area = the mean of the fractions
    (see :func:`bgs.evaluation.regions.region_fractions`).

    Args:
        maps: maps of n clips.
        masks: stimulus id -> masks, for all of these clips.

    Raises:
        DataError: a clip has no masks.
    """
    missing = [name for name in maps.stimulus_ids if name not in masks]
    if missing:
        raise DataError(f"{len(missing)} of {len(maps)} clips have no masks: {listed(missing)}")
    names = tuple(dict.fromkeys(name for i in maps.stimulus_ids for name in masks[i].names))
    areas, shares = np.empty((2, len(maps), len(names)))
    for row, (name, weights) in enumerate(zip(maps.stimulus_ids, maps.values, strict=True)):
        fractions = region_fractions(masks[name], names, maps.sampling, weights.shape[1:])
        areas[row] = fractions.mean(axis=(1, 2, 3))
        shares[row] = (fractions * weights).sum(axis=(1, 2, 3))
    absent = areas == 0
    areas[absent] = shares[absent] = np.nan
    return RegionShares(areas, shares, maps.stimulus_ids, names)


def attention_shares(
    maps: ClipMaps,
    masks: Mapping[str, RegionMasks],
    against: ClipMaps | None = None,
    *,
    resamples: int = 2000,
    permutations: int = 10_000,
    seed: int = 0,
    provenance: Mapping[str, Any] | None = None,
) -> AttentionShares:
    """Attention by region of a model and, optionally, of another on the same clips.

    Args:
        maps: maps of the model.
        masks: stimulus id -> masks, for every clip.
        against: maps of the comparison model, for the same clips, in any order, with the same method.
        resamples: bootstrap resamples of clips, the same for both models.
        permutations: sign flips for p-values.
        seed: random seed.
        provenance: stored in the result.

    Raises:
        DataError: clips have no masks, or the models were measured on different clips or with different methods.
    """
    models = [region_shares(maps, masks)]
    if against is not None:
        models.append(region_shares(_aligned(against, maps), masks))
    means = _Means(resamples, permutations, seed)
    metrics = [_metrics(model, means) for model in models]
    differences = {}
    if against is not None:
        first, second = (model.measures()["enrichment"] for model in models)
        for column, region in enumerate(models[0].names):
            unit = f"difference in {_UNITS['enrichment'][0]}"
            differences[region] = means.metric((first - second)[:, column], unit, (-2.0, 2.0))
    settings = {"resamples": resamples, "permutations": permutations, "seed": seed}
    return AttentionShares(
        maps.method, metrics[0], metrics[1] if against else {}, differences, _by_clip(models),
        {**(provenance or {}), **settings},
    )  # fmt: skip


@dataclass(frozen=True)
class _Means:
    """Means over clips with their uncertainty; clips with NaN are ignored."""

    resamples: int
    permutations: int
    seed: int

    def metric(
        self, values: Float64[np.ndarray, " n"], unit: str, bounds: tuple[float, float], test: bool = True
    ) -> Metric:
        """Mean, percentile interval over resampled clips and, optionally, p for a mean of zero."""
        known = values[~np.isnan(values)]
        if not len(known):
            return Metric(np.nan, np.nan, np.nan, 0, unit, p=np.nan if test else None)
        draws = bootstrap(
            lambda copies, _: np.asarray(known.mean() if copies is None else copies @ known / len(known)),
            len(known), 1, design="clips", resamples=self.resamples, seed=self.seed,
        )  # fmt: skip
        value = float(known.mean())
        interval = percentile_interval(draws, value, bounds)
        p = sign_flip_p_value(known, permutations=self.permutations, seed=self.seed) if test else None
        return Metric(value, *interval, len(known), unit, {"clips": interval}, p)


def _metrics(model: RegionShares, means: _Means) -> dict[str, dict[str, Metric]]:
    found: dict[str, dict[str, Metric]] = {region: {} for region in model.names}
    for measure, values in model.measures().items():
        unit, bounds = _UNITS[measure]
        for region, column in zip(model.names, values.T, strict=True):
            found[region][measure] = means.metric(column, unit, bounds, test=measure == "enrichment")
    return found


def _aligned(other: ClipMaps, maps: ClipMaps) -> ClipMaps:
    """The other model's maps in the order of this one's."""
    if set(other.stimulus_ids) != set(maps.stimulus_ids) or other.method != maps.method:
        raise DataError(
            "the models were measured on different clips or with different methods", where=other.source,
            expected=f"{maps.method} of {len(maps)} clips", got=f"{other.method} of {len(other)} clips",
        )  # fmt: skip
    return other.select(maps.stimulus_ids)


def _by_clip(models: list[RegionShares]) -> dict[str, dict[str, list[float]]]:
    table = np.stack([values for model in models for values in (model.areas, model.shares)], axis=-1)
    return {
        clip: {region: table[row, column].tolist() for column, region in enumerate(models[0].names)}
        for row, clip in enumerate(models[0].stimulus_ids)
    }
