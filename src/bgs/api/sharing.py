"""Sharing a tuned model: a folder in the format of the Hugging Face hub, and the hub itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bgs._errors import BgsError
from bgs._files import read_text
from bgs.api.training import Run
from bgs.datasets import Dataset
from bgs.views.displayable import Displayable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bgs.backbones.shared_folder import SharedFolder


@dataclass(frozen=True, repr=False)
class SharedModel(Displayable):
    """A model that was shared; displays as what it holds and how it is loaded.

    Attributes:
        folder: its folder, checked.
        uploaded: hub id and commit, ``owner/name@commit``; None if it was not uploaded.
    """

    folder: SharedFolder
    uploaded: str | None = None

    @property
    def path(self) -> Path:
        """Path of the folder."""
        return self.folder.path

    @property
    def reference(self) -> str:
        """What loads it: :func:`bgs.load_model`, or ``--model`` of any command."""
        base = "?base=FOLDER" if self.folder.base.place == "folder" else ""
        return (f"hub:{self.uploaded}" if self.uploaded else f"shared:{self.path}") + base

    def _views(self) -> Iterable[RenderableType]:
        from bgs.views.sharing import shared_view

        return (shared_view(self.folder, self.reference),)

    def to_json(self) -> dict[str, Any]:
        """JSON types only, as ``bgs share --json`` writes them."""
        base = self.folder.base
        return {
            "folder": str(self.path),
            "reference": self.reference,
            "uploaded": self.uploaded,
            "base": {"reference": str(base), "place": base.place, "revision": base.revision},
            "files": dict(self.folder.files),
        }


def share(
    run: Run | str | Path,
    out: str | Path,
    *,
    push: str | None = None,
    licence: str = "unknown",
    about: str | Path | None = None,
    private: bool = False,
    mirror: str | Path | None = None,
    dataset: Dataset | None = None,
) -> SharedModel:
    """Write the model of a run as a folder that others can load, and upload it to the hub if asked; ``bgs share RUN``.

    The folder holds only what was trained, with everything needed to use it as the run did, and a model card written from
    what was measured. It never holds clips, judgments, or paths of this machine.

    Args:
        run: a finished run, or its folder.
        out: folder to write; new or empty.
        push: hub id, ``owner/name``, of a repository that is created if there is none.
        licence: of the adapter, as the hub abbreviates it (``mit``, ``cc-by-nc-4.0``).
        about: a Markdown file to put into the card.
        private: whether a new repository is.
        mirror: folder with a mirror of the authors' repositories.
        dataset: the data set of a run that was trained on one made in memory.

    Raises:
        BgsError: no finished run, its data cannot be read, ``out`` is not empty, or the hub refuses. Nothing is written
            then, unless it is the upload that fails: the folder is whole.
    """
    from bgs.backbones.shared_reference import known_hub_id
    from bgs.runs.shared_model import share_run

    if push is not None:
        from bgs.backbones.hub import require_token

        require_token(known_hub_id(push, "--push"))
    words = "" if about is None else read_text(about)
    path = run.path if isinstance(run, Run) else run
    folder = share_run(path, out, licence=licence, about=words, mirror=mirror, dataset=dataset)
    return SharedModel(folder, None if push is None else _uploaded(folder, push, private))


def _uploaded(folder: SharedFolder, name: str, private: bool) -> str:
    from bgs.backbones.hub import upload
    from bgs.backbones.shared_folder import FILES

    try:
        return f"{name}@{upload(folder.path, name, private, FILES)}"
    except BgsError as error:
        raise BgsError(
            error.what, where=error.where, expected=error.expected, got=error.got,
            hint=f"the folder is whole; to upload it later: hf upload {name} {folder.path}",
        ) from error  # fmt: skip
