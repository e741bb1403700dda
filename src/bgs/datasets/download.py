"""Verified download: a file is kept only if it has the SHA-256 on its data set's card.

pooch downloads, verifies and moves each file into place. It cannot resume a broken transfer, and need not: the largest file
has 4 MB, and complete files are kept, so that the next attempt starts with the one
that failed.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import quote

from bgs._errors import DataError
from bgs._files import cache_folder, sha256
from bgs.datasets.registry import RAW_HOST, DatasetCard, RemoteFile
from bgs.stimuli.content_hashes import file_hashes

if TYPE_CHECKING:
    import requests

#: Called with the file's path, the number of bytes received, and its size.
Progress = Callable[[str, int, int], None]

_CHUNK = 1 << 16
_TIMEOUT_S = 30.0
_MIRROR_HINT = "try again; offline, point --mirror DIR or BGS_DATA_MIRROR to a copy of the files"


def _no_progress(path: str, done: int, size: int) -> None:
    """Ignore progress."""


def card_folder(card: DatasetCard) -> Path:
    """The folder for the files of a data set: ``data/<owner>/<repo>/<commit>`` in the cache."""
    return cache_folder() / "data" / card.folder


def fetch(
    card: DatasetCard,
    mirror: str | Path | None = None,
    progress: Progress | None = None,
    host: str = RAW_HOST,
    clips: bool = False,
) -> Path:
    """Download every file of a data set into the cache and verify it. Existing files are only verified.

    Args:
        card: the data set.
        mirror: folder with ``<owner>/<repo>/<commit>/<path>`` below it; ``BGS_DATA_MIRROR`` if None. With a mirror
            the network is never used.
        progress: called as data arrive.
        host: server of ``<owner>/<repo>/<commit>/<path>``, used without a mirror.
        clips: fetch the published clips as well.

    Returns:
        The folder with the files.

    Raises:
        DataError: a file is not in the mirror, cannot be downloaded, or does not have the SHA-256 on the card.
    """
    folder, source = card_folder(card).absolute(), _mirror_folder(mirror)
    watch = progress or _no_progress
    for file in (*card.files, *(card.clips if clips else ())):
        target = folder / file.path
        if target.is_file():
            _verify(target, file, hint=f"delete it, then `bgs data fetch {card.name}`")
        elif source is not None:
            _bring(f"{source / card.folder / file.path}", target, file, partial(_copy, card, file))
        else:
            url = f"{host}/{quote(f'{card.folder}/{file.path}')}"  # names of clips hold spaces
            _bring(url, target, file, partial(_download, file, watch))
        watch(file.path, file.size, file.size)
    return folder


def available_clips(card: DatasetCard, mirror: str | Path | None = None) -> dict[str, Path]:
    """The published clips that are on this machine: in the cache, or copied there from a mirror. Nothing is downloaded.

    Files in the cache are hashed once and recognised by size and time of change afterwards.

    Args:
        card: the data set.
        mirror: see :func:`fetch`.

    Returns:
        Path inside the repository -> file.

    Raises:
        DataError: a clip does not have the SHA-256 of its card.
    """
    folder, source = card_folder(card).absolute(), _mirror_folder(mirror)
    for file in card.clips:
        origin = None if source is None else source / card.folder / file.path
        if origin is not None and origin.is_file() and not (folder / file.path).is_file():
            _bring(str(origin), folder / file.path, file, partial(_copy, card, file))
    here = [file for file in card.clips if (folder / file.path).is_file()]
    hashes = file_hashes([folder / file.path for file in here], cache_folder() / "data" / "hashes.json")
    for file, found in zip(here, hashes, strict=True):
        _require_hash(folder / file.path, file, found, hint=f"delete it, then `bgs data fetch {card.name}`")
    return {file.path: folder / file.path for file in here}


def is_fetched(card: DatasetCard) -> bool:
    """Whether every file and published clip of a data set lies in the cache (not verified)."""
    return all((card_folder(card) / file.path).is_file() for file in (*card.files, *card.clips))


def _mirror_folder(mirror: str | Path | None) -> Path | None:
    chosen = mirror or os.environ.get("BGS_DATA_MIRROR")
    if not chosen:
        return None
    if not Path(chosen).is_dir():
        raise DataError("no such mirror folder", where=chosen, hint="see --mirror and BGS_DATA_MIRROR")
    return Path(chosen)


def _verify(path: Path, file: RemoteFile, hint: str, source: object = None) -> None:
    """Verify a file's SHA-256; ``source`` is its origin."""
    try:
        found = sha256(path)
    except OSError as error:
        raise DataError(f"cannot read: {error.strerror or error}", where=path) from error
    _require_hash(source or path, file, found, hint)


