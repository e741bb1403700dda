"""A shared model's folder, as `bgs share` writes it and as the hub has it: read strictly, never unpickled."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from bgs._errors import BgsError, ConfigError, DataError, listed
from bgs._files import damage_as_error, read_json, sha256
from bgs._yaml import read_mapping
from bgs.backbones.adapter_about import read_about
from bgs.backbones.shared_reference import MANIFEST, SharedReference

FORMAT = "bgs-model/1"
CARD = "README.md"
CENTER = "center.safetensors"
READOUT = "readout"
#: Every file that a shared model can have besides its manifest; others are neither read nor downloaded.
FILES = (
    CARD, "bgs.json", "adapter_config.json", "adapter_model.safetensors", "weights.safetensors", "head.safetensors", CENTER,
    "config.yaml", "evaluation.json", f"{READOUT}/readout.json", f"{READOUT}/readout.safetensors",
)  # fmt: skip
_REQUIRED = (CARD, "bgs.json", "config.yaml", "evaluation.json")
_AGAIN = "get a fresh copy, or ask who shared it to run `bgs share` again"
Place = Literal["included", "hub", "folder"]


@dataclass(frozen=True)
class BaseModel:
    """The model that an adapter belongs to.

    Attributes:
        family: the name before the colon of a reference.
        name: what follows: a name of bgs, a hub id, or the last part of the path of a folder (or file).
        settings: the rest of the reference, from the question mark on; "" for none.
        place: ``included`` comes with bgs or its extras; ``hub`` is downloaded; for ``folder`` one has to say where it is.
        revision: SHA-256 of its weights; "" if it has none.
    """

    family: str
    name: str
    settings: str
    place: Place
    revision: str

    def __str__(self) -> str:
        return f"{self.family}:{self.name}{self.settings}"

    def found_at(self, base: str | None, where: str) -> str:
        """The reference that loads it here.

        Args:
            base: its folder or file, as the user says.
            where: the shared model.

        Raises:
            BgsError: it is in a folder of its own, and the user has not said where.
            ConfigError: it comes with bgs, and the user says where.
        """
        if base is not None and self.place == "included":
            raise ConfigError("this model's base comes with bgs", where=where, expected="no ?base=", got=base)
        if base is None and self.place == "folder":
            raise BgsError(
                f"its base model {self.family}:{self.name} is in no public place", where=where,
                expected=f"its folder here (weights {self.revision[:12]})", hint=f"--model '{where}?base=FOLDER'",
            )  # fmt: skip
        return str(self) if base is None else f"{self.family}:{base}{self.settings}"


@dataclass(frozen=True)
class SharedFolder:
    """A shared model whose files were checked.

    Attributes:
        path: the folder; also that of the adapter.
        base: the model that the adapter belongs to.
        files: file -> SHA-256.
        version: of bgs, which wrote it.
        reference: what the user gave.
    """

    path: Path
    base: BaseModel
    files: Mapping[str, str]
    version: str
    reference: SharedReference

    @property
    def base_reference(self) -> str:
        """The reference that loads the base model here; see :meth:`BaseModel.found_at`."""
        return self.base.found_at(self.reference.base, str(self.reference))

    @property
    def center(self) -> Path | None:
        """The file with the centre; None if nothing is subtracted."""
        return self.path / CENTER if CENTER in self.files else None

    @property
    def readout(self) -> Path | None:
        """The folder of the readout; None if it has none."""
        return self.path / READOUT if f"{READOUT}/readout.json" in self.files else None


def open_shared(reference: SharedReference) -> SharedFolder:
    """Find a shared model (download it, if it is on the hub) and check it; nothing of it is executed.

    Raises:
        BgsError: no such folder or repository, or the hub cannot be reached.
        DataError: another format version; or a file or key is missing, unexpected, or does not match its hash.
    """
    if reference.place == "folder":
        path = Path(reference.name)
        if not os.path.isfile(path / MANIFEST):  # which, unlike Path.is_file, takes any text
            raise BgsError(
                "no shared model here", where=reference, expected=f"a folder with {MANIFEST}",
                hint="`bgs share` writes one; run:FOLDER is for the folder of a run",
            )  # fmt: skip
    else:
        from bgs.backbones.hub import download

        path = download(
            reference.name,
            reference.revision,
            MANIFEST,
            lambda manifest: list(_read_manifest(manifest)["files"]),
        )
    plain = _read_manifest(path / MANIFEST)
    with damage_as_error(path / MANIFEST, _AGAIN):
        found = SharedFolder(path, _base(plain["base"]), plain["files"], plain["bgs"], reference)
    _check_files(found)
    _require_center(found)
    _require_base_of_adapter(found)
    return found


def manifest_of(base: BaseModel, files: Mapping[str, str], version: str) -> dict[str, Any]:
    """The manifest's content."""
    return {"format": FORMAT, "bgs": version, "base": asdict(base), "files": dict(sorted(files.items()))}


