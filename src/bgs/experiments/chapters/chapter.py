"""A chapter: one result of an experiment, from the settings that ask for it to what a report shows of it."""

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
    """A chapter, or a part of one, that an experiment has nothing for: no failure; the message is the reason."""


class AnalysisFailed(BgsError):
    """An analysis that is on record as failed; the message is what it failed with."""


@dataclass(frozen=True)
class Findings:
    """What a chapter has to say and to show; see :class:`bgs.reports.Section`."""

    sentences: tuple[str, ...]
    figures: tuple[FigureBlock, ...] = ()
    tables: tuple[Table, ...] = ()
    triplets: tuple[TripletBlock, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Chapter(Generic[S, R]):
    """One result: its settings, how it is computed, its type, and how it is presented.

    A chapter that only presents (the table, matrices of clips) has no ``analyse``: its ``present`` is given None.

    Attributes:
        name: of its section ``analyses.<name>`` and of the file ``analyses/<name>.json`` that keeps its result.
        settings: its section of the configuration; ``Settings`` where it has no keys.
        analyse: what is computed; it may raise :class:`NotApplicable`, and what it raises otherwise is recorded.
        result: what ``analyse`` gives back: a frozen dataclass, written as JSON by its annotations (see ``bgs._codec``).
        present: what a page shows of a result, without torch; None: reports leave it alone.
        title, method: of its section of the page; ``{judges}`` stands for those who judged.
        version: raised when ``result`` takes another form or is computed differently: kept results of another version
            are not read, and made anew.
        rests_on: hash of what it rests on besides the experiment and its settings, such as other files.
        optional: whether it is left out until its section is given.
        address: of its section within the page; empty: its name.

    Raises:
        ConfigError: some of ``settings``, ``analyse`` and ``result`` are given and others are not.
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
                "half a chapter", where=self.name, expected="settings, analyse and result, or none of them"
            )

    @property
    def key(self) -> str:
        """Its address within the page."""
        return self.address or self.name

    def default(self) -> S | None:
        """Its section where none is given; None: it is left out, since it is optional or has keys without a default."""
        if self.optional or self.settings is None:
            return None
        needs_keys = any(field.is_required() for field in self.settings.model_fields.values())
        return None if needs_keys else self.settings()
