"""Writes a page as Markdown with its figures in a folder beside it: for a documentation site or a repository."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from bgs._errors import BgsError
from bgs._files import read_text, write_bytes, write_text
from bgs.reports.clip_maps import ClipMapFigure
from bgs.reports.opening import QUESTION, Opening
from bgs.reports.page import FigureBlock, Headline, Page, Section, Table
from bgs.reports.pictures import stacked_strips
from bgs.reports.rendering import draw
from bgs.reports.write import cell_text, paragraphs

BEGIN, END = "<!-- report: written by bgs report -->", "<!-- /report -->"
_BEGIN = re.compile(r"<!-- report(?::[^>]*)? -->")
_PLACE = re.compile(f"{_BEGIN.pattern}.*?{END}", re.DOTALL)


def write_markdown(page: Page, path: str | Path, *, show_clips: bool) -> None:
    """Write a page as Markdown, atomically; its figures go to ``figures/<name of the page>/`` beside it.

    A new file consists of the title and, between two comments, the report. In an existing file only the part between these
    comments is replaced, so that text can be written around the report.

    Args:
        page: what to write.
        path: the Markdown file.
        show_clips: whether clips may be shown, named and described; only where the data set may be published.

    Raises:
        BgsError: an existing file does not contain the two comments exactly once, or the file cannot be written.
        MissingExtraError: matplotlib, jinja2 or Pillow is not installed.
    """
    path = Path(path)
    around = _around(page, path)
    figures = _Figures(path.parent / "figures" / path.stem, f"figures/{quote(path.stem, safe='')}")
    text = _markdown(page, figures, show_clips).replace(
        "<!--", "&lt;!--"
    )  # no text of the data ends the report
    write_text(path, _PLACE.sub(lambda _: f"{BEGIN}\n{text}\n{END}", around))


@dataclass(frozen=True)
class _Figures:
    """Where figures are written, and the address by which the page links to that folder."""

    folder: Path
    link: str

    def drawn(self, name: str, block: FigureBlock) -> str:
        """An image of a figure spec, which is drawn as SVG."""
        assert not isinstance(block.figure, bytes)
        draw(block.figure, self.folder / f"{name}.svg")
        return f"![{block.caption}]({self.link}/{name}.svg)"

    def photograph(self, name: str, jpeg: bytes, words: str) -> str:
        """An image of a JPEG picture."""
        write_bytes(self.folder / f"{name}.jpg", jpeg)
        return f"![{words}]({self.link}/{name}.jpg)"


def _around(page: Page, path: Path) -> str:
    """The text around the report: an existing file's, or the title."""
    if not path.exists():
        return f"# {page.title}\n\n{BEGIN}{END}\n"
    text = read_text(path)
    if (places := max(len(_BEGIN.findall(text)), text.count(END))) != 1 or not _PLACE.search(text):
        raise BgsError(
            "an existing file without a place for the report", where=path, expected=f"{BEGIN} and {END}, once",
            got=f"{places} times" if places != 1 else "not in this order",
            hint="insert the two comments where the report belongs, or choose a new file",
        )  # fmt: skip
    return text


def _markdown(page: Page, figures: _Figures, show_clips: bool) -> str:
    """The page without its title and provenance."""
    parts = [f"> {page.banner}"] if page.banner else []
    if page.opening is not None and show_clips:
        parts += _opening(page.opening, figures)
    if page.headline is not None:
        parts += _headline(page.headline, figures)
    parts += paragraphs(page.lead)
    for section in page.sections:
        parts += _section(section, figures, show_clips)
    return "\n\n".join([*parts, *paragraphs(page.cost)])


def _opening(opening: Opening, figures: _Figures) -> list[str]:
    strips = stacked_strips([clip.frames for clip in opening.triplet.clips if clip.frames is not None])
    return [
        f"**{QUESTION}**",
        *([] if strips is None else [figures.photograph("opening", strips, opening.describe())]),
        "\n".join(f"- **{letter}**: {clip.caption or clip.name}" for letter, clip in opening.lettered),
        " ".join(verdict.text for verdict in opening.verdicts),
        opening.agreement,
        f"<sub>{opening.rule}</sub>",
    ]


def _headline(headline: Headline, figures: _Figures) -> list[str]:
    return [figures.drawn("headline", headline.figure), *paragraphs(headline.sentence)]


def _section(section: Section, figures: _Figures, show_clips: bool) -> list[str]:
    parts = [f"### {section.title}", *paragraphs(section.sentence), *(f"*{note}*" for note in section.notes)]
    for number, block in enumerate(section.figures, 1):
        # Pictures given as bytes are of clips, and large: they are in the HTML report only.
        shows_clips = isinstance(block.figure, ClipMapFigure)
        if not isinstance(block.figure, bytes) and (show_clips or not shows_clips):
            parts.append(figures.drawn(f"{section.key}-{number}", block))
    parts += [_table(table, show_clips) for table in section.tables]
    method = " ".join(paragraphs(section.method))
    return [*parts, f"<sub>{method}</sub>"] if method else parts


def _table(table: Table, show_clips: bool) -> str:
    kept = [k for k in range(len(table.header)) if show_clips or k not in table.naming]
    rule = "|" + "|".join("--:" if table.numeric[k] else "---" for k in kept) + "|"
    rows = [[table.header[k] for k in kept], *([cell_text(row[k]) for k in kept] for row in table.rows)]
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([f"**{table.caption}**", "", lines[0], rule, *lines[1:]])
