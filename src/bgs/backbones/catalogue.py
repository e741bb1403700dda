"""Published checkpoints by short name."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from bgs._errors import ConfigError


@dataclass(frozen=True)
class ModelCard:
    """A published checkpoint.

    Attributes:
        name: the short name.
        family: the name before the colon of a reference.
        checkpoint: hub id, or "" if it is not on the hub.
        frames: frames per clip.
        size: width and height in pixels.
        parameters: number of parameters of the part that is used.
        memory: GiB for tuning all blocks with LoRA (rank 8) in float32, one clip at a time: weights and activations for the
            backward pass. Fewer frames, gradient checkpointing and bf16 need less.
        licence: licence of the weights, as stated by their authors.
        about: description, if the name of the checkpoint is not sufficient.
    """

    name: str
    family: str
    checkpoint: str
    frames: int
    size: int
    parameters: int
    memory: float
    licence: str
    about: str = ""

    @property
    def reference(self) -> str:
        """The reference for ``load_backbone``."""
        return f"{self.family}:{self.checkpoint}"

    def to_json(self) -> dict[str, Any]:
        """All fields."""
        return asdict(self)


_NC = "CC BY-NC 4.0"
_CODE = "MIT (the code's; none stated for the weights)"
_APACHE = "Apache 2.0"
_DINOV3 = "DINOv3 License (Meta's own; the hub asks to accept it)"
_ROWS = (
    ("vjepa2-l", "vjepa2", "facebook/vjepa2-vitl-fpc64-256", 64, 256, 303_885_312, 22.4, "MIT"),
    ("vjepa2-h", "vjepa2", "facebook/vjepa2-vith-fpc64-256", 64, 256, 631_648_000, 37.7, "MIT"),
    ("vjepa2-g", "vjepa2", "facebook/vjepa2-vitg-fpc64-256", 64, 256, 1_012_173_952, 54.1, "MIT"),
    ("vjepa2-g-384", "vjepa2", "facebook/vjepa2-vitg-fpc64-384", 64, 384, 1_012_173_952, 117.0, "MIT"),
    ("vjepa2.1-b", "vjepa2.1", "", 64, 384, 86_833_152, 16.8, "MIT"),
    ("vjepa2.1-l", "vjepa2.1", "", 64, 384, 304_680_960, 45.0, "MIT"),
    ("vjepa2.1-g", "vjepa2.1", "", 64, 384, 1_013_267_968, 108.6, "MIT"),
    ("vjepa2.1-G", "vjepa2.1", "", 64, 384, 1_845_216_768, 164.8, "MIT"),
    (
        "timesformer-k400",
        "timesformer",
        "facebook/timesformer-base-finetuned-k400",
        8,
        224,
        121_258_752,
        2.4,
        _NC,
    ),
    (
        "timesformer-k600",
        "timesformer",
        "facebook/timesformer-base-finetuned-k600",
        8,
        224,
        121_258_752,
        2.4,
        _NC,
    ),
    (
        "timesformer-ssv2",
        "timesformer",
        "facebook/timesformer-base-finetuned-ssv2",
        8,
        224,
        121_258_752,
        2.4,
        _NC,
    ),
    ("videomae-b", "videomae", "MCG-NJU/videomae-base", 16, 224, 86_227_200, 1.8, _NC),
    ("videomae-l", "videomae", "MCG-NJU/videomae-large", 16, 224, 303_860_736, 5.2, _NC),
    (
        "videomae-b-k400",
        "videomae",
        "MCG-NJU/videomae-base-finetuned-kinetics",
        16,
        224,
        86_225_664,
        1.8,
        _NC,
    ),
    ("clip-b32", "clip", "openai/clip-vit-base-patch32", 8, 224, 87_849_216, 0.8, _CODE),
    ("clip-b16", "clip", "openai/clip-vit-base-patch16", 8, 224, 86_192_640, 2.0, _CODE),
    ("clip-l14", "clip", "openai/clip-vit-large-patch14", 8, 224, 303_966_208, 7.2, _CODE),
    ("siglip-b16", "siglip", "google/siglip-base-patch16-224", 8, 224, 92_884_224, 1.9, _APACHE),
    ("siglip2-b16", "siglip", "google/siglip2-base-patch16-224", 8, 224, 92_884_224, 1.9, _APACHE),
    ("dinov2-s", "dinov2", "facebook/dinov2-small", 8, 224, 22_056_576, 1.1, _APACHE),
    ("dinov2-b", "dinov2", "facebook/dinov2-base", 8, 224, 86_580_480, 2.3, _APACHE),
    ("dinov2-l", "dinov2", "facebook/dinov2-large", 8, 224, 304_368_640, 6.4, _APACHE),
    ("dinov2-reg-s", "dinov2", "facebook/dinov2-with-registers-small", 8, 224, 22_058_112, 1.1, _APACHE),
    ("dinov2-reg-b", "dinov2", "facebook/dinov2-with-registers-base", 8, 224, 86_583_552, 2.3, _APACHE),
    ("dinov2-reg-l", "dinov2", "facebook/dinov2-with-registers-large", 8, 224, 304_372_736, 6.5, _APACHE),
    ("dinov3-s", "dinov2", "facebook/dinov3-vits16-pretrain-lvd1689m", 8, 224, 21_596_544, 0.9, _DINOV3),
    ("dinov3-b", "dinov2", "facebook/dinov3-vitb16-pretrain-lvd1689m", 8, 224, 85_660_416, 1.9, _DINOV3),
    ("dinov3-l", "dinov2", "facebook/dinov3-vitl16-pretrain-lvd1689m", 8, 224, 303_129_600, 5.3, _DINOV3),
)
CARDS = {row[0]: ModelCard(*row) for row in _ROWS}

#: Included in the package: a small VideoMAE, pretrained on simulated clips.
TINY = ModelCard(
    "tiny-videomae", "tiny", "videomae", 8, 64, 989_312, 0.02, "MIT",
    "included in bgs: a small VideoMAE, pretrained on SIMULATED clips",
)  # fmt: skip


def expand(reference: str) -> str:
    """Expand a short name (with or without ``?settings``) to a full reference; anything else is returned unchanged.

    Raises:
        ConfigError: the checkpoint must be converted first.
    """
    name, mark, settings = reference.partition("?")
    card = {TINY.name: TINY, **CARDS}.get(name)
    if card is None:
        return reference
    if not card.checkpoint:
        raise ConfigError(
            "these weights are not on the hub", where=reference, expected=f"{card.family}:<folder>",
            hint=f"download them and run: bgs models convert {name} FILE.pt --out DIR",
        )  # fmt: skip
    return card.reference + mark + settings


def with_setting(reference: str, setting: str) -> str:
    """A reference with one more setting, such as ``layer=3``."""
    return f"{reference}{'&' if '?' in reference else '?'}{setting}"
