"""References to tuned models: ``run:FOLDER``, ``shared:FOLDER`` and ``hub:owner/name@revision``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bgs._errors import ConfigError

#: The manifest of a shared model.
MANIFEST = "bgs_model.json"
_BASE = "?base="
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_REVISION = re.compile(r"[A-Za-z0-9][\w./-]*")


@dataclass(frozen=True)
class SharedReference:
    """Where a shared model is.

    Attributes:
        place: a folder, or a repository on the hub.
        name: path of the folder, or hub id.
        revision: branch, tag or commit on the hub; None is its main branch.
        base: the base model's folder (or file) here; None where the shared model names one that can be found without.
    """

    place: Literal["folder", "hub"]
    name: str
    revision: str | None = None
    base: str | None = None

    def __str__(self) -> str:
        if self.place == "folder":
            return f"shared:{self.name}"
        return f"hub:{self.name}" + (f"@{self.revision}" if self.revision else "")


def parse_shared(reference: str) -> SharedReference | None:
    """Read a reference to a shared model; None for any other.

    ``shared:FOLDER``, ``hub:owner/name`` and ``hub:owner/name@revision``; or, without the word before the colon, the path of
    such a folder, or ``owner/name@revision``. Each may end in ``?base=FOLDER``.

    Raises:
        ConfigError: not a folder's path or hub id after the colon, or another setting.
    """
    address, mark, base = reference.partition(_BASE)
    if mark and not base:
        raise ConfigError("no base model", where=reference, expected="?base=FOLDER")
    kind, colon, name = address.partition(":")
    if colon and kind == "shared" and name:
        _refuse_settings(name, reference)
        return SharedReference("folder", name, base=base or None)
    if colon and kind == "hub":
        return _on_hub(name, base or None, reference)
    if _has_manifest(address):
        return SharedReference("folder", address, base=base or None)
    name, at, revision = address.partition("@")
    if at and _HUB_ID.fullmatch(name) and _REVISION.fullmatch(revision):
        return SharedReference("hub", name, revision, base or None)
    return None


def is_tuned(reference: str) -> bool:
    """Whether a reference is to a model with an adapter: a run, or a shared model."""
    return reference.startswith("run:") or parse_shared(reference) is not None


def known_hub_id(name: str, where: str) -> str:
    """Check that a name can be that of a repository on the hub.

    Raises:
        ConfigError: it cannot.
    """
    if not _HUB_ID.fullmatch(name):
        raise ConfigError("not a hub id", where=where, expected="owner/name", got=name[:80] or "nothing")
    return name


def _on_hub(name: str, base: str | None, where: str) -> SharedReference:
    _refuse_settings(name, where)
    name, at, revision = name.partition("@")
    if at and not _REVISION.fullmatch(revision):
        raise ConfigError(
            "not a revision", where=where, expected="a branch, tag or commit", got=revision[:80]
        )
    return SharedReference("hub", known_hub_id(name, where), revision or None, base)


def _refuse_settings(name: str, where: str) -> None:
    """An adapter belongs to the settings with which it was trained."""
    if "?" in name and not Path(name).exists():
        raise ConfigError(
            "a shared model has its own settings", where=where, expected="no setting, or ?base=FOLDER"
        )


def _has_manifest(name: str) -> bool:
    try:
        return (Path(name) / MANIFEST).is_file()
    except (OSError, ValueError):  # too long, or with characters that no file name has: a sentence, say
        return False
