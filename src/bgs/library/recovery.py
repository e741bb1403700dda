"""A version of a table whose manifest was cut short, as by a power cut, is set aside; the version before it is then opened.

Each change of a LanceDB table is a new file in `_versions`, which ends with four known bytes and which no later change
touches. What the lost change had added is embedded again by the next `bgs index`.
"""

from __future__ import annotations

from pathlib import Path

from bgs._errors import DataError
from bgs._progress import note

_END = b"LANC"
_ASIDE = ".damaged"


def set_damaged_versions_aside(table: Path) -> None:
    """Rename manifests that are not whole, so that LanceDB opens the newest version that is.

    Raises:
        DataError: no version is left.
    """
    manifests = sorted((table / "_versions").glob("*.manifest"))
    damaged = [path for path in manifests if not _is_whole(path)]
    if len(damaged) == len(manifests):
        raise DataError(
            "the index is damaged: none of its versions can be read", where=table.parent,
            hint="delete this folder and run `bgs index` again",
        )  # fmt: skip
    for path in damaged:
        path.rename(path.with_name(path.name + _ASIDE))
    if damaged:
        note(
            f"{table.parent}: the last change of this index was not written whole, and is left out; "
            "`bgs index` makes up for it"
        )


def _is_whole(path: Path) -> bool:
    with path.open("rb") as stream:
        if stream.seek(0, 2) < len(_END):
            return False
        stream.seek(-len(_END), 2)
        return stream.read() == _END
