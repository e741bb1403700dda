"""Configurations: frozen settings, documented field by field; unknown, invalid and conflicting keys give a one-line error."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from bgs._errors import ConfigError
from bgs._yaml import parse_yaml, read_mapping


class Settings(BaseModel):
    """A section of a configuration: keys with their defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)

    def to_yaml(self) -> str:
        """All keys with their resolved values, as YAML."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)


S = TypeVar("S", bound=Settings)


def read_settings(path: str | Path | None, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Read the mapping in a YAML file (an empty one without a file) and apply ``key.sub=value`` overrides.

    Raises:
        ConfigError: the file is missing, is not YAML or not a mapping, or an override is malformed.
    """
    given = {} if path is None else read_mapping(path)
    for text in overrides:
        given = override(given, text)
    return given


def validate(kind: type[S], given: Mapping[str, Any], where: object) -> S:
    """Build settings from a mapping; its first error becomes a :class:`ConfigError`."""
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        raise _first_fault(error, where, kind) from None


def changed_keys(settings: BaseModel) -> set[str]:
    """Keys with a non-default value. Only these can conflict, so a resolved configuration stays valid."""
    fields = type(settings).model_fields
    return {
        key
        for key, field in fields.items()
        if getattr(settings, key) != field.get_default(call_default_factory=True)
    }


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Update ``base`` with ``over``, recursively."""
    result = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merge(result[key], value) if both else value
    return result


def override(given: Mapping[str, Any], text: str, option: str = "--set") -> dict[str, Any]:
    """Apply one ``key.sub=value`` override, the value of an option, to a mapping.

    Raises:
        ConfigError: the text does not have that form, or the value is not YAML.
    """
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ConfigError(
            "not an override", where=f"{option} {text}", expected="key=value, e.g. optimizer.warmup=5"
        )
    return merge(given, _nested(key.split("."), parse_yaml(value, f"{option} {text}")))


def _nested(keys: list[str], value: Any) -> dict[str, Any]:
    return {keys[0]: value if len(keys) == 1 else _nested(keys[1:], value)}


def _first_fault(error: ValidationError, where: object, root: type[BaseModel]) -> ConfigError:
    """The first error that pydantic found in settings of type ``root``, in one line that names the key."""
    fault = error.errors()[0]
    path = [str(part) for part in fault["loc"]]
    key = ".".join(path)
    if fault["type"] == "extra_forbidden":
        known = _fields_at(root, path[:-1])
        close = difflib.get_close_matches(path[-1], known, 1)
        hint = f"did you mean {close[0]}?" if close else None
        return ConfigError(
            f"unknown key {key!r}", where=where, expected=f"one of {', '.join(known)}", hint=hint
        )
    if fault["type"] == "missing":
        return ConfigError(f"key {key!r} is missing", where=where)
    message = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "value_error":
        return ConfigError(f"{key}: {message}" if key else message, where=where)
    return ConfigError(f"{key}: {message}", where=where, got=repr(fault["input"]))


def _fields_at(root: type[BaseModel], path: list[str]) -> list[str]:
    """Known keys of the settings at a path of keys; a mapping of settings accepts any key."""
    model: Any = root
    for part in path:
        if part not in model.model_fields:
            continue
        model = settings_in(model.model_fields[part].annotation) or model
    return sorted(model.model_fields)


def settings_in(annotation: Any) -> type[Settings] | None:
    """The settings class within a type annotation; None where there is none."""
    found = (kind for kind in types_in(annotation) if isinstance(kind, type) and issubclass(kind, Settings))
    return next(found, None)


def types_in(annotation: Any) -> list[Any]:
    """A type and, recursively, its type arguments."""
    return [annotation, *(inner for part in getattr(annotation, "__args__", ()) for inner in types_in(part))]
