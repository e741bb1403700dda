"""Interpretable dimensions: the clips that have most of each, and the ratings that go with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bgs.evaluation import Dimensions, Metric
from bgs.experiments.page.chapter import Chapter, Findings
from bgs.experiments.page.source import Source, p_text
from bgs.experiments.showcase import thumbnails
from bgs.reports import Estimate, FigureBlock, ForestFigure, ForestPanel, ForestRow, Table
from bgs.reports.page import Cell
from bgs.reports.palette import Role
from bgs.reports.pictures import contact_sheet

#: Dimensions whose clips are shown.
_PICTURED = 4
_CALLED = 0.05
#: Share of the variance over pairs below which a dimension carries nothing.
_LEAST = 0.001


def _dimensions(source: Source) -> Findings:
    result = source.result("dimensions")
    models, notes = source.by_model(result)
    spaces: dict[str, tuple[Mapping[str, Any], Role]] = {source.words.judges: (result["people"], "people")}
    spaces |= {source.tuned(model): (found, "tuned") for model, found in models.items()}
    words = tuple(_words(name, space) for name, (space, _) in spaces.items())
    panels = tuple(_panel(name, space, role) for name, (space, role) in spaces.items() if space["ratings"])
    note = "95 % intervals over clips. The rating shown is the one of the largest correlation, so it is a little too large."
    figures = (
        [FigureBlock(ForestFigure(panels, note), "The rating that goes with each dimension.")]
        if panels
        else []
    )
    for name, (space, _) in spaces.items():
        figures += _pictures(source, name, space)
    return Findings(
        words, tuple(figures), tuple(_table(source, *space) for space in _unpacked(spaces)), notes=notes
    )


def _unpacked(spaces: Mapping[str, tuple[Mapping[str, Any], Role]]) -> list[tuple[str, Mapping[str, Any]]]:
    return [(name, space) for name, (space, _) in spaces.items()]


def _words(name: str, space: Mapping[str, Any]) -> str:
    found = Dimensions.from_json(space["dimensions"])
    pairs = found.provenance["n_pairs"]
    called = [best for best in _best(space) if best["q_pearson"] is not None and best["q_pearson"] <= _CALLED]
    named = ", ".join(f"{best['dimension'] + 1} with {best['attribute']}" for best in called)
    count = len(_carrying(space))
    text = (
        f"The similarities of {name} take {count} dimension{'s' if count != 1 else ''}, which explain "
        f"{found.explained:.0%} of their variance ({pairs:,} pairs)"
    )
    if not space["ratings"]:
        return f"{text}; there are no ratings to compare them with."
    return f"{text}; {f'they go with ratings: {named}' if named else 'there is no evidence that any goes with a rating'}."


def _carrying(space: Mapping[str, Any]) -> list[int]:
    """Dimensions that are not shrunk to nothing."""
    return [k for k, share in enumerate(space["dimensions"]["carried"]) if share >= _LEAST]


def _best(space: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Of each dimension the rating of the largest correlation, if there is any."""
    best: dict[int, Mapping[str, Any]] = {}
    for row in space["ratings"]:
        value, kept = row["pearson"]["value"], best.get(row["dimension"])
        if value is not None and (kept is None or abs(value) > abs(kept["pearson"]["value"])):
            best[row["dimension"]] = row
    return [best[k] for k in _carrying(space) if k in best]


def _panel(name: str, space: Mapping[str, Any], role: Role) -> ForestPanel:
    rows = tuple(
        ForestRow(
            f"{row['dimension'] + 1}: {row['attribute'].replace('_', ' ')}",
            (Estimate.of("correlation", Metric.from_json(row["pearson"]), role),),
        )
        for row in _best(space)
    )
    return ForestPanel(f"Dimensions of {name}", "Pearson correlation with the rating", rows, 0.0, "")


def _pictures(source: Source, name: str, space: Mapping[str, Any]) -> list[FigureBlock]:
    """The clips that have most of the first dimensions, a row each; none where there are no clips."""
    rows = [[clip["id"] for clip in space["top"][k]] for k in _carrying(space)[:_PICTURED]]
    pictures = thumbnails(source.data, [clip for row in rows for clip in row])
    if pictures is None:
        return []
    sheet = contact_sheet(pictures.reshape(len(rows), -1, *pictures.shape[1:]))
    caption = f"The clips that have most of each of the first dimensions of {name}, a dimension a row."
    words = "; ".join(f"dimension {k}: {', '.join(row)}" for k, row in enumerate(rows, start=1))
    return [FigureBlock(sheet, caption, f"{caption} {words}")]


def _table(source: Source, name: str, space: Mapping[str, Any]) -> Table:
    found, best = Dimensions.from_json(space["dimensions"]), {row["dimension"]: row for row in _best(space)}
    lines: list[tuple[Cell, ...]] = []
    for k in _carrying(space):
        top, row = space["top"][k], best.get(k)
        rating: tuple[Cell, ...] = ("–", None, "–")
        if row is not None:
            rating = (row["attribute"], Metric.from_json(row["pearson"]), p_text(row["q_pearson"]))
        lines.append(
            (k + 1, f"{found.carried[k]:.1%}", *rating, _clips(source, [clip["id"] for clip in top[:3]]))
        )
    header = ("dimension", "variance carried", "rating", "correlation", "q", "clips that have most of it")
    return Table(f"Dimensions of {name}, {len(found.stimulus_ids)} clips", header, tuple(lines), (1, 3, 4))


def _clips(source: Source, ids: Sequence[str]) -> str:
    stimuli = source.data.study.stimuli
    captions = [stimuli.captions[stimuli.index[name]] if stimuli.captions else () for name in ids]
    return "; ".join(
        f"{name}: {said[0].rstrip('.')}" if said else name for name, said in zip(ids, captions, strict=True)
    )


DIMENSIONS = Chapter(
    "dimensions", "Dimensions of similarity",
    "Non-negative sparse loadings of clips whose products are their similarities; the number of dimensions is chosen by held-out "
    "pairs. For {judges} similarity is how often two clips are kept together, for a model 1 minus half its distance. Shares of "
    "variance sum to more than is explained, or lie above 100 %, where dimensions speak against each other.\n\n"
    "Correlations with ratings: intervals resample clips and take the dimensions as found; q adjusts for all dimensions and "
    "ratings. Dimensions of a model are those of its first seed.",
    _dimensions,
)  # fmt: skip
