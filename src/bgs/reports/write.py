"""Writes a page as one self-contained HTML file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bgs import __version__
from bgs._files import write_text
from bgs._numbers import plain
from bgs.evaluation import Metric
from bgs.reports.opening import LETTERS, QUESTION, Opening
from bgs.reports.page import Cell, FigureBlock, Headline, Page, Section, Table, TripletBlock
from bgs.reports.pictures import data_uri, jpeg, natural_width
from bgs.reports.rendering import render_panels
from bgs.reports.svg import inline_svg
from bgs.reports.templates import template
from bgs.reports.triplets import TripletSpec, chooser_names
from bgs.reports.vocabulary import Vocabulary


def write_page(page: Page, path: str | Path) -> None:
    """Write a page as one HTML file, atomically: styles and figures are embedded, and nothing is fetched.

    Raises:
        MissingExtraError: jinja2, matplotlib or Pillow is not installed.
        BgsError: the file cannot be written.
    """
    write_text(path, page_html(page))


def page_html(page: Page) -> str:
    """The page as HTML text."""
    return template("page.html.jinja").render(
        page=page,
        opening=None if page.opening is None else _opening(page.opening),
        headline=None if page.headline is None else _headline(page.headline),
        lead=paragraphs(_unbroken(page.lead)),
        sections=[_section(section, page.words) for section in page.sections],
        provenance=provenance_rows(page.provenance),
        version=__version__,
    )


def cell_text(cell: Cell) -> str:
    """A cell as printed: ``.31 [.22, .40]``, ``1,225``, ``.5``; text unchanged."""
    if cell is None:
        return ""
    if isinstance(cell, Metric):
        return cell.words()
    if isinstance(cell, float):
        return plain(cell, 3)
    return cell if isinstance(cell, str) else f"{cell:,}"


def paragraphs(text: str) -> list[str]:
    """Text split at blank lines."""
    return [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]


def _unbroken(text: str) -> str:
    """Text in which no line ends between a number and its per cent sign."""
    return re.sub(r"(?<=\d) %", "\N{NO-BREAK SPACE}%", text)


def provenance_rows(provenance: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """(heading, rows of name and value): mappings become headings, everything else comes first without one."""
    flat = [(name, _value(value)) for name, value in provenance.items() if not isinstance(value, Mapping)]
    nested = [(str(name), _leaves(value)) for name, value in provenance.items() if isinstance(value, Mapping)]
    return ([("", flat)] if flat else []) + nested


def _leaves(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in values.items():
        whole = f"{prefix}{name}"
        rows += _leaves(value, f"{whole}.") if isinstance(value, Mapping) else [(whole, _value(value))]
    return rows


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_value(item) for item in value)
    return "–" if value is None else str(value)


def _opening(opening: Opening) -> dict[str, Any]:
    """The example: clips with their letters, and the answer of each chooser."""
    card = _card(opening.triplet, opening.names, LETTERS)
    return {
        **card,
        "question": QUESTION,
        "verdicts": opening.verdicts,
        "agreement": _unbroken(opening.agreement),
        "rule": _unbroken(opening.rule),
    }


def _headline(headline: Headline) -> dict[str, Any]:
    return {
        "figure": _figure(headline.figure, "headline"),
        "sentences": paragraphs(_unbroken(headline.sentence)),
    }


def _section(section: Section, words: Vocabulary) -> dict[str, Any]:
    """A section as the template needs it, with everything drawn and encoded."""
    return {
        "spec": section,
        "sentences": paragraphs(_unbroken(section.sentence)) or [""],
        "figures": [_figure(block, f"{section.key}-{k}") for k, block in enumerate(section.figures, 1)],
        "tables": [_table(table) for table in section.tables],
        "triplets": [_triplets(block, words) for block in section.triplets],
        "method": paragraphs(_unbroken(section.method)),
    }


def _figure(block: FigureBlock, name: str) -> dict[str, Any]:
    """Panels as safe markup: drawn by this package, or a data URI in an <img>."""
    if isinstance(block.figure, bytes):
        # A picture from elsewhere is never put into the page as markup.
        return {
            "block": block,
            "panels": [{"uri": data_uri(block.figure), "width": natural_width(block.figure)}],
        }
    from markupsafe import Markup

    panels = []
    titles = [panel.title for panel in block.figure.panels]
    for k, (title, data) in enumerate(zip(titles, render_panels(block.figure), strict=True)):
        # Several panels share one description: the first carries it, the others their title.
        alt = block.words if k == 0 else title
        panels.append({"svg": Markup(inline_svg(data, f"{name}-{k}", alt)), "width": natural_width(data)})
    return {"block": block, "panels": panels}


def _table(table: Table) -> dict[str, Any]:
    rows = [[cell_text(cell) for cell in row] for row in table.rows]
    return {"caption": table.caption, "header": table.header, "rows": rows, "numeric": table.numeric}


def _triplets(block: TripletBlock, words: Vocabulary) -> dict[str, Any]:
    cards = [_card(triplet, chooser_names(words)) for triplet in block.triplets]
    return {"title": block.title, "sentence": block.sentence, "cards": cards}


def _card(
    triplet: TripletSpec, names: Mapping[str, str], letters: tuple[str, str, str] = ("", "", "")
) -> dict[str, Any]:
    clips = [
        {
            "letter": letters[slot],
            "name": clip.name,
            "caption": clip.caption,
            "strip": None
            if clip.frames is None
            else data_uri(jpeg(np.concatenate(list(clip.frames), axis=1))),
            "alt": f"{0 if clip.frames is None else len(clip.frames)} frames of {clip.name}"
            + (f": {clip.caption}" if clip.caption else ""),
            "choosers": [(who, names[who]) for who in triplet.choosers(slot)],
        }
        for slot, clip in enumerate(triplet.clips)
    ]
    return {"clips": clips, "note": triplet.note}
