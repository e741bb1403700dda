"""Where an index lies: a local folder, or a place on object storage."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bgs._errors import DataError, is_text
from bgs._files import cache_folder, sha256_of

#: A drive letter of Windows is not a scheme.
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """Where an index lies.

    Attributes:
        uri: as LanceDB takes it: a path, or a URI such as ``s3://bucket/clips``.
        folder: where its lock and side files (a map, thumbnails) are kept: the folder itself, or, for object storage, one
            in the cache.
        is_local: whether that is where the table lies, too.
    """

    uri: str
    folder: Path
    is_local: bool

    @classmethod
    def of(cls, given: str | Path) -> Place:
        """From a path or a URI; ``file://`` is a path.

        Raises:
            DataError: it is not text, which LanceDB needs.
        """
        text = str(given)
        if not is_text(text):
            raise DataError("not a place for an index", where=text, expected="a path or URI in UTF-8")
        if text.lower().startswith("file://"):
            text = unquote(urlsplit(text).path)
        elif isinstance(given, str) and _SCHEME.match(text):
            text = text.rstrip("/")
            return cls(text, cache_folder() / "indexes" / sha256_of(text)[:16], False)
        folder = Path(text).absolute()
        return cls(str(folder), folder, True)

    def __str__(self) -> str:
        return self.uri
