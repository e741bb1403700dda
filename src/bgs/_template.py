"""Commented configuration templates, generated from the settings: every key with its default and description."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

import yaml
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from bgs._config import Settings, settings_in, types_in

_WIDTH = 90


def template(kind: type[Settings], needed: Mapping[str, Any]) -> str:
    """YAML that loads to the defaults of ``kind``.

    Sections that are absent by default are commented out; remove the leading ``# `` to use them.

    Args:
        kind: the settings class.
        needed: values for keys without a default, and for others whose default should be replaced.
    """
    return "\n".join(_lines(kind, needed)) + "\n"


def _lines(kind: type[Settings], given: Mapping[str, Any]) -> Iterator[str]:
    for name, field in kind.model_fields.items():
        section = settings_in(field.annotation)
        yield from _comment(field, section)
        if name not in given and field.is_required():
            yield f"{name}:  # required"
            continue
        value = given.get(name, field.get_default(call_default_factory=True))
        if section is None or not section.model_fields or not (value is None or _keys(value)):
            yield f"{name}: {_inline(value)}"
        elif value is None:
            yield f"{name}: null"
            yield from (f"# {line}" for line in _nested(name, _lines(section, {})))
        elif isinstance(value, Settings):
            yield from _nested(name, _lines(section, _keys(value)))
        else:  # sections under names chosen by the user
            own = [_nested(each, _lines(section, keys)) for each, keys in value.items()]
            yield from _nested(name, (line for lines in own for line in lines))


def _nested(name: str, lines: Iterable[str]) -> Iterator[str]:
    yield f"{name}:"
    yield from (f"  {line}" for line in lines)


def _keys(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Settings):
        return {key: getattr(value, key) for key in type(value).model_fields}
    return value if isinstance(value, Mapping) else {}


def _comment(field: FieldInfo, section: type[Settings] | None) -> Iterator[str]:
    """The description of a key; for a section without one, the docstring of its class."""
    said = field.description or (section is not None and (section.__doc__ or "").split("\n\n")[0]) or ""
    text = " ".join(said.replace("``", "").split())
    choices = _choices(field.annotation)
    if len(choices) > 1 and any(choice not in text for choice in choices):
        text = f"{text} Choices: {', '.join(choices)}.".strip()
    yield from (f"# {line}" for line in textwrap.wrap(text, _WIDTH))


def _choices(annotation: Any) -> list[str]:
    """The allowed values of a key, where they are enumerated."""
    literals = [kind for kind in types_in(annotation) if get_origin(kind) is Literal]
    return [str(choice) for literal in literals for choice in get_args(literal)]


def _inline(value: Any) -> str:
    text = yaml.safe_dump(to_jsonable_python(value), default_flow_style=True, width=10_000, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")
