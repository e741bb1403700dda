"""Serves the page of an index, to this machine only."""

from __future__ import annotations

import secrets
from pathlib import Path

from bgs._errors import BgsError
from bgs._optional import require
from bgs.serving.listening import AppServer, listen

#: The built page, in the package.
PAGE = Path(__file__).parents[1] / "web" / "page"
_HOST = "127.0.0.1"


class BrowseServer(AppServer):
    """An index that is ready to be browsed.

    Args:
        index: folder or address of the index; see :func:`bgs.library.open_index`.
        beside: an index of the same clips under another model.
        port: 0 takes a free one.
        redraw: draw the map anew instead of keeping it; clips move.

    Attributes:
        address: of the page, with a token that is new each time; nothing is served without it.

    Raises:
        BgsError: the page is not built, an index cannot be used, or the port is taken. Checked before anything is served.
    """

    def __init__(
        self, index: str | Path, beside: str | Path | None = None, port: int = 8100, redraw: bool = False
    ) -> None:
        for package in ("fastapi", "starlette", "uvicorn", "PIL"):
            require(package, "browse")
        from bgs.library import open_index
        from bgs.library.browsing.app import create_app
        from bgs.library.browsing.queries import Queries
        from bgs.library.browsing.scene_map import open_map

        page = require_page()
        first = open_index(index)
        scenes = open_map(first, None if beside is None else open_index(beside), redraw)
        self.socket = listen(_HOST, port)
        token = secrets.token_urlsafe(24)
        self.address = f"http://{_HOST}:{self.socket.getsockname()[1]}/{token}/"
        self.clips = len(first.ids)
        self.app = create_app(scenes, Queries(first), page, token)


def require_page() -> Path:
    """Folder of the built page.

    Raises:
        BgsError: it is not built.
    """
    if not (PAGE / "index.html").is_file():
        raise BgsError(
            "the page is not built", where="bgs browse", hint="`make web` builds it (needs Node); wheels contain it"
        )  # fmt: skip
    return PAGE
