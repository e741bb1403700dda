"""Verified download: every file has the bytes its card promises, or it is not there."""

from __future__ import annotations

import http
import http.client
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from bgs._errors import DataError
from bgs._files import atomic_path, cache_folder, sha256
from bgs.datasets.registry import RAW_HOST, DatasetCard, RemoteFile

#: Called with the file's path, the bytes of it that are here, and its size.
Progress = Callable[[str, int, int], None]

_CHUNK = 1 << 16
_TIMEOUT_S = 30.0
_MIRROR_HINT = "offline? give a copy of the files with --mirror DIR or BGS_DATA_MIRROR"


def _no_progress(path: str, done: int, size: int) -> None:
    """Progress that nobody watches."""


def card_folder(card: DatasetCard) -> Path:
    """Where the files of a data set are kept: ``data/<owner>/<repo>/<commit>`` in the cache."""
    return cache_folder() / "data" / card.folder


def fetch(
    card: DatasetCard,
    mirror: str | Path | None = None,
    progress: Progress | None = None,
    host: str = RAW_HOST,
) -> Path:
    """Bring every file of a data set into the cache and verify it. Files already there are only verified.

    Args:
        card: the data set.
        mirror: folder with ``<owner>/<repo>/<commit>/<path>`` below it; ``BGS_DATA_MIRROR`` if None. With a mirror
            the network is never used.
        progress: called as bytes arrive.
        host: where ``<owner>/<repo>/<commit>/<path>`` is served from, if there is no mirror.

    Returns:
        The folder that holds the files.

    Raises:
        DataError: a file is not in the mirror, cannot be downloaded, or has another SHA-256 than its card says.
    """
    folder, source = card_folder(card), _mirror_folder(mirror)
    for file in card.files:
        target = folder / file.path
        if target.is_file():
            _verify(target, file, hint=f"delete it, then `bgs data fetch {card.name}`")
        elif source is not None:
            _copy(source / card.folder / file.path, target, file)
        else:
            _download(f"{host}/{card.folder}/{file.path}", target, file, progress or _no_progress)
        (progress or _no_progress)(file.path, file.size, file.size)
    return folder


def is_fetched(card: DatasetCard) -> bool:
    """Whether every file of a data set lies in the cache (not verified)."""
    return all((card_folder(card) / file.path).is_file() for file in card.files)


def _mirror_folder(mirror: str | Path | None) -> Path | None:
    chosen = mirror or os.environ.get("BGS_DATA_MIRROR")
    if not chosen:
        return None
    if not Path(chosen).is_dir():
        raise DataError("no such mirror folder", where=chosen, hint="see --mirror and BGS_DATA_MIRROR")
    return Path(chosen)


def _verify(path: Path, file: RemoteFile, hint: str | None = None) -> None:
    found = sha256(path)
    if found != file.sha256:
        raise DataError("wrong SHA-256", where=path, expected=file.sha256, got=found, hint=hint)


def _copy(origin: Path, target: Path, file: RemoteFile) -> None:
    if not origin.is_file():
        raise DataError("not in the mirror", where=origin, expected=f"a file of {file.size} bytes")
    _verify(origin, file, hint="the mirror holds another version")
    with atomic_path(target) as temporary:
        shutil.copyfile(origin, temporary)


def _download(url: str, target: Path, file: RemoteFile, progress: Progress) -> None:
    """Complete ``<target>.part``, verify it, and only then give it its name."""
    part = target.with_name(target.name + ".part")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        if not part.exists() or part.stat().st_size != file.size:
            _complete(url, part, file, progress)
        found = sha256(part)
        if found != file.sha256:
            part.unlink()
            raise DataError(
                "wrong SHA-256, download discarded",
                where=url,
                expected=file.sha256,
                got=found,
                hint="try again",
            )
        os.replace(part, target)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink(missing_ok=True)  # the server's file is shorter than the part: resuming cannot help
        raise DataError(f"cannot download: HTTP {error.code}", where=url, hint=_MIRROR_HINT) from error
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or error
        raise DataError(f"cannot download: {reason}", where=url, hint=_MIRROR_HINT) from error
    except OSError as error:
        raise DataError(f"cannot write: {error.strerror or error}", where=target) from error


def _complete(url: str, part: Path, file: RemoteFile, progress: Progress) -> None:
    """Append what ``part`` still lacks, or write it anew where the server sends the whole file."""
    have = part.stat().st_size if part.exists() else 0
    if have > file.size:
        part.unlink()
        have = 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=_TIMEOUT_S) as response:
        resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT
        sent = response.headers.get("Content-Range", "no Content-Range")
        if resumed and not sent.startswith(f"bytes {have}-"):
            raise DataError("resumed at another byte", where=url, expected=f"bytes {have}-", got=sent)
        done = _receive(response, part, have if resumed else 0, file, progress)
    if done < file.size:
        raise DataError(
            "transfer was cut short",
            where=url,
            expected=f"{file.size} bytes",
            got=done,
            hint="run again to resume",
        )


def _receive(
    response: http.client.HTTPResponse, part: Path, done: int, file: RemoteFile, progress: Progress
) -> int:
    """Write the response after ``done`` bytes of ``part``; never much more than the file should have."""
    with part.open("ab" if done else "wb") as stream:
        while done <= file.size and (chunk := response.read(_CHUNK)):
            stream.write(chunk)
            done += len(chunk)
            progress(file.path, min(done, file.size), file.size)
    return done
