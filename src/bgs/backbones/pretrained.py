"""Files of a checkpoint, in a folder or on the hub: family, configuration and weights."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bgs._errors import BgsError, ConfigError, DataError, listed
from bgs._optional import require
from bgs.backbones.mixing import eager

#: ``model_type`` of a checkpoint's config.json -> our family.
FAMILY_OF_MODEL_TYPE = {
    "vjepa2": "vjepa2",
    "vjepa2_1": "vjepa2.1",
    "timesformer": "timesformer",
    "videomae": "videomae",
    "clip": "clip",
    "clip_vision_model": "clip",
    "siglip": "siglip",
    "siglip_vision_model": "siglip",
    "siglip2": "siglip",
    "siglip2_vision_model": "siglip",
    "dinov2": "dinov2",
    "dinov2_with_registers": "dinov2",
    "dinov3_vit": "dinov2",
}


def checkpoint_file(name: str, filename: str) -> Path | None:
    """Path of a file of a checkpoint (a folder, or a hub id, which is downloaded once); None if it has no such file.

    Raises:
        BgsError: neither a folder nor a checkpoint on the hub (or in its local cache).
    """
    if Path(name).is_dir():
        path = Path(name) / filename
        return path if path.is_file() else None
    hub = require("transformers", "train").utils.hub
    try:
        found = hub.cached_file(name, filename, _raise_exceptions_for_missing_entries=False)
    except (OSError, ValueError) as error:
        raise BgsError(
            f"cannot find this checkpoint: {str(error).splitlines()[0]}", where=name,
            expected="a folder, or a hub id such as facebook/vjepa2-vitl-fpc64-256",
        ) from None  # fmt: skip
    return Path(found) if found is not None else None


def read_json(name: str, filename: str) -> dict[str, Any] | None:
    """Read a JSON file of a checkpoint; None if it has no such file.

    Raises:
        DataError: the file is not a JSON object.
    """
    path = checkpoint_file(name, filename)
    if path is None:
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"not JSON: {error}", where=path) from None
    if not isinstance(content, dict):
        raise DataError("not a JSON object", where=path, got=type(content).__name__)
    return content


def read_config(family: str, name: str) -> dict[str, Any]:
    """Read config.json of a checkpoint of ``family``.

    Raises:
        BgsError: there is no checkpoint.
        ConfigError: the checkpoint belongs to another family, which is named.
    """
    config = read_json(name, "config.json")
    if config is None:
        raise BgsError(
            "no checkpoint here",
            where=name,
            expected="a folder, or a hub id (online or already downloaded), with a config.json",
        )
    model_type = str(config.get("model_type"))
    found = FAMILY_OF_MODEL_TYPE.get(model_type)
    if found != family:
        raise ConfigError(
            "a checkpoint of another family", where=f"{family}:{name}", expected=family,
            got=found or f"model_type {model_type!r}", hint=f"use {found}:{name}" if found else None,
        )  # fmt: skip
    return config


def load_transformers(kind: str, name: str, **keywords: Any) -> Any:
    """Load a transformers model of class ``kind`` in float32, with all weights from the checkpoint.

    Additional weights in the checkpoint (a classifier, a decoder, CLIP's text encoder) are ignored.

    Raises:
        BgsError: the checkpoint cannot be read.
        DataError: a weight is missing or has the wrong shape; it is named, never initialised randomly.
    """
    library = require("transformers", "train")
    from safetensors import SafetensorError

    try:
        model, report = getattr(library, kind).from_pretrained(
            name, dtype=torch.float32, output_loading_info=True, **keywords
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise BgsError(
            f"cannot load these weights: {' '.join(str(error).split())[:300]}", where=name
        ) from None
    for problem in ("missing_keys", "mismatched_keys"):
        if report[problem]:
            raise DataError(
                f"{len(report[problem])} {problem.replace('_keys', '')} weights: {listed(sorted(map(str, report[problem])))}",
                where=name, expected=f"all weights of a {kind}",
            )  # fmt: skip
    return model.eval()


def fingerprint(module: nn.Module) -> str:
    """SHA-256 of names, types and values of the weights, so that an adapter can identify its base model."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        values = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
        for part in (re.sub(r"\s", "", name).encode(), str(tensor.dtype).encode(), memoryview(values)):
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(part)
    return digest.hexdigest()


def eager_attentions(model: Any, depth: int, **inputs: Any) -> tuple[Tensor, ...]:
    """Attention weights of the first ``depth`` blocks of a transformers model.

    Fused attention (sdpa) does not compute them and silently returns an empty tuple, so the eager
    implementation is used for this call.
    """
    with eager(model):
        maps = model(**inputs, output_attentions=True).attentions
    if len(maps) < depth:
        raise BgsError("no attention weights from this model", expected=f"{depth} blocks", got=len(maps))
    return tuple(maps[:depth])
