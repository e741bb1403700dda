"""Makes an index of a folder, or brings one up to date: one writer at a time, chunk by chunk, so that a kill costs little."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np

from bgs._errors import DataError, is_text, listed
from bgs._files import LOCK, sha256_of
from bgs._lock import locked_folder
from bgs._progress import note, progress_bar
from bgs.library.about import About
from bgs.library.changes import Changes, FoundFile, changes_in, is_moved
from bgs.library.clip import Piece
from bgs.library.cutting import Cutting
from bgs.library.embedding import Embedded, embed_arrays, embed_files, require_video
from bgs.library.place import Place
from bgs.library.table import NAME, ClipTable, Row
from bgs.runs.frame_source import as_frames, as_pair
from bgs.runs.opened_model import OpenedModel
from bgs.stimuli.content_hashes import hash_memory, hashes_of_present
from bgs.stimuli.unreadable import Failure, UnreadableClips

#: A chunk is a sixteenth of the files, within limits: what a kill costs at most. Arrays, which are in memory, come in small ones.
_PARTS, _SMALLEST, _LARGEST, _ARRAYS = 16, 512, 2048, 32


@dataclass(frozen=True)
class Indexed:
    """What `bgs index` did.

    Attributes:
        index: where the index lies.
        clips: in it now (pieces count one each).
        new, changed, moved, gone, same: files, against what was indexed before.
        copies: path -> the first path with the same content, embedded once.
        failures: files that were skipped, and why.
    """

    index: str
    clips: int
    new: int = 0
    changed: int = 0
    moved: int = 0
    gone: int = 0
    same: int = 0
    copies: dict[str, str] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()

    def as_json(self) -> dict[str, object]:
        """As JSON types."""
        return asdict(self) | {"failures": [failure._asdict() for failure in self.failures]}


class PartlyIndexed(UnreadableClips):
    """Files could not be read; the others are indexed.

    Attributes:
        indexed: what was done.
    """

    def __init__(self, indexed: Indexed, files: int) -> None:
        hint = "the others are indexed; --skip-bad leaves these out"
        super().__init__(indexed.failures, files, hint, "files")
        self.indexed = indexed


def index_folder(
    folder: str | Path,
    model: OpenedModel,
    out: str | Path,
    cutting: Cutting | None = None,
    *,
    micro_batch: int = 64,
    skip_bad: bool = False,
) -> Indexed:
    """Index every video in a folder and its subfolders; an existing index is brought up to date.

    Files are known by content: only new and changed ones are embedded; moved, copied and deleted ones take no time. Each
    chunk is kept as soon as it is embedded, so a run that was killed goes on where it was.

    Args:
        folder: with videos.
        model: an opened video model.
        out: the folder of the index, or a URI of object storage; new, or an index made by the same model.
        cutting: how long videos are cut (default: into shots).
        micro_batch: clips per forward pass.
        skip_bad: files that cannot be read are no error.

    Raises:
        PartlyIndexed: files cannot be read; all are named. The others are indexed.
        DataError: the folder has no videos, or lies in that of the index; or ``out`` holds something else, or an index of another
            model, folder or cutting.
        BgsError: another process is writing to this index.
    """
    cutting, source = cutting or Cutting(), Path(folder).resolve()
    with _writing(out) as place:
        _require_outside(source, place)
        about = About(
            _lasting(model.reference),
            model.identity,
            require_video(model).width,
            str(source),
            cutting.as_json(),
        )
        table = _opened(place, about)
        changes = changes_in(source, table.rows(), place.folder)
        _copy(table, changes)
        failures = [*changes.failures, *_embed(table, changes, model, cutting, micro_batch)]
        bad = {failure.stimulus_id for failure in failures}
        table.remove([*changes.gone, *changes.spoiled, *(path for path in changes.changed if path in bad)])
        table.tidy()
        found = Indexed(
            place.uri, table.count(), len(changes.new) - sum(path in bad for path in changes.new),
            len(changes.changed), len(changes.moved), len(changes.gone) - len({*changes.moved.values()}),
            len(changes.same), changes.copies, tuple(failures),
        )  # fmt: skip
    if found.copies:
        pairs = listed(f"{path} is {first}" for path, first in found.copies.items())
        note(f"{len(found.copies)} of the files are copies, embedded once: {pairs}")
    if failures and not skip_bad:
        raise PartlyIndexed(found, len(changes.files) + len(changes.failures))
    if failures:
        note(f"files skipped: {listed(f'{name} ({why})' for name, why in failures)}")
    return found


def index_arrays(
    clips: Iterable[tuple[str, np.ndarray]], model: OpenedModel, out: str | Path, *, micro_batch: int = 64
) -> Indexed:
    """Index clips that are not files, such as those of a camera or a generator, as they come.

    Args:
        clips: (id, frames) pairs; frames are (t, h, w, 3) uint8, of equal duration. An id that is indexed already is
            replaced if its frames differ; others in the index stay.
        model: an opened video model.
        out: as for :func:`index_folder`.
        micro_batch: clips per forward pass.

    Raises:
        DataError: an id is repeated, frames have another shape, or ``out`` holds something else.
    """
    new = changed = same = 0
    with _writing(out) as place, progress_bar() as bar:
        table = _opened(
            place, About(_lasting(model.reference), model.identity, require_video(model).width, None)
        )
        known = {row.id: row.sha256 for row in table.rows()}
        task, seen, stream = bar.add_task("indexing", total=None), set[str](), iter(clips)
        while chunk := [
            (name, as_frames(name, clip)) for name, clip in map(as_pair, islice(stream, _ARRAYS))
        ]:
            rows = [_row_of(name, frames, seen) for name, frames in chunk]
            fresh = [i for i, row in enumerate(rows) if known.get(row.id) != row.sha256]
            if fresh:
                vectors = embed_arrays(model, [chunk[i] for i in fresh], micro_batch)
                again = [rows[i].path for i in fresh if rows[i].id in known]
                table.add([rows[i] for i in fresh], vectors, replacing=again)
                changed, new = changed + len(again), new + len(fresh) - len(again)
            same += len(rows) - len(fresh)
            bar.advance(task, len(chunk))
        table.tidy()
        return Indexed(place.uri, table.count(), new, changed, same=same)


@contextmanager
def _writing(out: str | Path) -> Iterator[Place]:
    """Hold the lock of an index, whose folder holds nothing else."""
    place = Place.of(out)
    if place.is_local and place.folder.is_file():
        raise DataError("is a file", where=place, expected="a new folder, or that of an index")
    with locked_folder(place.folder):
        if place.is_local and not ClipTable.exists(place):
            _require_empty(place)
        yield place


def _require_outside(source: Path, place: Place) -> None:
    """Files in the folder of an index are left out: clips there would all be."""
    if place.is_local and place.folder.resolve() in [source, *source.parents]:
        raise DataError(
            "these clips lie in the folder of the index", where=source, expected="clips outside", got=place.folder
        )  # fmt: skip


def _require_empty(place: Place) -> None:
    """What a kill left of a table that was never whole is removed; anything else is not."""
    others = sorted(path.name for path in place.folder.iterdir() if not path.name.startswith(LOCK))
    if others == [f"{NAME}.lance"]:
        shutil.rmtree(place.folder / others[0])
    elif others:
        raise DataError(
            f"this folder holds other files: {listed(others)}", where=place, expected="a new folder, or that of an index"
        )  # fmt: skip


def _opened(place: Place, about: About) -> ClipTable:
    """The table for these vectors: a new one, or an existing one of the same model and cutting.

    Raises:
        DataError: the existing one is of another model, folder or cutting.
    """
    if not ClipTable.exists(place):
        return ClipTable.create(place, about)
    table = ClipTable.open(place)
    there, hint = table.about, "make another index, in a new folder"
    if (there.identity, there.width) != (about.identity, about.width):
        raise DataError(
            "this index holds the vectors of another model", where=place, expected=_named(there), got=_named(about), hint=hint
        )  # fmt: skip
    if dict(there.cutting) != dict(about.cutting):
        raise DataError(
            "long videos are cut in another way in this index", where=place, expected=dict(there.cutting),
            got=dict(about.cutting), hint=hint,
        )  # fmt: skip
    if there.folder != about.folder:
        _require_moved(place, about, table)
        note(f"{place}: the indexed folder is now {about.folder}, and was {there.folder}")
        return table.rewritten(about)
    return table


def _require_moved(place: Place, about: About, table: ClipTable) -> None:
    """A folder that was moved is still the folder of the index; another one is not."""
    if about.folder is None or table.about.folder is None or not is_moved(Path(about.folder), table.rows()):
        kinds = [folder or "clips given as arrays" for folder in (table.about.folder, about.folder)]
        raise DataError(
            "this is the index of another folder", where=place, expected=kinds[0], got=kinds[1],
            hint="make another index, in a new folder",
        )  # fmt: skip


def _copy(table: ClipTable, changes: Changes) -> None:
    """Rows of files whose content is in the table: they were moved, copied or touched."""
    if not changes.to_copy:
        return
    rows, vectors = table.of_contents({file.sha256 for file in changes.to_copy})
    by_path: dict[str, list[int]] = {}
    for i, row in enumerate(rows):
        by_path.setdefault(row.path, []).append(i)
    of_content = {rows[numbers[0]].sha256: numbers for numbers in by_path.values()}
    made = [
        (_row(file, Piece(rows[i].start, rows[i].end)), i) for file in changes.to_copy for i in of_content[file.sha256]
    ]  # fmt: skip
    again = [file.path for file in changes.to_copy if file.path in changes.known]
    table.add([row for row, _ in made], vectors[[i for _, i in made]], replacing=again)


def _embed(
    table: ClipTable, changes: Changes, model: OpenedModel, cutting: Cutting, micro_batch: int
) -> list[Failure]:
    """Embed new content and add it, chunk by chunk; the files that cannot be read."""
    groups, failures = list(changes.to_embed.values()), []
    size = min(max(-(-len(groups) // _PARTS), _SMALLEST), _LARGEST)
    folder = Path(table.about.folder or "")
    with progress_bar() as bar:
        task = bar.add_task("indexing", total=len(groups))
        for start in range(0, len(groups), size):
            chunk = groups[start : start + size]
            paths = {folder / group[0].path: group[0].sha256 for group in chunk}
            found = _settled(embed_files(model, [*paths], cutting, micro_batch), paths)
            rows, parts = [], []
            for group, one in zip(chunk, found, strict=True):
                if isinstance(one, str):
                    failures += [Failure(file.path, one) for file in group]
                    continue
                rows += [_row(file, piece) for file in group for piece in one[0]]
                parts += [one[1]] * len(group)
            if rows:
                again = {row.path for row in rows} & changes.known.keys()
                table.add(rows, np.concatenate(parts), replacing=again)
            bar.advance(task, len(chunk))
    return failures


def _settled(found: Sequence[Embedded], hashes: Mapping[Path, str]) -> list[Embedded]:
    """What was embedded of files that still have the content that they had when they were compared with the index."""
    now, _ = hashes_of_present([*hashes], hash_memory())
    changed = "it changed, or went away, while it was indexed: run the same command again"
    return [
        one if isinstance(one, str) or now.get(path) == before else changed
        for one, (path, before) in zip(found, hashes.items(), strict=True)
    ]


def _row(file: FoundFile, piece: Piece) -> Row:
    return Row(piece.id_in(file.path), file.path, file.sha256, file.size, file.mtime_ns, *piece)


def _row_of(name: str, frames: np.ndarray, seen: set[str]) -> Row:
    """The row of a clip that was given as an array."""
    if name in seen:
        raise DataError("clip given twice", where=name, expected="distinct ids")
    if not is_text(name):
        raise DataError("an id that is not UTF-8", where=name)
    seen.add(name)
    digest = sha256_of(str(frames.shape), np.ascontiguousarray(frames).tobytes())
    return Row(name, name, digest, frames.nbytes, 0, *Piece())


def _named(about: About) -> str:
    return f"{about.model} (identity {about.identity[:12]})"


def _lasting(reference: str) -> str:
    """A reference that means the same from any working directory."""
    if Path(reference).is_dir():  # a shared model
        return str(Path(reference).resolve())
    family, colon, rest = reference.partition(":")
    name, mark, settings = rest.partition("?")
    return f"{family}:{Path(name).resolve()}{mark}{settings}" if colon and Path(name).is_dir() else reference
