"""The table of an index: a LanceDB table `clips` of one row a clip, whose every change is made whole or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bgs._errors import BgsError, DataError, message_of
from bgs._files import NO_ROOM
from bgs._optional import require
from bgs._typing import Float
from bgs.library.about import KEY, About
from bgs.library.place import Place
from bgs.library.recovery import set_damaged_versions_aside

if TYPE_CHECKING:
    from pyarrow import Schema, Table

NAME = "clips"
_EXTRA = "library"
#: A table of more files than this is rewritten into few.
_MANY_FILES = 64
#: The hint for a damaged index.
AGAIN = "delete it and run `bgs index` again"


class Row(NamedTuple):
    """A row, without its vector."""

    id: str
    path: str
    sha256: str
    size: int
    mtime_ns: int
    start: float
    end: float


class ClipTable:
    """The rows of an index; made by :meth:`create` or :meth:`open`.

    Attributes:
        place: where it lies.
        about: its metadata.
    """

    def __init__(self, place: Place, table: Any) -> None:
        self.place, self._table = place, table
        self.about = About.read(table.schema.metadata, place)

    @classmethod
    def exists(cls, place: Place) -> bool:
        """Whether a table was begun there."""
        if place.is_local:
            return any((place.folder / f"{NAME}.lance" / "_versions").glob("*.manifest*"))
        with _clear_errors(place):
            return NAME in _connected(place).list_tables().tables

    @classmethod
    def create(cls, place: Place, about: About) -> ClipTable:
        """A new table without rows.

        Raises:
            BgsError: it cannot be created, or there is one.
        """
        with _clear_errors(place):
            return cls(place, _connected(place).create_table(NAME, schema=_schema(about)))

    @classmethod
    def open(cls, place: Place) -> ClipTable:
        """An existing table. Versions whose manifest was cut short are set aside, with a note.

        Raises:
            DataError: there is none, it is not an index, or it is damaged.
        """
        if not cls.exists(place):
            hint = "make one with `bgs index FOLDER --model MODEL --out INDEX`"
            raise DataError("no index here", where=place, hint=hint)
        if place.is_local:
            set_damaged_versions_aside(place.folder / f"{NAME}.lance")
        with _clear_errors(place):
            return cls(place, _connected(place).open_table(NAME))

    def rows(self) -> list[Row]:
        """Every row, without vectors."""
        with _clear_errors(self.place):
            found = self._table.search().select(list(Row._fields)).limit(None).to_arrow()
            return [
                Row(*each) for each in zip(*(found[name].to_pylist() for name in Row._fields), strict=True)
            ]

    def contents(self) -> tuple[list[Row], Float[np.ndarray, "n d"]]:
        """Every row and its vector, sorted by id."""
        with _clear_errors(self.place):
            return _taken_apart(self._table.to_arrow(), self.about.width)

    def of_contents(self, hashes: Iterable[str]) -> tuple[list[Row], Float[np.ndarray, "m d"]]:
        """The rows, with vectors, of clips with these SHA-256."""
        with _clear_errors(self.place):
            found = self._table.search().where(f"sha256 IN ({_quoted(hashes)})").limit(None).to_arrow()
            return _taken_apart(found, self.about.width)

    def add(
        self, rows: Sequence[Row], vectors: Float[np.ndarray, "m d"], replacing: Iterable[str] = ()
    ) -> None:
        """Add rows in one step.

        Args:
            rows: with ids that the table does not have, except those of files in ``replacing``.
            vectors: (m, d) theirs.
            replacing: paths of files whose earlier rows go in the same step.
        """
        with _clear_errors(self.place):
            made = _put_together(rows, vectors, _schema(self.about))
            if not (paths := _quoted(replacing)):
                self._table.add(made)
                return
            merge = self._table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
            merge.when_not_matched_by_source_delete(f"path IN ({paths})").execute(made)

    def remove(self, paths: Iterable[str]) -> None:
        """Remove the rows of these files in one step."""
        if names := _quoted(paths):
            with _clear_errors(self.place):
                self._table.delete(f"path IN ({names})")

    def rewritten(self, about: About) -> ClipTable:
        """The same rows under other metadata, in one step."""
        rows, vectors = self.contents()
        with _clear_errors(self.place):
            made = _put_together(rows, vectors, _schema(about))
            return ClipTable(self.place, _connected(self.place).create_table(NAME, made, mode="overwrite"))

    def count(self) -> int:
        """The number of rows."""
        with _clear_errors(self.place):
            return int(self._table.count_rows())

    def tidy(self) -> None:
        """Rewrite a table of many small files into few; earlier versions stay for a week."""
        with _clear_errors(self.place):
            if self._table.stats()["fragment_stats"]["num_fragments"] > _MANY_FILES:
                self._table.optimize()


def _connected(place: Place) -> Any:
    return require("lancedb", _EXTRA).connect(place.uri)


def _schema(about: About) -> Schema:
    pa = require("pyarrow", _EXTRA)
    columns = [(name, pa.string()) for name in ("id", "path", "sha256")]
    columns += [(name, pa.int64()) for name in ("size", "mtime_ns")]
    columns += [(name, pa.float64()) for name in ("start", "end")]
    columns += [("vector", pa.list_(pa.float32(), about.width))]
    return pa.schema(columns, metadata={KEY: about.text()})


def _put_together(rows: Sequence[Row], vectors: Float[np.ndarray, "m d"], schema: Schema) -> Table:
    pa = require("pyarrow", _EXTRA)
    flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).ravel())
    columns = {name: [getattr(row, name) for row in rows] for name in Row._fields}
    columns["vector"] = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
    return pa.table(columns, schema=schema)


def _taken_apart(found: Table, width: int) -> tuple[list[Row], Float[np.ndarray, "m d"]]:
    """Rows and vectors, sorted by id; a large table is held no more than twice."""
    columns = [found[name].to_pylist() for name in Row._fields]
    order = sorted(range(found.num_rows), key=columns[0].__getitem__)
    rows = [Row(*(column[i] for column in columns)) for i in order]
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    vectors, start = np.empty((len(order), width), np.float32), 0
    for chunk in found["vector"].chunks:
        vectors[place[start : start + len(chunk)]] = chunk.flatten().to_numpy().reshape(len(chunk), width)
        start += len(chunk)
    return rows, vectors


def _quoted(values: Iterable[str]) -> str:
    return ", ".join("'" + value.replace("'", "''") + "'" for value in values)


@contextmanager
def _clear_errors(place: Place) -> Iterator[None]:
    """What LanceDB raises (RuntimeError, ValueError, OSError) becomes one line.

    LanceDB takes any loaded module `datasets` for the package of Hugging Face, also one that stands for a mere folder of that
    name (a namespace package, which other libraries load when they look for it); it is out of sight meanwhile.
    """
    module = sys.modules.get("datasets")
    is_folder = module is not None and getattr(module, "__file__", None) is None
    if is_folder:
        del sys.modules["datasets"]
    try:
        yield
    except BgsError:
        raise
    except (RuntimeError, ValueError, OSError) as error:
        why = _first_sentence(message_of(error))
        full = any(os.strerror(number) in why for number in NO_ROOM)
        hint = "make room, then run the same command again" if full else f"if it is damaged, {AGAIN}"
        raise DataError(f"the index cannot be read or written: {why}", where=place, hint=hint) from error
    finally:
        if module is not None and is_folder:
            sys.modules["datasets"] = module


def _first_sentence(text: str) -> str:
    """Without the place in the source of LanceDB that raised it."""
    return text.partition(", /")[0][:300]
