"""A report page as frozen specs: an opening, sections with sentences, figures, tables and triplets, and provenance."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bgs._errors import DataError
from bgs.evaluation import Metric
from bgs.reports.opening import Opening
from bgs.reports.rendering import Figure
from bgs.reports.triplets import TripletSpec
from bgs.reports.vocabulary import PEOPLE, Vocabulary

#: A table's cell: a metric is printed with its interval, None is an empty cell.
Cell = str | int | float | Metric | None

#: Parts of every page, which no section may be called.
RESERVED = ("opening", "headline", "provenance")

_KEY = re.compile(r"[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True)
class FigureBlock:
    """A figure in a page.

    Attributes:
        figure: a figure spec, or the bytes of an SVG, PNG or JPEG picture.
        caption: text below it.
        alt: alternative text; empty: that of the spec.

    Raises:
        DataError: a picture without alternative text.
    """

    figure: Figure | bytes
    caption: str
    alt: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.figure, bytes) and not self.alt:
            raise DataError("a picture needs alternative text", where=self.caption or "a figure")

    @property
    def words(self) -> str:
        """Alternative text."""
        return self.alt or ("" if isinstance(self.figure, bytes) else self.figure.describe())

    @property
    def footnote(self) -> str:
        """The note of the figure itself, below its caption."""
        return "" if isinstance(self.figure, bytes) else self.figure.footnote


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        caption: what it shows.
        header: name of each column.
        rows: cells; a :class:`bgs.evaluation.Metric` is printed with its interval.
        numbers: columns (from 0) aligned right, besides those that hold only numbers.
        naming: columns that name or describe clips, omitted where the data set may not be published.

    Raises:
        DataError: a row that is longer or shorter than the header.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numbers: tuple[int, ...] = ()
    naming: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for position, row in enumerate(self.rows):
            if len(row) != len(self.header):
                raise DataError(
                    "a row does not fit its table",
                    where=f"{self.caption!r}, row {position + 1}",
                    expected=f"{len(self.header)} cells",
                    got=len(row),
                )

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Whether each column is aligned right."""
        return tuple(
            k in self.numbers or (bool(self.rows) and not any(isinstance(row[k], str) for row in self.rows))
            for k in range(len(self.header))
        )


@dataclass(frozen=True)
class TripletBlock:
    """Triplets of clips, with the clip that each chooser left out.

    Attributes:
        title: heading.
        sentence: what they have in common.
        triplets: the clearest first.
    """

    title: str
    sentence: str
    triplets: tuple[TripletSpec, ...]


@dataclass(frozen=True)
class Section:
    """One result.

    Attributes:
        key: anchor within the page and name of its files: lower-case letters, digits and hyphens.
        title: a few words.
        sentence: the result in plain words; paragraphs are separated by blank lines, and the first is the headline.
        figures, tables, triplets: the evidence.
        method: how it was measured; paragraphs are separated by blank lines.
        rerun: command that reproduces it.
        notes: qualifications.

    Raises:
        DataError: a key with other characters.
    """

    key: str
    title: str
    sentence: str
    figures: tuple[FigureBlock, ...] = ()
    tables: tuple[Table, ...] = ()
    triplets: tuple[TripletBlock, ...] = ()
    method: str = ""
    rerun: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise DataError(
                "a section's key is its anchor",
                where=self.title,
                expected="lower-case letters, digits and hyphens",
                got=repr(self.key),
            )


@dataclass(frozen=True)
class Headline:
    """The one result that a page opens with.

    Attributes:
        figure: what shows it.
        sentence: what it says; paragraphs are separated by blank lines.
    """

    figure: FigureBlock
    sentence: str


@dataclass(frozen=True)
class Page:
    """A report.

    Attributes:
        title: heading of the page.
        lead: what was done and found, in a few sentences; paragraphs are separated by blank lines.
        banner: a warning at the top of the page and, in print, of every section: that observers or clips are
            simulated. Empty for real ones.
        sections: results, in order.
        provenance: data hashes, versions, seeds, hardware, git commit; mappings become tables.
        words: what those who judged are called.
        opening: an example, shown before everything else; None leaves it out.
        headline: the main result, shown after the example; None leaves it out.
        cost: what the results took and what they were computed from, in a sentence or two.

    Raises:
        DataError: two sections with one key, or a section whose key the page itself uses (see ``RESERVED``).
    """

    title: str
    lead: str
    banner: str
    sections: tuple[Section, ...]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    words: Vocabulary = PEOPLE
    opening: Opening | None = None
    headline: Headline | None = None
    cost: str = ""

    def __post_init__(self) -> None:
        keys = [section.key for section in self.sections]
        if len({*keys, *RESERVED}) != len(keys) + len(RESERVED):
            raise DataError(
                f"every section needs a key of its own, other than {', '.join(RESERVED)}",
                where=self.title,
                got=keys,
            )
