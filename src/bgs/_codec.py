"""The JSON form of results: frozen dataclasses to and from JSON types, following their annotations; NaN becomes null."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from functools import cache
from typing import Annotated, Any, TypeVar, cast

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import CoreSchema, core_schema

from bgs._errors import DataError

T = TypeVar("T")

_adapter = cache(TypeAdapter)


def _number(value: object) -> object:
    return math.nan if value is None else value


def _not_infinite(value: float) -> float:
    if math.isinf(value):  # JSON has none, but 1e400 is read as one
        raise ValueError("expected a finite number or null")
    return value


#: A number in a result; NaN where it is undefined, null in JSON.
Number = Annotated[float, BeforeValidator(_number), AfterValidator(_not_infinite)]
#: A number that is always known: neither null nor NaN nor infinite.
Finite = Annotated[float, Field(allow_inf_nan=False)]
#: None where it was not computed (the key is omitted), NaN where it is undefined (the key is null).
OptionalNumber = Annotated[float | None, BeforeValidator(_number)]


class CustomJson:
    """In an annotation: a type that holds arrays and brings its own ``to_json`` and ``from_json``."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def read(value: Any) -> Any:
            try:
                return value if isinstance(value, source) else source.from_json(value)
            except KeyError as error:
                raise ValueError(f"{error} is missing") from None
            except (TypeError, AttributeError) as error:
                raise ValueError(str(error)) from None

        written = core_schema.plain_serializer_function_ser_schema(lambda value: value.to_json())
        return core_schema.no_info_plain_validator_function(read, serialization=written)


class JsonDataclass:
    """A frozen dataclass that its annotations convert to and from JSON."""

    def to_json(self) -> dict[str, Any]:
        """Convert to JSON types: NaN becomes null, fields that are None are omitted.

        Raises:
            ValueError: a field does not hold what its annotation says, or holds an infinity.
        """
        return to_json(self)

    @classmethod
    def from_json(cls: type[T], value: object) -> T:
        """Read what :meth:`to_json` wrote.

        Raises:
            DataError: a key is missing or has the wrong type; the first is named.
        """
        return from_json(cls, value)


def to_json(value: object) -> dict[str, Any]:
    """Convert a frozen dataclass to JSON types; see :meth:`JsonDataclass.to_json`."""
    kept = _adapter(cast(Hashable, type(value))).dump_python(
        value, mode="json", exclude_none=True, warnings="error"
    )
    found: dict[str, Any] = _nulls(kept)
    return found


def from_json(kind: type[T], value: object) -> T:
    """Read what :func:`to_json` wrote; see :meth:`JsonDataclass.from_json`."""
    try:
        found: T = _adapter(cast(Hashable, kind)).validate_python(value)
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(map(str, fault["loc"]))
        message = str(fault["msg"]).removeprefix("Value error, ")
        raise DataError(f"{key}: {message}" if key else message) from None
    return found


def _nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _nulls(found) for key, found in value.items()}
    if isinstance(value, list):
        return [_nulls(found) for found in value]
    if isinstance(value, float) and not math.isfinite(value):
        if math.isinf(value):
            raise ValueError("JSON has no infinite numbers")
        return None
    return value