def _read_manifest(path: Path) -> dict[str, Any]:
    plain = read_json(path, _AGAIN)
    if plain.get("format") != FORMAT:
        raise DataError(
            "a shared model of another format", where=path, expected=FORMAT, got=plain.get("format"),
            hint="a newer version of bgs may read it: pip install -U bgs-video",
        )  # fmt: skip
    _require_keys(plain, {"format", "bgs", "base", "files"}, path)
    if not isinstance(plain["bgs"], str):
        raise DataError("damaged: bgs", where=path, expected="a version, as text", hint=_AGAIN)
    files = plain["files"]
    if not isinstance(files, dict) or not all(isinstance(one, str) for one in files.values()):
        raise DataError("damaged: files", where=path, expected="file names and their SHA-256", hint=_AGAIN)
    unknown = sorted(files.keys() - set(FILES))
    missing = [name for name in _REQUIRED if name not in files]
    if unknown or missing:
        what = f"unexpected files {listed(unknown)}" if unknown else f"missing files {listed(missing)}"
        raise DataError(f"damaged: {what}", where=path, hint=_AGAIN)
    return plain


def _base(plain: Any) -> BaseModel:
    if not isinstance(plain, dict):
        raise TypeError("base is not a JSON object")
    _require_keys(plain, set(BaseModel.__dataclass_fields__), "base")
    if not all(isinstance(value, str) for value in plain.values()) or plain["place"] not in get_args(Place):
        raise ValueError(f"base: expected texts, and a place of {', '.join(get_args(Place))}")
    return BaseModel(**plain)


def _require_keys(plain: Mapping[str, Any], known: set[str], where: object) -> None:
    for problem, keys in (("missing", known - plain.keys()), ("unexpected", plain.keys() - known)):
        if keys:
            raise DataError(f"damaged: {problem} key {listed(sorted(keys))}", where=where, hint=_AGAIN)


def _check_files(found: SharedFolder) -> None:
    """Every file of the manifest has its hash; a folder (not the hub's cache, which is shared) has no others."""
    for name, known in found.files.items():
        path = found.path / name
        if not path.is_file():
            raise DataError("a file of this model is missing", where=path, hint=_AGAIN)
        if sha256(path) != known:
            raise DataError(
                "this file was changed since the model was shared", where=path,
                expected=f"SHA-256 {known[:12]}", got=sha256(path)[:12], hint=_AGAIN,
            )  # fmt: skip
    if found.reference.place == "folder":
        others = sorted(set(_visible(found.path)) - found.files.keys() - {MANIFEST})
        if others:
            raise DataError(
                f"unexpected files {listed(others)}", where=found.path,
                expected=f"only those that {MANIFEST} lists", hint="remove them",
            )  # fmt: skip


def _require_center(found: SharedFolder) -> None:
    """Without its centre, a model that was evaluated with centring has other distances."""
    evaluation = read_mapping(found.path / "config.yaml").get("evaluation")
    if found.center is None and isinstance(evaluation, Mapping) and evaluation.get("center"):
        raise DataError(
            "damaged: the centre of this model is missing", where=found.path / MANIFEST,
            expected=f"{CENTER}, since config.yaml says evaluation.center: true", hint=_AGAIN,
        )  # fmt: skip


def _require_base_of_adapter(found: SharedFolder) -> None:
    """Manifest and adapter name the same base model."""
    about = read_about(found.path)
    named, base = (about["model"], about["revision"]), (str(found.base), found.base.revision)
    if named != base:
        raise DataError(
            "damaged: the base model is not the one that the adapter belongs to", where=found.path / MANIFEST,
            expected=f"{named[0]} {named[1][:12]}", got=f"{base[0]} {base[1][:12]}", hint=_AGAIN,
        )  # fmt: skip


def _visible(folder: Path) -> Iterator[str]:
    """Files of a folder, without hidden ones such as .gitattributes."""
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in name.parts):
            yield name.as_posix()
