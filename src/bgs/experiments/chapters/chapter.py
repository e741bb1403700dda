"""A chapter: one result of an experiment, from its settings to its section of the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from bgs._config import Settings
from bgs._errors import BgsError, ConfigError
from bgs.reports import FigureBlock, Table, TripletBlock

if TYPE_CHECKING:
    from bgs.experiments.chapters.context import Context
    from bgs.experiments.experiment import Experiment

S = TypeVar("S", bound=Settings)
R = TypeVar("R")


class NotApplicable(BgsError):
    """A chapter, or part of one, does not apply to an experiment. This is not a failure; the message is the reason."""


class AnalysisFailed(BgsError):
    """An analysis is recorded as failed; the message is its error."""


@dataclass(frozen=True)
class Findings:
    """Contents of a chapter's section; see :class:`bgs.reports.Section`."""

    sentences: tuple[str, ...]
    figures: tuple[FigureBlock, ...] = ()
    tables: tuple[Table, ...] = ()
    triplets: tuple[TripletBlock, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Chapter(Generic[S, R]):
    """One result: its settings, analysis, type and presentation.

    A chapter that only presents (the table, matrices of clips) has no ``analyse``, and its ``present`` receives None.

    Attributes:
        name: of its section ``analyses.<name>`` and of the file ``analyses/<name>.json`` that stores its result.
        settings: type of its section of the configuration; ``Settings`` where it has no keys.
        analyse: computes the result; it may raise :class:`NotApplicable`, and any other exception is recorded.
        result: type that ``analyse`` returns: a frozen dataclass, written as JSON by its annotations (see ``bgs._codec``).
        present: turns a result into the contents of a section, without torch; None: reports omit the chapter.
        title, method: of its section of the page; ``{judges}`` is replaced by the word for the judges.
        version: to be increased when ``result`` changes its form or is computed differently; stored results of another
            version are not read but recomputed.
        rests_on: hash of what the result depends on besides the experiment and its settings, such as other files.
        optional: whether it is omitted unless its section is given.
        address: of its section within the page; empty: its name.

    Raises:
        ConfigError: some, but not all, of ``settings``, ``analyse`` and ``result`` are given.
    """

    name: str
    settings: type[S] | None = None
    analyse: Callable[[Experiment, S], R] | None = None
    result: type[R] | None = None
    present: Callable[[R, Context], Findings] | None = None
    title: str = ""
    method: str = ""
    version: int = 1
    rests_on: Callable[[Experiment, S], str] | None = None
    optional: bool = False
    address: str = ""

    def __post_init__(self) -> None:
        analysed = {self.settings is None, self.analyse is None, self.result is None}
        if len(analysed) > 1:
            raise ConfigError(
                "incomplete chapter",
                where=self.name,
                expected="settings, analyse and result, or none of them",
            )

    @property
    def key(self) -> str:
        """Its address within the page."""
        return self.address or self.name

    def default(self) -> S | None:
        """Its section where none is given; None: it is omitted, since it is optional or has keys without a default."""
        if self.optional or self.settings is None:
            return None
        needs_keys = any(field.is_required() for field in self.settings.model_fields.values())
        return None if needs_keys else self.settings()
