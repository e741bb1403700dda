"""What an index says of itself: the model whose vectors it holds, what was indexed, and how long videos were cut."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from bgs import __version__
from bgs._errors import DataError
from bgs._files import damage_as_error

FORMAT = "bgs-index/1"
#: Key of the schema metadata of the table.
KEY = b"bgs"


@dataclass(frozen=True)
class About:
    """Metadata of an index; it lies in the schema of the table, so that it is there on object storage too.

    Attributes:
        model: reference of the model.
        identity: of the model; see :class:`bgs.runs.opened_model.OpenedModel`.
        width: d.
        folder: what was indexed, absolute; None for clips that were given as arrays.
        cutting: how long videos are cut; see :class:`bgs.library.cutting.Cutting`.
        format: of the table.
        version: of bgs.
    """

    model: str
    identity: str
    width: int
    folder: str | None
    cutting: Mapping[str, object] = field(default_factory=dict)
    format: str = FORMAT
    version: str = __version__

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def read(cls, metadata: Mapping[bytes, bytes] | None, where: object) -> About:
        """From the metadata of a table.

        Raises:
            DataError: the table is not an index, or one of another version.
        """
        text = (metadata or {}).get(KEY)
        if text is None:
            raise DataError("a table that is not an index of bgs", where=where, hint="name another folder")
        with damage_as_error(str(where)):
            found = json.loads(text)
            if found["format"] != FORMAT:
                raise DataError(
                    "an index of another version of bgs", where=where, expected=FORMAT,
                    got=f"{found['format']} of bgs {found.get('version')}", hint="make a new one with `bgs index`",
                )  # fmt: skip
            return cls(**found)
