"""``bgs.json``, which says what an adapter belongs to: read strictly, and without torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bgs._config import Settings
from bgs._errors import DataError, listed
from bgs._files import damage_as_error, read_json
from bgs.backbones.lora_settings import LoraSettings
from bgs.backbones.shared_reference import is_tuned
from bgs.backbones.transform_settings import TransformSettings

FORMAT: Final = "bgs-adapter/1"
#: The next step for a damaged adapter.
AGAIN: Final = "train again, or use a copy of this folder"
HEAD = "head.safetensors"
_OLD = "train again: earlier development versions of bgs wrote fewer keys"
_NONE = type(None)
#: Types of what ``bgs.json`` says; the last two keys are there only for a transform and for a lookup table.
_KINDS: Mapping[str, tuple[type, ...]] = {
    "format": (str,), "family": (str,), "model": (str,), "revision": (str,), "settings": (dict,), "lora": (dict, _NONE),
    "head": (dict, _NONE), "trained_on": (dict,), "sha256": (dict,), "transform": (dict,), "stimulus_ids": (list,),
}  # fmt: skip
_OPTIONAL = {"transform", "stimulus_ids"}
_HEAD_KEYS = {"dim", "dropout"}


def read_about(folder: Path) -> dict[str, Any]:
    """Read ``bgs.json`` of an adapter.

    Raises:
        DataError: the folder has no complete adapter; or a key is missing, unexpected or of another type, a file of weights
            has no hash, or its base model is itself tuned.
    """
    path = folder / "bgs.json"
    if not path.is_file():
        if not folder.parent.is_dir():
            raise DataError("no such folder", where=folder.parent)
        raise DataError(
            "no adapter here",
            where=folder,
            expected="a folder with bgs.json",
            hint="did the training finish?",
        )
    about = read_json(path, AGAIN)
    if about.get("format") != FORMAT:
        raise DataError("unsupported adapter format", where=path, expected=FORMAT, got=about.get("format"))
    missing = sorted(_KINDS.keys() - _OPTIONAL - about.keys())
    if missing:
        raise DataError(f"damaged: {listed(missing)} missing", where=path, hint=_OLD)
    with damage_as_error(path, AGAIN):
        _check(about)
    return about


def weight_files(about: Mapping[str, Any]) -> set[str]:
    """The files of weights that an adapter has."""
    if "transform" in about:
        return {HEAD}
    return {encoder_file(about)} | ({HEAD} if about["head"] else set())


def encoder_file(about: Mapping[str, Any]) -> str:
    """The file with what was trained inside the encoder: LoRA, or all of it."""
    return "adapter_model.safetensors" if about["lora"] else "weights.safetensors"


def _check(about: Mapping[str, Any]) -> None:
    unknown = sorted(about.keys() - _KINDS.keys())
    if unknown:
        raise ValueError(f"unexpected key {listed(unknown)}")
    if "stimulus_ids" in about and about["family"] != "lookup":
        raise ValueError("unexpected key stimulus_ids: no lookup table")
    if "transform" in about and (about["lora"], about["head"]) != (None, None):
        raise ValueError("a transform has neither LoRA nor a head")
    for key, value in about.items():
        if not isinstance(value, _KINDS[key]):
            raise TypeError(f"{key} is {type(value).__name__}, not {_KINDS[key][0].__name__}")
    if not all(isinstance(one, str) for one in about["sha256"].values()):
        raise TypeError("sha256 is not of texts")
    if about["sha256"].keys() != weight_files(about):
        given = listed(sorted(about["sha256"])) or "none"
        raise ValueError(f"sha256 is of {given}, not of {listed(sorted(weight_files(about)))}")
    for data, ids in about["trained_on"].items():
        if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
            raise TypeError(f"trained_on: {data} is not a list of ids")
    _require_whole("lora", LoraSettings, about["lora"])
    _require_whole("transform", TransformSettings, about.get("transform"))
    if about["head"] is not None and about["head"].keys() != _HEAD_KEYS:
        raise ValueError(f"head has keys {listed(sorted(about['head']))}, not {listed(sorted(_HEAD_KEYS))}")
    if is_tuned(about["model"]):  # it may be this one, without end
        raise ValueError(f"the base model, {about['model']}, is itself tuned")


def _require_whole(key: str, kind: type[Settings], given: Mapping[str, Any] | None) -> None:
    """Settings as they were written: a default never takes the place of one that is missing."""
    if given is not None and kind(**given).model_dump(mode="json") != given:
        raise ValueError(
            f"{key} lacks {listed(sorted(kind.model_fields.keys() - given.keys())) or 'a value of its type'}"
        )
