"""What is resumed must be what was begun: the same settings, data, code and weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bgs._errors import ConfigError


def require_same(before: Mapping[str, Any], now: Mapping[str, Any], what: str, where: Path) -> None:
    """Refuse to go on with ``what`` (run, experiment) under other settings.

    Raises:
        ConfigError: a value differs; the first differing key is named.
    """
    flat_before, flat_now = _flat(dict(before)), _flat(dict(now))
    for key in sorted(flat_before.keys() | flat_now.keys()):
        if flat_before.get(key) != flat_now.get(key):
            raise ConfigError(
                f"this {what} was started with other settings: {key}", where=where,
                expected=flat_before.get(key), got=flat_now.get(key), hint="take a new folder, or the same settings",
            )  # fmt: skip


def require_same_origin(before: Mapping[str, str], now: Mapping[str, str], what: str, where: Path) -> None:
    """Refuse to go on with ``what`` (run, experiment) from other data, code or weights.

    Args:
        before: name in the plural (``trials``, ``sources of bgs``) -> SHA-256, as it was recorded.
        now: the same, as it is.
        what: what was begun.
        where: file that has the record.

    Raises:
        ConfigError: one differs, or was not recorded; it is named.
    """
    for name, value in now.items():
        if before.get(name) != value:
            raise ConfigError(
                f"the {name} are not those that this {what} was begun with", where=where,
                expected=before.get(name, "nothing recorded")[:16], got=value[:16], hint="take a new folder",
            )  # fmt: skip


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {prefix: value}
    flat: dict[str, Any] = {}
    for key, inner in value.items():
        flat |= _flat(inner, f"{prefix}.{key}" if prefix else str(key))
    return flat
