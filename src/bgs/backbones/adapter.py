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
from bgs.backbones.adapter_about import AGAIN, FORMAT, HEAD, read_about, weight_files
from bgs.backbones.backbone import Backbone
from bgs.backbones.head import ProjectionHead
from bgs.backbones.lookup import LookupTable
from bgs.backbones.lora import attach_lora
from bgs.backbones.lora_settings import LoraSettings
from bgs.backbones.transform import Transform
from bgs.backbones.transform_settings import TransformSettings

_TENSORS = {"format": "pt"}
#: Of ``adapter_config.json``: what another version of peft, or whoever publishes the adapter, may have written otherwise.
_FREE = {"peft_version", "base_model_name_or_path", "revision"}


def save_adapter(backbone: Backbone, settings: LoraSettings | None, folder: str | Path) -> None:
    """Write the trained parameters of a backbone; ``bgs.json`` is written last, so a folder without it is incomplete."""
    folder = make_folder(folder)
    named = {name: parameter.detach().cpu().contiguous() for name, parameter in backbone.trainable().items()}
    head = {name.removeprefix("head."): named.pop(name) for name in list(named) if name.startswith("head.")}
    about: dict[str, Any] = {
        "format": FORMAT,
        "family": backbone.spec.family,
        "model": backbone.spec.source,
        "revision": backbone.spec.revision,
        "settings": backbone.spec.settings(),
        "lora": settings.model_dump() if settings else None,
        "head": None,
        "trained_on": {data: list(ids) for data, ids in backbone.trained_on.items()},
    }
    if backbone.head is not None:
        about |= _about_head(backbone.head)
    for name in sorted(weight_files(about)):
        write_tensors(folder / name, head if name == HEAD else named, _TENSORS)
    about["sha256"] = {name: sha256(folder / name) for name in sorted(weight_files(about))}
    if isinstance(backbone.module, LookupTable):
        about["stimulus_ids"] = backbone.module.ids
    if settings is not None:
        write_json(folder / "adapter_config.json", _peft_config(backbone))
    write_json(folder / "bgs.json", about)


def load_adapter(backbone: Backbone, folder: str | Path) -> None:
    """Load a saved adapter into a newly loaded backbone; everything must match exactly.

    Raises:
        DataError: the folder has no complete adapter, it belongs to another backbone, its weights do not match their
            hash, ``adapter_config.json`` says something else than ``bgs.json``, or a parameter is missing, unexpected or has
            the wrong shape (each is named).
    """
    folder = Path(folder)
    about = read_about(folder)
    if (about["family"], about["revision"]) != (backbone.spec.family, backbone.spec.revision):
        raise DataError(
            "this adapter was trained on other weights", where=folder,
            expected=f"{about['family']}, {about['model']} {about['revision'][:12]}",
            got=f"{backbone.spec.family}, {backbone.spec.source} {backbone.spec.revision[:12]}",
        )  # fmt: skip
    _require_same_settings(about["settings"], backbone, folder)
    with damage_as_error(folder / "bgs.json", AGAIN):
        lora = LoraSettings(**about["lora"]) if about["lora"] else None
        head = _head(backbone.spec.width, about)
        if isinstance(backbone.module, LookupTable):
            backbone.module.rows(tuple(about["stimulus_ids"]))
    attach_lora(backbone, lora, head)
    if lora is not None:
        _require_same_lora(backbone, folder / "adapter_config.json")
    saved: dict[str, Tensor] = {}
    for name, known in about["sha256"].items():
        prefix = "head." if name == HEAD else ""
        saved |= {prefix + key: tensor for key, tensor in _load(folder / name, known).items()}
    load_trainable(backbone, saved, where=folder)
    backbone.trained_on = about["trained_on"]


def _about_head(head: ProjectionHead | Transform) -> dict[str, Any]:
    if isinstance(head, Transform):
        return {"transform": head.settings.model_dump()}
    return {"head": {"dim": head.dim, "dropout": head.dropout.p}}


def _head(width: int, about: Mapping[str, Any]) -> ProjectionHead | Transform | None:
    if "transform" in about:
        return Transform(width, TransformSettings(**about["transform"]))
    return ProjectionHead(width, **about["head"]) if about["head"] else None


def _require_same_settings(saved: dict[str, Any], backbone: Backbone, where: Path) -> None:
    current = backbone.spec.settings()
    for key in sorted(saved.keys() | current.keys()):
        if saved.get(key) != current.get(key):
            raise DataError(
                f"this adapter was trained with other settings: {key}", where=where,
                expected=saved.get(key), got=f"{current.get(key)} from {backbone.spec.source}",
            )  # fmt: skip


def _require_same_lora(backbone: Backbone, path: Path) -> None:
    """peft reads one file, bgs the other: both must say the same."""
    written, ours = read_json(path, AGAIN), _peft_config(backbone)
    for key in sorted(
        {"r", "lora_alpha", "lora_dropout", "target_modules"} | (written.keys() & ours.keys()) - _FREE
    ):
        if written.get(key) != ours[key]:
            raise DataError(
                f"damaged: not the adapter that bgs.json describes: {key}", where=path,
                expected=ours[key], got=written.get(key), hint=AGAIN,
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


def _peft_config(backbone: Backbone) -> dict[str, Any]:
    config = backbone.module.peft_config["default"].to_dict()  # type: ignore[index,union-attr]
    return {key: sorted(value) if isinstance(value, set) else value for key, value in config.items()} | {
        "inference_mode": True
    }


def _load(path: Path, known: str) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not path.is_file():
        raise DataError("a file of this adapter is missing", where=path)
    found = sha256(path)
    if found != known:
        raise DataError(
            "damaged: the weights do not match their hash", where=path,
            expected=f"SHA-256 {known[:12]}", got=found[:12], hint=AGAIN,
        )  # fmt: skip
    try:
        return dict(load_file(path))
    except SafetensorError as error:
        raise DataError(f"not a safetensors file: {error}", where=path) from error
