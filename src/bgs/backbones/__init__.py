"""Backbones: encoders behind one protocol, their LoRA targets and their adapters."""

from bgs.backbones.adapter import load_adapter, save_adapter
from bgs.backbones.backbone import Backbone, BackboneSpec, Inputs
from bgs.backbones.clips import VideoInputs
from bgs.backbones.encode import embed, embed_layers, encode_units, pool
from bgs.backbones.head import ProjectionHead
from bgs.backbones.lora import LoraSettings, attach_lora
from bgs.backbones.registry import load_backbone
from bgs.backbones.video import VideoBackbone

__all__ = [
    "Backbone",
    "BackboneSpec",
    "Inputs",
    "LoraSettings",
    "ProjectionHead",
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
