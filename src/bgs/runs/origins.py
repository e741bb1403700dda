"""Provenance of results: versions, code, hardware."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bgs._files import sha256_of
from bgs._threads import usable_cores

_PACKAGES = (
    "bgs-video",
    "numpy",
    "scipy",
    "torch",
    "transformers",
    "peft",
    "sentence-transformers",
)


def provenance(**more: Any) -> dict[str, Any]:
    """Versions of installed packages, plus further entries from the caller (data hashes, model, seed)."""
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue  # an extra that is not installed was not used
    return {"versions": versions, "platform": platform.platform(), **more}


@cache
def sources() -> str:
    """SHA-256 of all modules of this package: identifies the running code, released or not."""
    root = Path(__file__).resolve().parents[1]
    files = sorted(root.rglob("*.py"), key=lambda path: path.relative_to(root).as_posix())
    return sha256_of(
        *(part for file in files for part in (file.relative_to(root).as_posix(), file.read_bytes()))
    )


def hardware() -> dict[str, str]:
    """The hardware: processor, usable cores, GPU."""
    import torch

    card = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    return {"processor": platform.machine(), "cores": str(usable_cores()), "gpu": card}


def git_commit() -> str | None:
    """Git commit of the running code, with ``+`` if there are changes; None if it is not in a git checkout."""
    here = Path(__file__).resolve()
    if (
        _git(here.parent, "ls-files", "--error-unmatch", here.name) is None
    ):  # site-packages inside another repository
        return None
    commit = _git(here.parent, "rev-parse", "HEAD")
    changed = _git(here.parents[1], "status", "--porcelain", "--untracked-files=no", ".")
    return f"{commit}+" if commit and changed else commit


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True)
    except FileNotFoundError:  # git is not installed
        return None
    return done.stdout.strip() if done.returncode == 0 else None
