"""A configuration to start from: every key with its default and what it means, generated from the settings themselves."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from bgs._config import Settings

_WIDTH = 100


def template(kind: type[Settings], needed: Mapping[str, Any]) -> str:
    """A YAML text that loads to the defaults of ``kind``.

    Args:
        kind: the settings.
        needed: values of the keys that have no default, and of others that should not be left as they are.
    """
    return "\n".join(_lines(kind, needed, "")) + "\n"


def _lines(kind: type[Settings], needed: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name, field in kind.model_fields.items():
        yield from _comment(field, indent)
        value = needed[name] if name in needed else field.get_default(call_default_factory=True)
        if isinstance(value, Settings) and type(value).model_fields:
            yield f"{indent}{name}:"
            yield from _lines(
                type(value), {key: getattr(value, key) for key in type(value).model_fields}, indent + "  "
            )
        else:
            yield f"{indent}{name}: {_inline(value)}"


def _comment(field: FieldInfo, indent: str) -> Iterator[str]:
    text = " ".join((field.description or "").replace("``", "").split())
    for line in textwrap.wrap(text, _WIDTH - len(indent) - 2):
        yield f"{indent}# {line}"


def _inline(value: Any) -> str:
    text = yaml.safe_dump(to_jsonable_python(value), default_flow_style=True, width=10_000, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")
