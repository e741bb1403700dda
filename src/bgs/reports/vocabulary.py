"""Names of the judges in a report: simulated observers are never called people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Vocabulary:
    """The words of a study.

    Attributes:
        judges: the judges, in the plural.
        judge: a single judge, with article or number.
        banner: warning at the top of every page.
    """

    judges: str
    judge: str
    banner: str = ""

    def fill(self, text: str) -> str:
        """A text with ``{judges}`` and ``{judge}`` replaced by the words of this study."""
        return text.format(judges=self.judges, judge=self.judge)


PEOPLE = Vocabulary("people", "one person")
OBSERVERS = Vocabulary(
    "observers",
    "one observer",
    "SIMULATED clips and SIMULATED observers: nobody was filmed, and no person judged anything.",
)
