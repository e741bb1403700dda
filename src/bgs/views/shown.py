"""Objects that print as the tables that a command would print, in a terminal and in a notebook."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable

from rich.console import RenderableType

from bgs.views.console import as_html, as_text


class Shown:
    """Prints as its views. A dataclass of this kind needs ``repr=False``, or it makes a representation of its own."""

    @abstractmethod
    def _views(self) -> Iterable[RenderableType]:
        """What is shown, one below the other."""

    def __str__(self) -> str:
        return "\n".join(map(as_text, self._views()))

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return "".join(map(as_html, self._views()))
