"""Converts the authors' V-JEPA 2.1 training checkpoints to a folder of safetensors and JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bgs._errors import BgsError, ConfigError, DataError, listed
from bgs._files import is_empty, write_json, write_tensors
from bgs.backbones.vjepa2_1 import WEIGHTS, VJEPA21Backbone, require_weights
from bgs.backbones.vjepa2_1_network import SIZES, VJEPA21Config, VJEPA21Encoder

#: Keys of the encoder in a checkpoint. Distilled ones (B, L) also contain their teacher under the second key.
_ENCODERS = ("ema_encoder", "target_encoder")
_PREFIXES = ("module.", "backbone.")

#: Published files, below https://dl.fbaipublicfiles.com/vjepa2/
UPSTREAM_FILES = {
    "vjepa2.1-b": "vjepa2_1_vitb_dist_vitG_384.pt",
    "vjepa2.1-l": "vjepa2_1_vitl_dist_vitG_384.pt",
    "vjepa2.1-g": "vjepa2_1_vitg_384.pt",
    "vjepa2.1-G": "vjepa2_1_vitG_384.pt",
}


def convert(model: str, source: str | Path, folder: str | Path) -> int:
    """Write the encoder of an upstream checkpoint to ``folder``. Returns its number of parameters.

    The checkpoint (5–17 GB with optimizer and predictor) is memory-mapped, so only the encoder is read, and
    unpickled with ``weights_only``, so it cannot execute code.

    Args:
        model: ``vjepa2.1-b``, ``-l``, ``-g`` or ``-G``; the checkpoint must have this size.
        source: the downloaded .pt file.
        folder: must be new or empty. config.json is written last: a folder without it is incomplete.

    Raises:
        BgsError: the file does not exist, the disk is full, or the folder is in use.
        DataError: not a V-JEPA 2.1 checkpoint, or one of another size (expected and found are named).
    """
    config = _config_of(model)
    folder = Path(folder)
    if not is_empty(folder):
        raise BgsError("output folder is not empty", where=folder, expected="a new folder")
    weights = read_upstream(source)
    _require_size(weights, model, config, source)
    with torch.device("meta"):
        encoder = VJEPA21Encoder(config)
    require_weights(encoder, weights, where=source)
    _write(folder, weights, config)
    return sum(tensor.numel() for tensor in weights.values())


def read_upstream(source: str | Path) -> dict[str, Tensor]:
    """The encoder's weights of an upstream checkpoint, memory-mapped, without training prefixes.

    Raises:
        BgsError: the file does not exist.
        DataError: not a checkpoint, or one without an encoder.
    """
    if not Path(source).is_file():
        raise BgsError(
            "no such checkpoint", where=source, hint="download it from dl.fbaipublicfiles.com/vjepa2"
        )
    try:
        content: Any = torch.load(source, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # pickle, zip and torch raise different exceptions
        raise DataError(
            f"not a checkpoint that can be read safely: {str(error).splitlines()[0][:200]}", where=source
        ) from None
    keys = list(content) if isinstance(content, dict) else []
    name = next((key for key in _ENCODERS if key in keys), None)
    if name is None:
        raise DataError(
            "the checkpoint has no encoder",
            where=source,
            expected=" or ".join(_ENCODERS),
            got=listed(keys, 6) or "none",
        )
    return {_without_prefix(key): tensor for key, tensor in content[name].items()}


def _without_prefix(key: str) -> str:
    while key.startswith(_PREFIXES):
        key = key.partition(".")[2]
    return key


def _config_of(model: str) -> VJEPA21Config:
    size = model.removeprefix("vjepa2.1-")
    if model not in UPSTREAM_FILES:
        raise ConfigError(
            "not a V-JEPA 2.1 model", where=model, expected=f"one of {', '.join(UPSTREAM_FILES)}"
        )
    return SIZES[size]


def _require_size(weights: dict[str, Tensor], model: str, config: VJEPA21Config, source: object) -> None:
    """Check the size of the model first, for a clearer message than mismatched names and shapes."""
    patches = weights.get("patch_embed.proj.weight")
    width = len(patches) if patches is not None else 0
    depth = len({key.split(".")[1] for key in weights if key.startswith("blocks.")})
    if (width, depth) == (config.width, config.depth):
        return
    known = {(c.width, c.depth): f"vjepa2.1-{size}, " for size, c in SIZES.items()}
    raise DataError(
        "a checkpoint of a different size", where=source,
        expected=f"{model} ({config.width} wide, {config.depth} blocks)",
        got=f"{known.get((width, depth), '')}{width} wide, {depth} blocks",
    )  # fmt: skip


def _write(folder: Path, weights: dict[str, Tensor], config: VJEPA21Config) -> None:
    tensors = {name: tensor.contiguous() for name, tensor in weights.items()}
    write_tensors(folder / WEIGHTS, tensors, {"format": "pt"})
    pixels = VJEPA21Backbone.published
    square = {"height": config.size, "width": config.size}
    write_json(
        folder / "video_preprocessor_config.json",
        {
            "do_resize": True, "size": {"shortest_edge": pixels.sampling.resize}, "resample": 2,
            "do_center_crop": True, "crop_size": square, "do_rescale": True, "rescale_factor": 1 / 255,
            "do_normalize": True, "image_mean": list(pixels.mean), "image_std": list(pixels.std),
        },
    )  # fmt: skip
    write_json(folder / "config.json", config.to_dict())
