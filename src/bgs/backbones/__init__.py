"""Backbones: encoders with a common protocol, their LoRA targets and adapters.

LoRA settings and the list of published models can be read without torch.
"""

from typing import TYPE_CHECKING

from bgs._lazy import lazy

if TYPE_CHECKING:
    from bgs.backbones.adapter import load_adapter, save_adapter
    from bgs.backbones.backbone import Backbone, BackboneSpec, Inputs
    from bgs.backbones.clips import VideoInputs
    from bgs.backbones.encode import embed, embed_layers, encode_units, pool
    from bgs.backbones.head import ProjectionHead
    from bgs.backbones.lora import attach_lora
    from bgs.backbones.lora_settings import LoraSettings
    from bgs.backbones.registry import load_backbone
    from bgs.backbones.transform_settings import TransformSettings
    from bgs.backbones.video import VideoBackbone

__all__ = [
    "Backbone",
    "BackboneSpec",
    "Inputs",
    "LoraSettings",
    "ProjectionHead",
    "TransformSettings",
    "VideoBackbone",
    "VideoInputs",
    "attach_lora",
    "embed",
    "embed_layers",
    "encode_units",
    "load_adapter",
    "load_backbone",
    "pool",
    "save_adapter",
]

__getattr__ = lazy(
    __name__,
    {
        "adapter": ("load_adapter", "save_adapter"),
        "backbone": ("Backbone", "BackboneSpec", "Inputs"),
        "clips": ("VideoInputs",),
        "encode": ("embed", "embed_layers", "encode_units", "pool"),
        "head": ("ProjectionHead",),
        "lora": ("attach_lora",),
        "lora_settings": ("LoraSettings",),
        "registry": ("load_backbone",),
        "transform_settings": ("TransformSettings",),
        "video": ("VideoBackbone",),
    },
)
