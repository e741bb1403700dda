"""Names of files that belong to stimuli: whatever the ids are, every file can be written and no two are one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from bgs._files import sha256_of
from bgs.stimuli.masks import clip_stem

#: Longest name in bytes; file systems take 255, with endings, prefixes and the name of a half-written file.
_LONGEST = 120
_HASH = 12


def file_stems(ids: Sequence[str]) -> dict[str, str]:
    """Stimulus id -> name of its files, without ending or folder.

    It is the id without the ending of a video file; what is no letter, digit, dot, underscore or hyphen becomes an
    underscore. Where that is too long, hidden, already has such an end or is shared with another id (upper and lower
    case count as one, as on some file systems), it is shortened and ends with a hyphen and a hash of the id.
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
