"""One error family: every message says where, what was expected and what was found."""

from __future__ import annotations

from unicodedata import category


class BgsError(Exception):
    """An error a user can act on; the command line prints it as one line and exits with 2.

    ``where`` is a file, row or key; ``expected`` and ``got`` complete the sentence; ``hint`` is the next step.
    """

    def __init__(
        self,
        what: str,
        *,
        where: object = None,
        expected: object = None,
        got: object = None,
        hint: str | None = None,
    ) -> None:
        self.what, self.where, self.expected, self.got, self.hint = what, where, expected, got, hint
        super().__init__(self._line())

    def _line(self) -> str:
        line = f"{self.where}: {self.what}" if self.where is not None else self.what
        if self.expected is not None:
            line += f"; expected {self.expected}"
        if self.got is not None:
            line += f"{',' if self.expected is not None else ';'} got {self.got}"
        if self.hint is not None:
            line += f" ({self.hint})"
        # The input may hold control characters (a NUL, an escape sequence): print them escaped.
        return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in " ".join(line.split()))


class DataError(BgsError):
    """Invalid or inconsistent stimuli, trials or files."""


class ConfigError(BgsError):
    """A configuration key that is unknown, out of range or conflicts with another."""


class MissingExtraError(BgsError):
    """A required optional package is not installed."""


def shown(text: str) -> str:
    """A text of others, such as a file name, as a terminal may have it: without control characters or half characters."""
    return "".join(c if c == "\n" or category(c) not in ("Cc", "Cs") else ascii(c)[1:-1] for c in text)


def is_text(text: str) -> bool:
    """Whether a text can be written as UTF-8. The name of a file may be any bytes, which Python takes for half characters."""
    return not any("\ud800" <= c <= "\udfff" for c in text)


def message_of(error: BaseException) -> str:
    """An error message on one line."""
    text = " ".join(str(error).split())
    return text if text else type(error).__name__


def listed(names: object, limit: int = 3) -> str:
    """List the first few names, and how many more there are: ``a, b, c and 4 more``."""
    items = [str(name) for name in names]  # type: ignore[attr-defined]
    rest = f" and {len(items) - limit} more" if len(items) > limit else ""
    return ", ".join(items[:limit]) + rest
