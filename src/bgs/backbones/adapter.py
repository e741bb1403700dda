"""Adapters on disk: peft's two files, readable by `PeftModel.from_pretrained`, and our additions.

``adapter_config.json`` and ``adapter_model.safetensors`` hold LoRA; ``head.safetensors`` the head;
``weights.safetensors`` all of an encoder that is trained whole; of a transform there is the head alone. ``bgs.json`` says
which backbone it belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bgs._errors import DataError, listed
from bgs._files import damage_as_error, make_folder, read_json, sha256, write_json, write_tensors
from bgs.backbones.backbone import Backbone
from bgs.backbones.head import ProjectionHead
from bgs.backbones.lookup import LookupTable
from bgs.backbones.lora import attach_lora
from bgs.backbones.lora_settings import LoraSettings
from bgs.backbones.transform import Transform
from bgs.backbones.transform_settings import TransformSettings

_FORMAT = "bgs-adapter/1"
_TENSORS = {"format": "pt"}
#: Types of what ``bgs.json`` says.
_KINDS = {"family": str, "model": str, "revision": str, "settings": dict, "trained_on": dict, "sha256": dict}
_AGAIN = "train again, or use a copy of this folder"


def save_adapter(backbone: Backbone, settings: LoraSettings | None, folder: str | Path) -> None:
    """Write the trained parameters of a backbone; ``bgs.json`` is written last, so a folder without it is incomplete."""
    folder = make_folder(folder)
    named = {name: parameter.detach().cpu().contiguous() for name, parameter in backbone.trainable().items()}
    head = {name.removeprefix("head."): named.pop(name) for name in list(named) if name.startswith("head.")}
    about: dict[str, Any] = {
        "format": _FORMAT,
        "family": backbone.spec.family,
        "model": backbone.spec.source,
        "revision": backbone.spec.revision,
        "settings": backbone.spec.settings(),
        "lora": settings.model_dump() if settings else None,
        "head": None,
        "trained_on": {data: list(ids) for data, ids in backbone.trained_on.items()},
    }
    weights = []
    if backbone.head is not None:
        weights.append(folder / "head.safetensors")
        write_tensors(weights[-1], head, _TENSORS)
        about |= _about_head(backbone.head)
    if not isinstance(backbone.head, Transform):
        weights.append(folder / _weights_file(backbone))
        write_tensors(weights[-1], named, _TENSORS)
    about["sha256"] = {path.name: sha256(path) for path in weights}
    if isinstance(backbone.module, LookupTable):
        about["stimulus_ids"] = backbone.module.ids
    if settings is not None:
        write_json(folder / "adapter_config.json", _peft_config(backbone))
    write_json(folder / "bgs.json", about)


def load_adapter(backbone: Backbone, folder: str | Path) -> None:
    """Load a saved adapter into a newly loaded backbone; everything must match exactly.

    Raises:
        DataError: the folder has no complete adapter, it belongs to another backbone, its weights do not match their
            hash (adapters of older versions have no hash and are not checked), or a parameter
            is missing, unexpected or has the wrong shape (each is named).
    """
    folder = Path(folder)
    about = read_about(folder)
    if about["revision"] != backbone.spec.revision:
        raise DataError(
            "this adapter was trained on other weights", where=folder,
            expected=f"{about['model']} {about['revision'][:12]}", got=f"{backbone.spec.source} {backbone.spec.revision[:12]}",
        )  # fmt: skip
    _require_same_settings(about.get("settings", {}), backbone, folder)
    with damage_as_error(folder / "bgs.json", _AGAIN):
        head = _head(backbone.spec.width, about)
        lora = LoraSettings(**about["lora"]) if about["lora"] else None
        if isinstance(backbone.module, LookupTable):
            backbone.module.rows(tuple(about["stimulus_ids"]))
    attach_lora(backbone, lora, head)
    hashes = about.get("sha256", {})
    saved = {} if isinstance(head, Transform) else _load(folder / _weights_file(backbone), hashes)
    if head is not None:
        of_head = _load(folder / "head.safetensors", hashes)
        saved |= {f"head.{name}": tensor for name, tensor in of_head.items()}
    load_trainable(backbone, saved, where=folder)
    backbone.trained_on = about.get("trained_on", {})


def _about_head(head: ProjectionHead | Transform) -> dict[str, Any]:
    if isinstance(head, Transform):
        return {"transform": head.settings.model_dump()}
    return {"head": {"dim": head.dim, "dropout": head.dropout.p}}


def _head(width: int, about: Mapping[str, Any]) -> ProjectionHead | Transform | None:
    if about.get("transform"):
        return Transform(width, TransformSettings(**about["transform"]))
    return ProjectionHead(width, **about["head"]) if about["head"] else None


def _weights_file(backbone: Backbone) -> str:
    return "weights.safetensors" if backbone.trains_whole else "adapter_model.safetensors"


def _require_same_settings(saved: dict[str, Any], backbone: Backbone, where: Path) -> None:
    current = backbone.spec.settings()
    for key in sorted(saved.keys() | current.keys()):
        if saved.get(key) != current.get(key):
            raise DataError(
                f"this adapter was trained with other settings: {key}", where=where,
                expected=saved.get(key), got=f"{current.get(key)} from {backbone.spec.source}",
            )  # fmt: skip


def load_trainable(backbone: Backbone, saved: dict[str, Tensor], where: object) -> None:
    """Copy named tensors into the trained parameters.

    Raises:
        DataError: a name, a shape or a type differs, or a number is not finite; the parameter is named.
    """
    current = backbone.trainable()
    for problem, names in (
        ("missing", current.keys() - saved.keys()),
        ("unexpected", saved.keys() - current.keys()),
    ):
        if names:
            raise DataError(
                f"{len(names)} {problem} parameters: {listed(sorted(names))}",
                where=where,
                expected=f"exactly the {len(current)} trained parameters of {backbone.spec.source}",
            )
    for name, parameter in current.items():
        if parameter.shape != saved[name].shape:
            raise DataError(
                f"parameter {name} has the wrong shape", where=where,
                expected=list(parameter.shape), got=list(saved[name].shape),
            )  # fmt: skip
        if parameter.dtype != saved[name].dtype:
            raise DataError(
                f"parameter {name} has the wrong type", where=where, expected=parameter.dtype, got=saved[name].dtype
            )  # fmt: skip
        if not saved[name].isfinite().all():
            raise DataError(f"parameter {name} is not finite", where=where, got="NaN or infinity")
    with torch.no_grad():
        for name, parameter in current.items():
            parameter.copy_(saved[name])


def read_about(folder: Path) -> dict[str, Any]:
    """Read ``bgs.json`` of an adapter.

    Raises:
        DataError: the folder has no complete adapter.
    """
    path = folder / "bgs.json"
    if not path.is_file():
        raise DataError(
            "no adapter here",
            where=folder,
            expected="a folder with bgs.json",
            hint="did the training finish?",
        )
    about = read_json(path, _AGAIN)
    if about.get("format") != _FORMAT:
        raise DataError("unsupported adapter format", where=path, expected=_FORMAT, got=about.get("format"))
    missing = {"model", "revision", "lora", "head"} - about.keys()
    if missing:
        raise DataError(f"damaged: {min(missing)} is missing", where=path, hint=_AGAIN)
    with damage_as_error(path, _AGAIN):
        for key, kind in _KINDS.items():
            if not isinstance(about.get(key, kind()), kind):
                raise TypeError(f"{key} is {type(about[key]).__name__}, not {kind.__name__}")
        if not all(isinstance(one, str) for one in about.get("sha256", {}).values()):
            raise TypeError("sha256 is not of texts")
    return about


def _peft_config(backbone: Backbone) -> dict[str, Any]:
    config = backbone.module.peft_config["default"].to_dict()  # type: ignore[index,union-attr]
    return {key: sorted(value) if isinstance(value, set) else value for key, value in config.items()} | {
        "inference_mode": True
    }


def _load(path: Path, hashes: Mapping[str, str]) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not path.is_file():
        raise DataError("a file of this adapter is missing", where=path)
    found = sha256(path)
    if hashes.get(path.name, found) != found:
        raise DataError(
            "damaged: the weights do not match their hash", where=path,
            expected=f"SHA-256 {hashes[path.name][:12]}", got=found[:12], hint=_AGAIN,
        )  # fmt: skip
    try:
        return dict(load_file(path))
    except SafetensorError as error:
        raise DataError(f"not a safetensors file: {error}", where=path) from error
