"""A library of clips: a table of their vectors in a folder or on object storage, kept up to date, and searched exactly."""

from typing import TYPE_CHECKING

from bgs._lazy import lazy

if TYPE_CHECKING:
    from bgs.library.clip import Clip, Neighbour
    from bgs.library.cutting import Cutting
    from bgs.library.index import Index, open_index
    from bgs.library.indexing import Indexed, index_arrays, index_folder

__all__ = ["Clip", "Cutting", "Index", "Indexed", "Neighbour", "index_arrays", "index_folder", "open_index"]

__getattr__ = lazy(
    __name__,
    {
        "clip": ("Clip", "Neighbour"),
        "cutting": ("Cutting",),
        "index": ("Index", "open_index"),
        "indexing": ("Indexed", "index_arrays", "index_folder"),
    },
)
