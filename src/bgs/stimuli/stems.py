"""Valid and distinct file names for stimulus ids."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from bgs._files import sha256_of
from bgs.stimuli.masks import clip_stem

#: Maximum name length in bytes; file systems allow 255, including extensions, prefixes and suffixes of temporary files.
_LONGEST = 120
_HASH = 12


def file_stems(ids: Sequence[str]) -> dict[str, str]:
    """Stimulus id -> name of its files, without extension or folder.

    The name is the id without the extension of a video file; characters other than letters, digits, dots, underscores and
    hyphens are replaced by underscores. If it is too long, hidden, already has such a suffix or is shared with another id
    (ignoring case, as some file systems do), it is shortened and gets a hyphen and a hash of the id as suffix.
    """
    plain = {name: re.sub(r"[^\w.-]", "_", clip_stem(name)) for name in ids}
    sharing = Counter(stem.casefold() for stem in plain.values())
    return {
        name: stem if _is_safe(stem) and sharing[stem.casefold()] == 1 else _with_hash(name, stem)
        for name, stem in plain.items()
    }


def _is_safe(stem: str) -> bool:
    hashed = re.search(rf"-[0-9a-f]{{{_HASH}}}$", stem)
    return 0 < len(stem.encode()) <= _LONGEST and not stem.startswith(".") and not hashed


def _with_hash(name: str, stem: str) -> str:
    room = _LONGEST - _HASH - 1
    short = stem.lstrip(".").encode()[:room].decode(errors="ignore")
    return f"{short}-{sha256_of(name)[:_HASH]}"
