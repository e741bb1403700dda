"""The readout of a model by its reference, without loading the model (or torch)."""

from __future__ import annotations

from pathlib import Path

from bgs._progress import note
from bgs.backbones.shared_folder import open_shared
from bgs.backbones.shared_reference import parse_shared
from bgs.evaluation.readout import Readout
from bgs.runs.identity import tuned_identity
from bgs.runs.run_folder import RunFolder


def read_readout(reference: str, width: int, identity: str) -> Readout | None:
    """The readout of a model that need not be loaded.

    Args:
        reference: of the model.
        width: dimensions of its embeddings.
        identity: of the model whose distances it is to read.

    Returns:
        None if the model was not calibrated; or, with a note, if the reference now names another model.

    Raises:
        DataError: the readout is damaged, or belongs to another model.
    """
    shared = parse_shared(reference)
    if shared is not None:
        opened = open_shared(shared)
        folder, adapter, center = opened.readout, opened.path, opened.center
    elif reference.startswith("run:"):
        run = RunFolder(reference.removeprefix("run:"))
        if not run.path.is_dir():
            _tell_gone(reference)
            return None
        folder, adapter = run.readout, run.adapter
        center = run.center_file()
    elif Path(reference).is_absolute():  # a shared model that was there when the index was made
        _tell_gone(reference)
        return None
    else:
        return None
    if folder is None or not folder.is_dir():
        return None
    now = tuned_identity(adapter, center)
    if now != identity:
        note(
            f"{reference} is now another model (identity {now[:12]}) than the one that made the index ({identity[:12]}): "
            "distances are those of the index, without probabilities; `bgs index` in a new folder makes another"
        )
        return None
    return Readout.load(folder, width)


def _tell_gone(reference: str) -> None:
    note(f"{reference} is gone: distances are those of the index, without probabilities and ratings")
