"""Loads backbones by reference, such as ``text:minilm``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bgs._errors import ConfigError
from bgs.backbones.adapter import load_adapter
from bgs.backbones.adapter_about import read_about
from bgs.backbones.backbone import Backbone
from bgs.backbones.catalogue import expand, with_setting
from bgs.backbones.clip import ClipBackbone
from bgs.backbones.dinov2 import Dinov2Backbone
from bgs.backbones.features import FeaturesBackbone
from bgs.backbones.lookup import LookupBackbone
from bgs.backbones.low_level import MotionBackbone, PixelBackbone
from bgs.backbones.scratch import ScratchBackbone
from bgs.backbones.shared_folder import SharedFolder, open_shared
from bgs.backbones.shared_reference import is_tuned, parse_shared
from bgs.backbones.siglip import SiglipBackbone
from bgs.backbones.text import TextBackbone
from bgs.backbones.timesformer import TimesformerBackbone
from bgs.backbones.tiny import TinyBackbone
from bgs.backbones.video import VideoBackbone
from bgs.backbones.videomae import VideoMAEBackbone
from bgs.backbones.vjepa2 import VJEPA2Backbone
from bgs.backbones.vjepa2_1 import VJEPA21Backbone

#: Video families by the name before the colon.
VIDEO_FAMILIES: dict[str, type[VideoBackbone]] = {
    kind.family: kind
    for kind in (
        VJEPA2Backbone,
        VJEPA21Backbone,
        TimesformerBackbone,
        VideoMAEBackbone,
        ClipBackbone,
        SiglipBackbone,
        Dinov2Backbone,
    )
}
_FAMILIES: dict[str, Callable[[str], Backbone]] = {
    "text": TextBackbone,
    "lookup": LookupBackbone,
    "scratch": ScratchBackbone.load,
    "tiny": TinyBackbone.load,
    "pixels": PixelBackbone.load,
    "motion": MotionBackbone.load,
    "features": FeaturesBackbone,
    **{family: kind.load for family, kind in VIDEO_FAMILIES.items()},
}

#: Families that do not need anything after the colon.
_NAMELESS = ("pixels", "motion")


def load_backbone(reference: str) -> Backbone:
    """Load a model by reference.

    ``text:<hub id or folder>``, ``text:minilm``, ``lookup:<dim>``, ``scratch:videomae-tiny``, ``tiny-videomae``; the low-level
    baselines ``pixels:`` and ``motion:``; ``features:FILE``, embeddings that were made elsewhere; ``vjepa2:``, ``vjepa2.1:``,
    ``timesformer:``, ``videomae:``, ``clip:``, ``siglip:`` or ``dinov2:`` and a hub id or folder, with
    ``?frames=T&size=S&layer=k`` where other clips or another layer are wanted, and ``?pool=P&time=Q`` for the last three,
    which see single frames; any of these and ``text:`` with ``?weights=random&seed=N``, the same network untrained; a short
    name that ``bgs models`` lists, such as ``vjepa2-l``; ``run:<run folder>``, a run's base model with the trained
    adapter in it; or a model that ``bgs share`` wrote, ``shared:<folder>`` or ``hub:<owner/name>[@revision]``, with
    ``?base=FOLDER`` where its base model is in a folder of its own.

    Raises:
        ConfigError: invalid reference.
        BgsError: the model cannot be loaded, or the adapter does not match it.
    """
    shared = parse_shared(reference)
    if shared is not None:
        return load_shared(open_shared(shared))
    family, colon, name = expand(reference).partition(":")
    named = bool(name) or bool(colon and family in _NAMELESS)
    if not named or family not in {*_FAMILIES, "run"}:
        raise _unknown(reference)
    if family == "run":
        return _load_run(Path(name))
    return _FAMILIES[family](name)


def _unknown(reference: str) -> ConfigError:
    """Most likely a folder whose kind was not said, or whose name is wrong."""
    path = Path(reference)
    if path.is_dir():
        kind = f"run:{reference}" if (path / "adapter").is_dir() else f"FAMILY:{reference}, such as videomae:"
        return ConfigError("which kind of model is in this folder?", where=reference, expected=kind)
    if len(path.parts) > 1 and ":" not in reference:
        return ConfigError(
            "no such folder",
            where=reference,
            hint="a model on the hub has a word before it, such as videomae:",
        )
    known = ", ".join(f"{known}:…" for known in (*_FAMILIES, "run", "shared", "hub"))
    hint = "or a short name, see `bgs models`"
    return ConfigError("unknown model", where=reference, expected=f"one of {known}", hint=hint)


def _load_run(run: Path) -> Backbone:
    folder = run / "adapter"
    backbone = load_backbone(read_about(folder)["model"])
    load_adapter(backbone, folder)
    return backbone


def load_shared(shared: SharedFolder) -> Backbone:
    """Load the base model of a shared model, and put the adapter in it.

    Raises:
        BgsError: the base model cannot be found or loaded, or is another one.
    """
    backbone = load_backbone(shared.base_reference)
    load_adapter(backbone, shared.path)
    return backbone


def with_layer(reference: str, layer: int) -> str:
    """Add ``layer`` to a reference, as ``bgs embed --layer`` does.

    Raises:
        ConfigError: not a video model, or its layer is already set: an adapter belongs to the layer at which it
            was trained.
    """
    if is_tuned(reference) or "layer=" in reference:
        raise ConfigError("the layer of this model is already set", where=reference, hint="omit --layer")
    if expand(reference).partition(":")[0] not in VIDEO_FAMILIES:
        raise ConfigError(
            "--layer: the model has no layers to choose from", where=reference, expected="a video model"
        )
    return with_setting(reference, f"layer={layer}")
