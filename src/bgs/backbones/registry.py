"""From a reference such as ``text:minilm`` to a loaded backbone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bgs._errors import ConfigError
from bgs.backbones.adapter import load_adapter, read_about
from bgs.backbones.backbone import Backbone
from bgs.backbones.lookup import LookupBackbone
from bgs.backbones.text import TextBackbone

_FAMILIES: dict[str, Callable[[str], Backbone]] = {"text": TextBackbone, "lookup": LookupBackbone}


def load_backbone(reference: str) -> Backbone:
    """Load ``text:<hub id or folder>``, ``text:minilm``, ``lookup:<dim>`` or ``run:<run folder>``.

    A run is its base model with the trained adapter in it.

    Raises:
        ConfigError: not such a reference.
        BgsError: the model cannot be loaded, or the adapter does not fit it.
    """
    family, _, name = reference.partition(":")
    if not name or family not in {*_FAMILIES, "run"}:
        known = ", ".join(f"{known}:…" for known in (*_FAMILIES, "run"))
        raise ConfigError(
            "unknown model", where=reference, expected=f"one of {known}", hint="e.g. text:minilm"
        )
    if family == "run":
        return _load_run(Path(name))
    return _FAMILIES[family](name)


def _load_run(run: Path) -> Backbone:
    folder = run / "adapter"
    backbone = load_backbone(read_about(folder)["model"])
    load_adapter(backbone, folder)
    return backbone
