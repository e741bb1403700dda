"""What has changed in a folder since it was indexed: files are known by their content, wherever they lie."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from bgs._errors import is_text
from bgs.library.table import Row
from bgs.stimuli import StimulusSet
from bgs.stimuli.content_hashes import hash_memory, hashes_of_present
from bgs.stimuli.decoding import check_file
from bgs.stimuli.unreadable import Failure, UnreadableClip


class FoundFile(NamedTuple):
    """A file in a folder: path relative to it, size in bytes, time of modification, and SHA-256."""

    path: str
    size: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True)
class Changes:
    """A folder against the table of an index.

    Attributes:
        rows: of the table.
        files: of the folder that can be read; those whose size and time are those in the table are taken as unchanged.
        failures: files that cannot be read.
        spoiled: paths of those of them that have changed since they were indexed.
    """

    rows: Sequence[Row]
    files: Sequence[FoundFile]
    failures: tuple[Failure, ...]
    spoiled: tuple[str, ...] = ()

    @cached_property
    def known(self) -> dict[str, Row]:
        """Path -> a row of that file."""
        return {row.path: row for row in self.rows}

    @cached_property
    def same(self) -> list[FoundFile]:
        """Files that are in the table as they are."""
        return [
            file for file in self.files if file.path in self.known and _is_same(file, self.known[file.path])
        ]

    @cached_property
    def to_copy(self) -> list[FoundFile]:
        """Files whose content is in the table: under another path, or with another time of modification."""
        there, same = {row.sha256 for row in self.rows}, {*self.same}
        return [file for file in self.files if file.sha256 in there and file not in same]

    @cached_property
    def to_embed(self) -> dict[str, list[FoundFile]]:
        """SHA-256 -> the files of a content that the table does not have."""
        settled = {*self.same, *self.to_copy}
        groups: dict[str, list[FoundFile]] = defaultdict(list)
        for file in self.files:
            if file not in settled:
                groups[file.sha256].append(file)
        return dict(groups)

    @cached_property
    def new(self) -> list[str]:
        """Paths that the table does not have, of content that it does not have."""
        return [
            file.path for group in self.to_embed.values() for file in group if file.path not in self.known
        ]

    @cached_property
    def changed(self) -> list[str]:
        """Paths whose content has changed."""
        content = {file.path: file.sha256 for file in self.files}
        return [path for path, row in self.known.items() if path in content and content[path] != row.sha256]

    @cached_property
    def moved(self) -> dict[str, str]:
        """New path -> the path that its content had, and that is gone."""
        before = {self.known[path].sha256: path for path in self.gone}
        return {
            file.path: before[file.sha256]
            for file in self.to_copy
            if file.path not in self.known and file.sha256 in before
        }

    @cached_property
    def gone(self) -> list[str]:
        """Paths of the table that are not in the folder. Files that cannot be read are still there."""
        there = {file.path for file in self.files} | {failure.stimulus_id for failure in self.failures}
        return [path for path in self.known if path not in there]

    @cached_property
    def copies(self) -> dict[str, str]:
        """Path -> the first path with the same content."""
        first: dict[str, str] = {}
        for file in self.files:
            first.setdefault(file.sha256, file.path)
        return {file.path: first[file.sha256] for file in self.files if first[file.sha256] != file.path}


def changes_in(folder: Path, rows: Sequence[Row], but: Path) -> Changes:
    """Compare a folder with the rows of an index; only files that are new or look changed are read.

    Args:
        folder: every video in it and its subfolders, see :meth:`StimulusSet.from_folder`.
        rows: of the index.
        but: a folder whose files are left out: that of the index.

    Raises:
        DataError: the folder is missing or has no video.
    """
    stimuli, known = StimulusSet.from_folder(folder), {row.path: row for row in rows}
    paths = dict(zip(stimuli.ids, stimuli.videos or (), strict=True))
    left_out = _prefix(but, folder)
    files: dict[str, FoundFile] = {}
    failures, to_hash, spoiled = [], {}, []
    for name, path in paths.items():
        if path is None or (left_out is not None and name.startswith(left_out)):
            continue
        row = known.get(name)
        if not is_text(name):
            failures.append(Failure(name, "its name is not UTF-8: rename it"))
            continue
        try:
            stamp = _stamped(name, path, "")
            if row is not None and (row.size, row.mtime_ns) == (stamp.size, stamp.mtime_ns):
                files[name] = stamp._replace(sha256=row.sha256)
                continue
            check_file(path)
        except FileNotFoundError:
            continue  # deleted since the folder was listed
        except UnreadableClip as error:
            failures.append(Failure(name, error.reason))
            if row is not None and row.size != stamp.size:
                spoiled.append(name)
            continue
        files[name], to_hash[name] = stamp, path
    digests, failed = hashes_of_present([*to_hash.values()], hash_memory())
    for name, path in to_hash.items():
        if path in digests:
            files[name] = files[name]._replace(sha256=digests[path])
        else:
            del files[name]
            if not isinstance(failed[path], FileNotFoundError):  # which is gone, too
                failures.append(Failure(name, failed[path].strerror or str(failed[path])))
    return Changes(rows, list(files.values()), tuple(failures), tuple(spoiled))


def is_moved(folder: Path, rows: Sequence[Row]) -> bool:
    """Whether a folder holds at least half of the files of an index, by path and size."""
    sizes: Mapping[str, int] = {row.path: row.size for row in rows}
    there = sum(
        (folder / path).is_file() and (folder / path).stat().st_size == size for path, size in sizes.items()
    )
    return there * 2 >= len(sizes)


def _prefix(inner: Path, folder: Path) -> str | None:
    """What names in a folder begin with if their files are in ``inner``; None if none is."""
    inner, folder = inner.resolve(), folder.resolve()
    return inner.relative_to(folder).as_posix() + "/" if folder in inner.parents else None


def _stamped(name: str, path: Path, digest: str) -> FoundFile:
    status = path.stat()
    return FoundFile(name, status.st_size, status.st_mtime_ns, digest)


def _is_same(file: FoundFile, row: Row) -> bool:
    return (file.size, file.mtime_ns, file.sha256) == (row.size, row.mtime_ns, row.sha256)
