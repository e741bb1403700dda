"""Writes the model of a run as a folder to share: adapter, centre, readout, evaluation, card and manifest."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from bgs import __version__
from bgs._errors import BgsError, ConfigError, DataError
from bgs._files import (
    atomic_folder,
    damage_as_error,
    read_json,
    require_new_folder,
    sha256,
    write_json,
    write_text,
)
from bgs._yaml import read_mapping
from bgs.backbones.adapter_about import read_about
from bgs.backbones.shared_folder import (
    CARD,
    CENTER,
    FILES,
    READOUT,
    BaseModel,
    Place,
    SharedFolder,
    manifest_of,
    open_shared,
)
from bgs.backbones.shared_reference import MANIFEST, SharedReference
from bgs.datasets import Dataset
from bgs.embeddings import Embeddings
from bgs.evaluation import Result
from bgs.evaluation.readout import Readout
from bgs.runs.model_card import CardFacts, model_card
from bgs.runs.run_folder import RunFolder
from bgs.runs.study import Study, load_study
from bgs.training import TrainingConfig, load_config

#: Families whose weights come with bgs, or that have none.
_INCLUDED = ("tiny", "scratch", "lookup", "pixels", "motion")
_OF_ADAPTER = (
    "adapter_config.json",
    "adapter_model.safetensors",
    "weights.safetensors",
    "head.safetensors",
)
_LICENCE = re.compile(r"[a-z0-9][a-z0-9.+-]*")
#: A reference to, or the path of, something on this machine: kind, absolute path, settings.
_LOCAL = re.compile(r"((?:[\w.-]{2,}:)?)((?:/|~|[A-Za-z]:[\\/]|\\\\)[^?]*)(\?.*)?", re.DOTALL)
_AGAIN = "bgs train with this folder writes it again"


def share_run(
    run: str | Path,
    out: str | Path,
    *,
    licence: str = "unknown",
    about: str = "",
    mirror: str | Path | None = None,
    dataset: Dataset | None = None,
) -> SharedFolder:
    """Write the model of a finished run as a new folder, which appears when it is whole.

    The study is loaded again, since the card says how many clips and judgments the model has seen, and whose they are.

    Args:
        run: folder of the run.
        out: folder to write.
        licence: of the adapter, as the hub abbreviates it (``mit``, ``cc-by-nc-4.0``).
        about: Markdown by whoever shares it, for the card.
        mirror: folder with a mirror of the authors' repositories.
        dataset: the data set, where it cannot be loaded by the name in the run's configuration.

    Raises:
        BgsError: no finished run, its data cannot be read or have changed, or a file cannot be written.
        DataError: ``out`` holds something, or a file of the run is damaged.
        ConfigError: an invalid licence.
    """
    folder, out = RunFolder(run), Path(out)
    if not _LICENCE.fullmatch(licence):
        raise ConfigError(
            "not a licence", where="licence", expected="such as mit or cc-by-4.0", got=licence[:80]
        )
    require_new_folder(out)
    config = _config(folder)
    adapter = read_about(folder.adapter)
    with damage_as_error(folder.evaluation, _AGAIN):
        results = [Result.from_json(found) for found in read_json(folder.evaluation, _AGAIN).values()]
    study = load_study(config, mirror, dataset)
    _require_same_study(folder, study)
    base = base_of(adapter["model"], adapter["revision"])
    readout = _readout(folder)
    card = model_card(CardFacts.of(base, config, study, results, readout, licence, about))
    with atomic_folder(out) as part:
        _copy_adapter(folder.adapter, part, adapter | {"model": str(base)})
        _copy_center(folder, part)
        if readout is not None:
            readout.save(part / READOUT)
        write_text(
            part / "config.yaml", yaml.safe_dump(without_paths(read_mapping(folder.config)), sort_keys=False)
        )
        write_json(part / "evaluation.json", without_paths(read_json(folder.evaluation)))
        write_text(part / CARD, card)
        files = {name: sha256(part / name) for name in FILES if (part / name).is_file()}
        write_json(part / MANIFEST, manifest_of(base, files, __version__))
    return open_shared(SharedReference("folder", str(out)))


def base_of(source: str, revision: str) -> BaseModel:
    """The base model by its reference, without the path of a folder of this machine.

    Args:
        source: as the adapter names it.
        revision: SHA-256 of its weights.
    """
    family, _, rest = source.partition(":")
    name, mark, settings = rest.partition("?")
    place: Place = "hub"
    if family in _INCLUDED or (family, name) == ("text", "minilm"):
        place = "included"
    elif _LOCAL.fullmatch(name) or Path(name).exists():
        place, name = "folder", _last_part(name)
        settings = "" if family == "features" else settings  # a second file of this machine
    return BaseModel(family, name, mark + settings if settings else "", place, revision)


def without_paths(value: Any) -> Any:
    """JSON types in which every absolute path, alone or after a colon, is replaced by its last part."""
    if isinstance(value, Mapping):
        return {key: without_paths(found) for key, found in value.items()}
    if isinstance(value, list):
        return [without_paths(found) for found in value]
    found = _LOCAL.fullmatch(value) if isinstance(value, str) else None
    return f"{found[1]}{_last_part(found[2])}{found[3] or ''}" if found else value


def _last_part(path: str) -> str:
    parts = [part for part in re.split(r"[\\/]", path) if part]
    return parts[-1] if parts else "folder"


def _config(folder: RunFolder) -> TrainingConfig:
    if folder.is_shared or not folder.config.is_file() or not folder.evaluation.is_file():
        raise folder.unfinished()
    config = load_config(folder.config)
    if config.cross_validation is not None:
        raise BgsError(
            "a cross-validation has no single model", where=folder.path, expected="a run without cross_validation",
            hint="train one on all training clips: cross_validation: null",
        )  # fmt: skip
    return config


def _require_same_study(folder: RunFolder, study: Study) -> None:
    """The card describes what the model was trained on, not what the data set has become."""
    known = read_json(folder.provenance, _AGAIN).get("origin") or {}
    for name, found in study.hashes().items():
        if known.get(name) != found:
            raise DataError(
                f"the {name} of {study.dataset.name} are not those that the model was trained on", where=folder.path,
                expected=f"SHA-256 {str(known.get(name))[:12]}", got=found[:12], hint="the card would be wrong",
            )  # fmt: skip


def _readout(folder: RunFolder) -> Readout | None:
    if not folder.readout.is_dir():
        return None
    width = Embeddings.load(folder.embeddings("tuned")).values.shape[1]
    return Readout.load(folder.readout, width)


def _copy_adapter(adapter: Path, part: Path, about: Mapping[str, Any]) -> None:
    for name in _OF_ADAPTER:
        if (adapter / name).is_file():
            shutil.copyfile(adapter / name, part / name)
    for name, known in about["sha256"].items():
        if not (part / name).is_file() or sha256(part / name) != known:
            raise DataError("damaged: the weights do not match their hash", where=adapter / name, hint=_AGAIN)
    write_json(part / "bgs.json", dict(about))


def _copy_center(folder: RunFolder, part: Path) -> None:
    """The centre, without the path of the run in its header."""
    if folder.center.is_file():
        found = Embeddings.load(folder.center)
        Embeddings(found.values, found.stimulus_ids, "shared model").save(part / CENTER)
