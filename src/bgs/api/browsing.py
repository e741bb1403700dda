"""Browsing an index from Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bgs.library.browsing.serving import BrowseServer


def browse(
    index: str | Path, beside: str | Path | None = None, *, port: int = 0, redraw: bool = False
) -> BrowseServer:
    """Make the clips of an index ready to be browsed: ``print(server.address)``, then ``server.run()``.

    Args:
        index: folder or address of an index (``bgs index``).
        beside: an index of the same clips under another model: the page shows what moved.
        port: on this machine; 0 takes a free one.
        redraw: draw the map anew instead of keeping it; clips move.

    Raises:
        BgsError: an index cannot be used, the page is not built, or the port is taken.
    """
    from bgs.library.browsing.serving import BrowseServer

    return BrowseServer(index, beside, port, redraw)
