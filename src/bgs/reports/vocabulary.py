"""What a report calls those who judged: simulated observers are never called people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Vocabulary:
    """The words of a study.

    Attributes:
        judges: those who judged, in the plural.
        judge: one of them, with its article or number.
        banner: what stands on top of every page.
    """

    judges: str
    judge: str
    banner: str = ""

    def fill(self, text: str) -> str:
        """A text whose ``{judges}`` and ``{judge}`` become the words of this study."""
        return text.format(judges=self.judges, judge=self.judge)


PEOPLE = Vocabulary("people", "one person")
OBSERVERS = Vocabulary(
    "observers",
    "one observer",
    "SIMULATED clips and SIMULATED observers: nobody was filmed, and no person judged anything.",
)
