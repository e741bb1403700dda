"""Interpretable dimensions of the similarities of people and of tuned models, and the ratings they correlate with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from bgs._codec import CustomJson
from bgs._config import Settings
from bgs._typing import Float64
from bgs.evaluation import DimensionRating, Dimensions, find_dimensions, rate_dimensions
from bgs.experiments.chapters.chapter import Chapter, Findings
from bgs.experiments.chapters.context import Context, p_text, reasons
from bgs.experiments.chapters.over_seeds import by_model
from bgs.experiments.showcase import thumbnails
from bgs.reports import Estimate, FigureBlock, ForestFigure, ForestPanel, ForestRow, Table
from bgs.reports.page import Cell
from bgs.reports.palette import Role
from bgs.reports.pictures import contact_sheet

if TYPE_CHECKING:
    from bgs.experiments.experiment import Experiment

#: Dimensions whose clips are shown; how many of the clips with the highest loadings on each are shown, and named.
_PICTURED, _SHOWN, _NAMED = 4, 6, 3
_CALLED = 0.05
#: Share of the variance over pairs below which a dimension counts as empty.
_LEAST = 0.001


class DimensionsSettings(Settings):
    """Sparse non-negative dimensions of people's and models' similarities, and their correlations with the ratings."""

    dimensions: int = Field(8, ge=1)
    """Largest number of dimensions to consider."""
    starts: int = Field(3, ge=1)
    """Random starts of each fit."""


@dataclass(frozen=True)
class Space:
    """Dimensions of people or of one model.

    Attributes:
        dimensions: of the similarities.
        ratings: correlations with every rating that varies; empty where there is none.
        seed: of the model; None for people.
    """

    dimensions: Annotated[Dimensions, CustomJson()]
    ratings: tuple[DimensionRating, ...]
    seed: int | None = None

    @property
    def carrying(self) -> list[int]:
        """Dimensions that are not empty."""
        return [k for k, share in enumerate(self.dimensions.carried) if share >= _LEAST]

    def top(self, dimension: int, clips: int) -> list[str]:
        """Ids of the clips with the highest loadings on a dimension."""
        return [name for name, _ in self.dimensions.top(dimension, clips)]

    @property
    def best(self) -> dict[int, DimensionRating]:
        """Dimension that is not empty -> the rating with the largest absolute correlation, if there is any."""
        best: dict[int, DimensionRating] = {}
        for row in self.ratings:
            value, kept = row.pearson.value, best.get(row.dimension)
            if value == value and (kept is None or abs(value) > abs(kept.pearson.value)):
                best[row.dimension] = row
        return {k: best[k] for k in self.carrying if k in best}


@dataclass(frozen=True)
class Spaces:
    """Dimensions of people and of each model, and model -> why the analysis does not apply to it."""

    people: Space
    models: dict[str, Space]
    not_applicable: dict[str, str]


def analyse(experiment: Experiment, settings: DimensionsSettings) -> Spaces:
    """Dimensions of people and of each model.

    Dimensions of different seeds do not correspond, so those of a model are taken from its first finished seed.
    """

    def of_model(model: str) -> Space:
        pairs = experiment.pairs(model)
        seed = min(pairs)
        # Cosine similarities reach -1, which products of non-negative loadings cannot; half the distance lies in 0-1, as
        # people's dissimilarities do.
        return _space(experiment, settings, experiment.distances(pairs[seed][1]) / 2, seed)

    everybody = np.arange(len(experiment.study.stimuli))
    return Spaces(_space(experiment, settings, experiment.human(everybody)), *by_model(experiment, of_model))


def _space(
    experiment: Experiment,
    settings: DimensionsSettings,
    rdm: Float64[np.ndarray, "n n"],
    seed: int | None = None,
) -> Space:
    most = min(settings.dimensions, len(rdm))
    found = find_dimensions(
        rdm, experiment.study.stimuli.ids, ranks=range(1, most + 1), starts=settings.starts,
        seed=experiment.config.seeds[0],
    )  # fmt: skip
    return Space(found, _ratings(experiment, found), seed)


def _ratings(experiment: Experiment, found: Dimensions) -> tuple[DimensionRating, ...]:
    settings, ratings = experiment.config.evaluation, experiment.study.stimuli.ratings
    usable = [name for name, values in ratings.items() if len(np.unique(values[np.isfinite(values)])) > 1]
    rows = rate_dimensions(
        found, experiment.study.stimuli, usable, resamples=settings.resamples,
        permutations=settings.permutations, seed=experiment.config.seeds[0],
    )  # fmt: skip
    return tuple(rows)


def present(result: Spaces, context: Context) -> Findings:
    """The rating that correlates most with each dimension, the clips with the highest loadings on it, and a table."""
    tuned = {context.tuned(model): found for model, found in result.models.items()}
    spaces = {context.words.judges: result.people, **tuned}
    roles: dict[str, Role] = {context.words.judges: "people", **dict.fromkeys(tuned, "tuned")}
    panels = tuple(_panel(name, space, roles[name]) for name, space in spaces.items() if space.ratings)
    note = (
        "95 % intervals over clips. Shown is the rating with the largest correlation, which is therefore slightly "
        "overestimated."
    )
    figures = (
        [FigureBlock(ForestFigure(panels, note), "The rating that correlates most with each dimension.")]
        if panels
        else []
    )
    for name, space in spaces.items():
        figures += _pictures(context, name, space)
    return Findings(
        tuple(_words(name, space) for name, space in spaces.items()), tuple(figures),
        tuple(_table(context, name, space) for name, space in spaces.items()), notes=reasons(result.not_applicable),
    )  # fmt: skip


def _words(name: str, space: Space) -> str:
    found = space.dimensions
    pairs = found.provenance["n_pairs"]
    called = [best for best in space.best.values() if best.q_pearson <= _CALLED]
    named = ", ".join(f"{best.dimension + 1} ({best.attribute})" for best in called)
    count = len(space.carrying)
    text = (
        f"{count} dimension{'s explain' if count != 1 else ' explains'} {found.explained:.0%} of the variance of the "
        f"similarities of {name} ({pairs:,} pairs)"
    )
    if not space.ratings:
        return f"{text}; there are no ratings to compare them with."
    if not named:
        return f"{text}; there is no evidence that any of them correlates with a rating."
    return f"{text}; correlated with a rating: {named}."


def _panel(name: str, space: Space, role: Role) -> ForestPanel:
    rows = tuple(
        ForestRow(
            f"{row.dimension + 1}: {row.attribute.replace('_', ' ')}",
            (Estimate.of("correlation", row.pearson, role),),
        )
        for row in space.best.values()
    )
    return ForestPanel(f"Dimensions of {name}", "Pearson correlation with the rating", rows, 0.0, "")


def _pictures(context: Context, name: str, space: Space) -> list[FigureBlock]:
    """The clips with the highest loadings on the first dimensions, one row each; none where there are no clips."""
    rows = [space.top(k, _SHOWN) for k in space.carrying[:_PICTURED]]
    pictures = thumbnails(context.experiment, [clip for row in rows for clip in row])
    if pictures is None:
        return []
    sheet = contact_sheet(pictures.reshape(len(rows), -1, *pictures.shape[1:]))
    caption = f"The clips with the highest loadings on the first dimensions of {name}, one row per dimension."
    words = "; ".join(f"dimension {k}: {', '.join(row)}" for k, row in enumerate(rows, start=1))
    return [FigureBlock(sheet, caption, f"{caption} {words}")]


def _table(context: Context, name: str, space: Space) -> Table:
    found = space.dimensions
    lines: list[tuple[Cell, ...]] = []
    for k in space.carrying:
        row = space.best.get(k)
        rating: tuple[Cell, ...] = ("–", None, "–")
        if row is not None:
            rating = (row.attribute, row.pearson, p_text(row.q_pearson))
        clips = _clips(context, space.top(k, _NAMED))
        lines.append((k + 1, f"{found.carried[k]:.1%}", *rating, clips))
    header = (
        "dimension",
        "variance carried",
        "rating",
        "correlation",
        "q",
        "clips with the highest loadings",
    )
    return Table(
        f"Dimensions of {name}, {len(found.stimulus_ids)} clips", header, tuple(lines), (1, 3, 4), (5,)
    )


def _clips(context: Context, ids: Sequence[str]) -> str:
    stimuli = context.experiment.study.stimuli
    captions = [stimuli.captions[stimuli.index[name]] if stimuli.captions else () for name in ids]
    return "; ".join(
        f"{name}: {said[0].rstrip('.')}" if said else name for name, said in zip(ids, captions, strict=True)
    )


DIMENSIONS = Chapter(
    name="dimensions",
    title="Dimensions of similarity",
    method=(
        "Sparse non-negative loadings of clips, whose inner products reproduce their similarities; the number of dimensions "
        "is chosen on held-out pairs. For {judges}, similarity is the proportion of presentations in which two clips are kept "
        "together; for a model, 1 minus half its distance. Shares of variance can add up to more than is explained, and "
        "exceed 100 %, where dimensions oppose each other.\n\n"
        "Correlations with ratings: intervals resample clips and treat the dimensions as given; q is adjusted for all "
        "dimensions and ratings. The dimensions of a model are those of its first seed."
    ),
    settings=DimensionsSettings,
    analyse=analyse,
    result=Spaces,
    present=present,
)
