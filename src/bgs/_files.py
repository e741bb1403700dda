"""Files are read and written here: whole or not at all, regular files only, known by their hash; faults in one line."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import platformdirs

from bgs._errors import BgsError, DataError

#: What a killed process leaves of a file that was not whole yet.
_SCRAP = re.compile(r"\..+\.part")
#: Lies in a folder that a process works in; see :mod:`bgs._lock`.
LOCK = ".lock"


def require_output(path: str | Path, suffixes: Sequence[str] = ()) -> Path:
    """See that a file can be written, before there is anything to write; nothing is touched.

    Args:
        path: the file, new or to be replaced.
        suffixes: those that it may have; none given allows all.

    Returns:
        The file itself: what a symbolic link points to.

    Raises:
        BgsError: another suffix; a folder, device or pipe; or no file can be made there.
    """
    if suffixes and Path(path).suffix not in suffixes:
        raise BgsError(
            "unknown kind of file", where=path, expected=" or ".join(suffixes), got=Path(path).suffix or "no suffix"
        )  # fmt: skip
    try:
        target = Path(os.path.realpath(path))
        if target.is_symlink() or (target.exists() and not target.is_file()):
            raise BgsError("cannot write: not a regular file", where=path, expected="a new or a regular file")
        above = next(folder for folder in target.parents if folder.exists())
    except (OSError, ValueError) as error:
        raise _unusable("write", path, error) from error
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        number = errno.EACCES if above.is_dir() else errno.ENOTDIR
        cause = OSError(number, os.strerror(number), str(above))
        raise _unusable("write", path, cause) from cause
    return target


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place when the block ends without an error.

    A symbolic link stays; what it points to is replaced.

    Raises:
        BgsError: see :func:`require_output`; or writing failed, on a full disk for example.
    """
    target = require_output(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.", suffix=".part")
    except OSError as error:
        raise _unusable("write", path, error) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        os.replace(temporary, target)
    except OSError as error:
        raise _unusable("write", path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write a file atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: str | Path, text: str) -> None:
    """Write a UTF-8 text file atomically."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: str | Path, value: Any) -> None:
    """Write JSON atomically, see :func:`json_text`."""
    write_text(path, json_text(value))


def json_text(value: Any) -> str:
    """JSON as it is written to files: indented, a line break at the end, no NaN (it is not JSON)."""
    return json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def write_tensors(path: str | Path, tensors: Mapping[str, Any], metadata: Mapping[str, str]) -> None:
    """Write numpy arrays, or torch tensors, as safetensors, atomically."""
    from safetensors import SafetensorError

    of_numpy = all(type(tensor).__module__ == "numpy" for tensor in tensors.values())
    save_file = import_module(f"safetensors.{'numpy' if of_numpy else 'torch'}").save_file
    with atomic_path(path) as temporary:
        try:
            save_file(dict(tensors), temporary, metadata=dict(metadata))
        except SafetensorError as error:  # a full disk, among others
            raise BgsError(f"cannot write: {error}", where=path) from error


def append_text(path: str | Path, text: str) -> None:
    """Add to the end of a file. A kill can cut it short: whoever reads it drops a last line that does not end."""
    try:
        with require_output(path).open("a", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise _unusable("write", path, error) from error


def make_folder(path: str | Path) -> Path:
    """Make a folder and those above it, where they are not there yet."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise _unusable("write", path, error) from error
    return Path(path)


def is_empty(folder: Path) -> bool:
    """Whether nothing is there: no folder, or one that holds no more than a lock and what a killed process left."""
    if not folder.is_dir():
        return not folder.exists()
    return all(path.name.startswith(LOCK) or _SCRAP.fullmatch(path.name) for path in folder.iterdir())


def remove_scraps(folder: Path) -> None:
    """Remove unfinished files that a killed process left below a folder; only for who holds its lock."""
    for path in folder.rglob(".*.part"):
        if path.is_file() and not path.is_symlink():
            path.unlink()


def read_text(path: str | Path) -> str:
    """A UTF-8 text file.

    Raises:
        BgsError: there is none that can be read.
        DataError: it is not UTF-8.
    """
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError("not UTF-8 text", where=path, got=f"byte {error.start}: {error.reason}") from None
    except (OSError, ValueError) as error:
        raise _unusable("read", path, error) from error


def read_json(path: str | Path, hint: str | None = None) -> dict[str, Any]:
    """A JSON object.

    Raises:
        BgsError: there is no file that can be read.
        DataError: it is damaged, or another kind of file; ``hint`` is the next step.
    """
    with legible(path, hint):
        found = json.loads(read_text(path))
        if not isinstance(found, dict):
            raise TypeError(f"not a JSON object but {type(found).__name__}")
    return found


@contextmanager
def legible(path: str | Path, hint: str | None = None) -> Iterator[None]:
    """Around the reading of a file's content: what is missing in it or of another kind becomes one line.

    Raises:
        DataError: it is damaged; ``hint`` is the next step.
    """
    try:
        yield
    except DataError as error:
        if error.where is not None:
            raise
        raise DataError(f"damaged: {error}", where=path, hint=hint) from error
    except KeyError as error:
        raise DataError(f"damaged: {error} is missing", where=path, hint=hint) from error
    except (ValueError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise DataError(f"damaged: {error}", where=path, hint=hint) from error


def _unusable(verb: str, path: str | Path, error: OSError | ValueError) -> BgsError:
    return BgsError(f"cannot {verb}: {getattr(error, 'strerror', None) or error}", where=path)


def sha256(path: str | Path) -> str:
    """The hexadecimal SHA-256 of a file's bytes."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_of(*parts: bytes | str) -> str:
    """One SHA-256 over several strings or byte strings, with their lengths, so that no two splits collide."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def cache_folder() -> Path:
    """Where everything that can be made again is kept: ``BGS_CACHE``, or the user's cache folder."""
    return Path(os.environ.get("BGS_CACHE") or platformdirs.user_cache_dir("bgs"))


def usable_cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
