"""Small pictures of clips, made when first asked for and kept beside the index."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from bgs._errors import DataError
from bgs._files import atomic_path, sha256_of
from bgs._optional import require

if TYPE_CHECKING:
    from bgs.library import Clip

#: Name of the folder in the index's folder.
FOLDER = "thumbnails"
#: Longer side in pixels: twice what the page shows, for sharp screens.
SIDE = 320
_QUALITY = 80
#: Clips that are decoded at once.
_AT_ONCE = 2


class Thumbnails:
    """JPEGs in a folder, by the contents of clips: a clip that changed has another one.

    Args:
        folder: of the index.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / FOLDER
        self._working = threading.Semaphore(_AT_ONCE)

    def of(self, clip: Clip) -> Path:
        """The picture of a clip, from its middle.

        Raises:
            DataError: the clip is not what was indexed, or cannot be decoded; or the index has gone.
            BgsError: the picture cannot be written.
        """
        path = self.folder / f"{sha256_of(clip.sha256, repr(clip.start), repr(clip.end))[:32]}.jpg"
        if not path.is_file():
            with self._working:
                self._make(clip, path)
        return path

    def _make(self, clip: Clip, path: Path) -> None:
        from bgs.stimuli.pyav_decoder import picture_at

        source = clip.file()
        if not self.folder.parent.is_dir():  # made again, it would be in the way of a new index
            raise DataError("the index has gone", where=self.folder.parent, hint="run `bgs index` again")
        pixels = picture_at(source, None if clip.piece.is_whole else (clip.start + clip.end) / 2)
        picture = require("PIL.Image", "browse").fromarray(pixels)
        picture.thumbnail((SIDE, SIDE))
        with atomic_path(path) as temporary:
            try:
                picture.save(temporary, "JPEG", quality=_QUALITY, optimize=True)
            except ValueError as error:
                raise DataError(f"cannot be drawn: {error}", where=source) from error
