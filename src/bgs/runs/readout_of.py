"""The readout of a model by its reference, without loading the model (or torch)."""

from __future__ import annotations

from bgs.backbones.shared_folder import open_shared
from bgs.backbones.shared_reference import parse_shared
from bgs.evaluation.readout import Readout
from bgs.runs.run_folder import RunFolder


def read_readout(reference: str, width: int) -> Readout | None:
    """The readout of a model that need not be loaded; None if it was not calibrated.

    Args:
        reference: of the model.
        width: dimensions of its embeddings.

    Raises:
        DataError: the readout is damaged, or belongs to another model.
    """
    shared = parse_shared(reference)
    if shared is not None:
        folder = open_shared(shared).readout
    else:
        family, _, run = reference.partition(":")
        folder = RunFolder(run).readout if family == "run" else None
    return None if folder is None or not folder.is_dir() else Readout.load(folder, width)
