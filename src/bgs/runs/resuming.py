"""Checks that a resumed run or experiment has the same settings, data, code and weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bgs._errors import ConfigError


def require_same(before: Mapping[str, Any], now: Mapping[str, Any], what: str, where: Path) -> None:
    """Refuse to resume ``what`` (run, experiment) with other settings.

    Raises:
        ConfigError: a value differs; the first differing key is named.
    """
    flat_before, flat_now = _flat(dict(before)), _flat(dict(now))
    for key in sorted(flat_before.keys() | flat_now.keys()):
        if flat_before.get(key) != flat_now.get(key):
            raise ConfigError(
                f"this {what} was started with other settings: {key}", where=where,
                expected=flat_before.get(key), got=flat_now.get(key), hint="use a new folder, or the same settings",
            )  # fmt: skip


def require_same_origin(before: Mapping[str, str], now: Mapping[str, str], what: str, where: Path) -> None:
    """Refuse to resume ``what`` (run, experiment) with other data, code or weights.

    Args:
        before: plural name (``trials``, ``sources of bgs``) -> recorded SHA-256.
        now: the same, with current values.
        what: ``run`` or ``experiment``.
        where: file with the record.

    Raises:
        ConfigError: a value differs or was not recorded; the first is named.
    """
    for name, value in now.items():
        if before.get(name) != value:
            raise ConfigError(
                f"the {name} differ from those that this {what} was started with", where=where,
                expected=before.get(name, "nothing recorded")[:16], got=value[:16], hint="use a new folder",
            )  # fmt: skip


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {prefix: value}
    flat: dict[str, Any] = {}
    for key, inner in value.items():
        flat |= _flat(inner, f"{prefix}.{key}" if prefix else str(key))
    return flat
