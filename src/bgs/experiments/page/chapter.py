"""One chapter of a page: how it is called, how it is measured, and what fills it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bgs.experiments.applicable import NotApplicable
from bgs.experiments.page.source import AnalysisFailed, Source
from bgs.reports import FigureBlock, Section, Table, TripletBlock


@dataclass(frozen=True)
class Findings:
    """What a chapter has to say and to show; see :class:`bgs.reports.Section`."""

    sentences: tuple[str, ...]
    figures: tuple[FigureBlock, ...] = ()
    tables: tuple[Table, ...] = ()
    triplets: tuple[TripletBlock, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chapter:
    """A section of the report before it is filled.

    Attributes:
        key: address within the page.
        title, method: texts in which ``{judges}`` stands for those who judged.
        find: fills it; raises :class:`NotApplicable` with the reason where there is nothing to show.
    """

    key: str
    title: str
    method: str
    find: Callable[[Source], Findings]

    def section(self, source: Source, rerun: str) -> Section:
        """The chapter of an experiment; where it does not apply, or failed, it says why in plain words."""
        try:
            found = self.find(source)
        except NotApplicable as reason:
            found = Findings((f"Not applicable: {_sentence(str(reason))}",))
        except AnalysisFailed as error:
            found = Findings((f"This analysis failed: {_sentence(str(error))}",))
        title, method = (source.words.fill(text) for text in (self.title, self.method))
        return Section(
            self.key, title, "\n\n".join(found.sentences), found.figures, found.tables, found.triplets, method,
            rerun, found.notes,
        )  # fmt: skip


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
