"""Reading and writing files: atomic writes, regular files only, SHA-256 hashes, one-line errors."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import platformdirs

from bgs._errors import BgsError, DataError, message_of

#: Temporary files; a killed process may leave some behind.
_SCRAP = re.compile(r"\..+\.part")
#: The lock file in a folder that a process is working in; see :mod:`bgs._lock`.
LOCK = ".lock"
#: What the system says where there is no room: on the disk, of a quota, for so large a file.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def require_output(path: str | Path, suffixes: Sequence[str] = ()) -> Path:
    """Check that a file can be written, before there is anything to write; the file is not touched.

    Args:
        path: the file, new or to be replaced.
        suffixes: allowed suffixes; empty allows any.

    Returns:
        The path with symbolic links resolved.

    Raises:
        BgsError: the suffix is not allowed; the path is a folder, device or pipe; or no file can be created there.
    """
    if suffixes and Path(path).suffix not in suffixes:
        raise BgsError(
            "unsupported file type", where=path, expected=" or ".join(suffixes), got=Path(path).suffix or "no suffix"
        )  # fmt: skip
    try:
        target = Path(os.path.realpath(path))
        if target.is_symlink() or (target.exists() and not target.is_file()):
            raise BgsError("cannot write: not a regular file", where=path, expected="a new or regular file")
        above = next(folder for folder in target.parents if folder.exists())
    except (OSError, ValueError) as error:
        raise _unusable("write", path, error) from error
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        number = errno.EACCES if above.is_dir() else errno.ENOTDIR
        cause = OSError(number, os.strerror(number), str(above))
        raise _unusable("write", path, cause) from cause
    return target


@contextmanager
def atomic_path(path: str | Path, mode: int = 0o644) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that replaces it when the block ends without an error.

    A symbolic link is kept; its target is replaced. ``mode`` are the permissions of the file, which has no others at any time.

    Raises:
        BgsError: see :func:`require_output`; or writing failed, for example on a full disk.
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
        temporary.chmod(mode)
        os.replace(temporary, target)
    except OSError as error:
        raise _unusable("write", path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Yield a new folder beside ``folder`` that takes its place when the block ends without an error.

    Raises:
        BgsError: writing failed, for example on a full disk. Call :func:`require_new_folder` first.
    """
    try:
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=make_folder(folder.parent)))
        try:
            yield part
            part.chmod(0o755)
            if folder.exists():
                folder.rmdir()
            part.rename(folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise _unusable("write", folder, error) from error


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
    """JSON as written to files: indented, with a final newline; NaN is refused, as it is not valid JSON.

    Bytes of file names that are not UTF-8 (half characters, in Python) are escaped, as JSON has it.
    """
    text = json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    return text.encode("utf-8", "backslashreplace").decode()


def write_tensors(
    path: str | Path,
    tensors: Mapping[str, Any],
    metadata: Mapping[str, str],
    when_whole: Callable[[], None] | None = None,
) -> None:
    """Write numpy arrays or torch tensors as safetensors, atomically.

    ``when_whole`` is called once the new file is whole, before it takes its place.
    """
    from safetensors import SafetensorError

    of_numpy = all(type(tensor).__module__ == "numpy" for tensor in tensors.values())
    save_file = import_module(f"safetensors.{'numpy' if of_numpy else 'torch'}").save_file
    with atomic_path(path) as temporary:
        try:
            save_file(dict(tensors), temporary, metadata=dict(metadata))
        except SafetensorError as error:  # for example, a full disk
            raise BgsError(f"cannot write: {error}", where=path) from error
        if when_whole is not None:
            when_whole()


def append_text(path: str | Path, text: str) -> None:
    """Append to a file. A killed process can leave a truncated last line: readers must drop a line without a newline."""
    try:
        with require_output(path).open("a", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise _unusable("write", path, error) from error


def make_folder(path: str | Path) -> Path:
    """Create a folder and its parents if they do not exist."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise _unusable("write", path, error) from error
    return Path(path)


def require_new_folder(folder: Path) -> None:
    """Check that a folder is new or empty.

    Raises:
        DataError: it holds something, or is a file.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError("is not empty", where=folder, expected="a new or empty folder")


def is_empty(folder: Path) -> bool:
    """Whether a folder is missing, or holds only a lock and the temporary files of a killed process."""
    if not folder.is_dir():
        return not folder.exists()
    return all(path.name.startswith(LOCK) or _SCRAP.fullmatch(path.name) for path in folder.iterdir())


def remove_scraps(folder: Path) -> None:
    """Remove temporary files that a killed process left below a folder. The caller must hold the folder's lock."""
    for path in folder.rglob(".*.part"):
        if path.is_file() and not path.is_symlink():
            path.unlink()


def read_text(path: str | Path) -> str:
    """Read a UTF-8 text file.

    Raises:
        BgsError: the file is missing or unreadable.
        DataError: it is not UTF-8.
    """
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError("not UTF-8 text", where=path, got=f"byte {error.start}: {error.reason}") from None
    except (OSError, ValueError) as error:
        raise _unusable("read", path, error) from error


def read_json(path: str | Path, hint: str | None = None) -> dict[str, Any]:
    """Read a JSON object from a file.

    Raises:
        BgsError: the file is missing or unreadable.
        DataError: it is damaged or is not a JSON object; ``hint`` is the next step.
    """
    with damage_as_error(path, hint):
        found = json.loads(read_text(path))
        if not isinstance(found, dict):
            raise TypeError(f"not a JSON object but {type(found).__name__}")
    return found


@contextmanager
def damage_as_error(path: str | Path, hint: str | None = None) -> Iterator[None]:
    """A context for parsing a file's content: missing keys and wrong types become a one-line error.

    Raises:
        DataError: the content is damaged; ``hint`` is the next step.
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


@contextmanager
def foreign_damage_as_error(path: str | Path, what: str, expected: str | None = None) -> Iterator[None]:
    """A context for packages that parse a file of others: whatever they raise becomes a one-line error.

    A damaged archive, workbook or array makes them raise nearly anything, and they document no base class.

    Raises:
        DataError: ``what``, with the package's own words.
    """
    try:
        yield
    except (BgsError, MemoryError):
        raise
    except Exception as error:
        raise DataError(f"{what}: {message_of(error)}", where=path, expected=expected) from error


def _unusable(verb: str, path: str | Path, error: OSError | ValueError) -> BgsError:
    return BgsError(f"cannot {verb}: {getattr(error, 'strerror', None) or error}", where=path)


def sha256(path: str | Path) -> str:
    """The hexadecimal SHA-256 of a file's bytes."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_of(*parts: bytes | str) -> str:
    """One SHA-256 over several strings or byte strings and their lengths, so that different splits cannot collide."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def cache_folder() -> Path:
    """The folder for everything that can be recomputed: ``BGS_CACHE``, or the user's cache folder."""
    return Path(os.environ.get("BGS_CACHE") or platformdirs.user_cache_dir("bgs"))
