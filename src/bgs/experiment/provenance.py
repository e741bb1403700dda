"""What a result depends on: versions, data, model, machine."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

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
    """Versions of what is installed, and whatever else the caller knows (data hashes, model, seed)."""
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue  # an extra that is not installed took no part
    return {"versions": versions, "platform": platform.platform(), **more}