def _require_hash(where: object, file: RemoteFile, found: str, hint: str) -> None:
    if found != file.sha256:
        raise DataError("wrong SHA-256", where=where, expected=file.sha256, got=found, hint=hint)


def _bring(
    source: str, target: Path, file: RemoteFile, downloader: Callable[[str, str, object], None]
) -> None:
    """Let pooch download a file to a temporary path, verify it, and then move it into place."""
    import pooch

    try:
        with _silent(pooch.get_logger()):
            pooch.retrieve(source, file.sha256, target.name, target.parent, downloader=downloader)
        target.chmod(0o644)  # pooch's temporary files are readable only by their owner
    except OSError as error:
        raise DataError(f"cannot write: {error.strerror or error}", where=target) from error


@contextmanager
def _silent(logger: logging.Logger) -> Iterator[None]:
    """Suppress pooch's own messages on stderr; we show progress instead."""
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def _copy(card: DatasetCard, file: RemoteFile, origin: str, output: str, _: object) -> None:
    """What pooch calls a downloader, for a mirror."""
    if not Path(origin).is_file():
        raise DataError(
            "not in the mirror", where=origin, expected=f"a file of {file.size} bytes",
            hint=f"`bgs data fetch {card.name}`, without --mirror and BGS_DATA_MIRROR, downloads it",
        )  # fmt: skip
    _verify(Path(origin), file, "the mirror has a different version")
    shutil.copyfile(origin, output)


def _download(file: RemoteFile, progress: Progress, url: str, output: str, _: object) -> None:
    """A pooch downloader that downloads from a server."""
    import pooch
    import requests

    with open(output, "wb") as stream:
        arrival = _Arrival(stream, file, url, progress)
        try:
            pooch.HTTPDownloader(chunk_size=_CHUNK, timeout=_TIMEOUT_S)(url, arrival, None)
        except requests.RequestException as error:
            raise DataError(f"cannot download: {_reason(error)}", where=url, hint=_MIRROR_HINT) from error
    _verify(Path(output), file, f"{arrival.done} of {file.size} bytes, discarded; try again", source=url)


def _reason(error: requests.RequestException) -> object:
    """The HTTP status or the innermost connection error."""
    if error.response is not None:
        return f"HTTP {error.response.status_code}"
    inner = error.args[0] if error.args else error  # urllib3's error, which has the cause or a message first
    return getattr(inner, "reason", None) or (getattr(inner, "args", None) or (inner,))[0]


@dataclass
class _Arrival:
    """The file object that pooch writes to: counts bytes and raises an error if there are too many."""

    stream: BinaryIO
    file: RemoteFile
    url: str
    progress: Progress
    done: int = 0

    def write(self, chunk: bytes) -> None:
        self.done += len(chunk)
        if self.done > self.file.size:
            raise DataError(
                "too many bytes",
                where=self.url,
                expected=self.file.size,
                hint="discarded; try again",
            )
        self.stream.write(chunk)
        self.progress(self.file.path, self.done, self.file.size)

    def flush(self) -> None:
        self.stream.flush()
