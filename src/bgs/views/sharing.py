"""The table of a shared model: its files, and how it is loaded."""

from __future__ import annotations

from rich.console import Group
from rich.text import Text

from bgs.backbones.shared_folder import SharedFolder
from bgs.backbones.shared_reference import MANIFEST
from bgs.views.console import table

_HOLDS = {
    "README.md": "the model card",
    MANIFEST: "the manifest: base model, SHA-256 of every file",
    "bgs.json": "what the adapter belongs to, and the clips it was trained on",
    "adapter_config.json": "the adapter's form, as peft writes it",
    "adapter_model.safetensors": "the adapter, which peft reads too",
    "weights.safetensors": "all weights: the encoder was trained whole",
    "head.safetensors": "the head, or the transform",
    "center.safetensors": "what is subtracted before distances",
    "config.yaml": "how it was trained",
    "evaluation.json": "how well it does on test clips",
    "readout/readout.json": "probabilities, ratings and their intervals",
    "readout/readout.safetensors": "their numbers",
}


def shared_view(shared: SharedFolder, reference: str) -> Group:
    """What a shared model holds."""
    rows = [(name, what) for name, what in _HOLDS.items() if name in {MANIFEST, *shared.files}]
    base = f"Base model: {shared.base} ({shared.base.revision[:12] or 'no weights'})."
    return Group(
        table(str(shared.path), ("file", "holds"), rows), Text(base), Text(f"bgs.load_model({reference!r})")
    )
