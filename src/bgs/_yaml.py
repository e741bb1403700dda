"""Strict YAML for configurations: UTF-8, no repeated keys, a limit on the size after alias expansion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from bgs._errors import ConfigError
from bgs._files import read_text

#: The maximum number of values in a configuration, after aliases (``*name``) are expanded.
_MOST = 10_000


def read_mapping(path: str | Path) -> dict[str, Any]:
    """Read the keys and values of a YAML file.

    Raises:
        ConfigError: the file is missing, is not a mapping, or is not YAML that :func:`parse_yaml` accepts.
        BgsError: the file cannot be read.
        DataError: it is not UTF-8.
    """
    if not Path(path).is_file():
        raise ConfigError("no such configuration file", where=path)
    given = parse_yaml(read_text(path), path)
    if not isinstance(given, dict):
        raise ConfigError(
            "not a configuration", where=path, expected="keys and values", got=type(given).__name__
        )
    return given


def parse_yaml(text: str, where: object) -> Any:
    """Parse YAML text.

    Raises:
        ConfigError: not YAML, a repeated key, a value that contains itself, or too many values; the line is named.
    """
    loader = yaml.SafeLoader
    try:
        node = yaml.compose(text, loader)
        if node is None:
            return None
        _size(node, where, {})
        return yaml.load(text, loader)
    except yaml.MarkedYAMLError as error:
        raise ConfigError(
            f"not YAML: {error.problem or error.context}",
            where=_line(where, error.problem_mark or error.context_mark),
        ) from None
    except (yaml.YAMLError, ValueError) as error:  # e.g. a control character, an invalid date
        raise ConfigError(f"not YAML: {error}", where=where) from None
    except RecursionError:
        raise ConfigError("not a configuration: nested too deeply", where=where) from None


def _size(node: yaml.Node, where: object, known: dict[int, int]) -> int:
    """The number of values in a node with aliases expanded; 0 marks a node still being counted."""
    if id(node) in known:
        if known[id(node)] == 0:
            raise ConfigError("a value contains itself", where=_line(where, node.start_mark))
        return known[id(node)]
    known[id(node)] = 0
    size = 1
    if isinstance(node, yaml.MappingNode):
        _refuse_repeated_keys(node, where)
    for child in _children(node):
        size += _size(child, where, known)
        if size > _MOST:
            raise ConfigError(
                "too many values for a configuration", where=_line(where, child.start_mark),
                expected=f"at most {_MOST:,} values, aliases counted each time",
            )  # fmt: skip
    known[id(node)] = size
    return size


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [value for _, value in node.value]
    return node.value if isinstance(node, yaml.SequenceNode) else []


def _refuse_repeated_keys(node: yaml.MappingNode, where: object) -> None:
    first: dict[object, int] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise ConfigError("a key is not a single value", where=_line(where, key.start_mark))
        line = key.start_mark.line + 1
        if key.value in first:
            raise ConfigError(
                f"key {key.value!r} is given twice", where=_line(where, key.start_mark),
                expected="each key once", got=f"it on line {first[key.value]} too",
            )  # fmt: skip
        first[key.value] = line


def _line(where: object, mark: yaml.Mark | None) -> object:
    return where if mark is None else f"{where}, line {mark.line + 1}"
