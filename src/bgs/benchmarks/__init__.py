"""The benchmark: one row of results per encoder, comparable across machines, and the table made from the rows."""

from typing import TYPE_CHECKING

from bgs._lazy import lazy

if TYPE_CHECKING:
    from bgs.benchmarks.board import Board, compare
    from bgs.benchmarks.entrant import measure_model
    from bgs.benchmarks.people import measure_people
    from bgs.benchmarks.row import Row, read_rows
    from bgs.benchmarks.tracks import TRACKS, HeldOut, Track

__all__ = [
    "TRACKS",
    "Board",
    "HeldOut",
    "Row",
    "Track",
    "compare",
    "measure_model",
    "measure_people",
    "read_rows",
]

__getattr__ = lazy(
    __name__,
    {
        "board": ("Board", "compare"),
        "entrant": ("measure_model",),
        "people": ("measure_people",),
        "row": ("Row", "read_rows"),
        "tracks": ("TRACKS", "HeldOut", "Track"),
    },
)
