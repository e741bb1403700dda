"""Objects that display as tables, in a terminal and in a notebook."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable

from rich.console import RenderableType

from bgs.views.console import as_html, as_text


class Displayable:
    """Base class of objects that display as tables. Dataclasses need ``repr=False``, or they override ``__repr__``."""

    @abstractmethod
    def _views(self) -> Iterable[RenderableType]:
        """The tables, from top to bottom."""

    def __str__(self) -> str:
        return "\n".join(map(as_text, self._views()))

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return "".join(map(as_html, self._views()))
