"""The one JSON form of results: there and back, NaN as null, and faults in one line that names the key."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
import pytest

from bgs import BgsError
from bgs._codec import CustomJson, JsonDataclass, Number, OptionalNumber
from bgs._errors import DataError
from bgs._files import damage_as_error
from bgs.evaluation import Dimensions, Metric


@dataclass(frozen=True)
class Part(JsonDataclass):
    """A part of a result."""

    value: Number
    q: OptionalNumber = None


@dataclass(frozen=True)
class Whole(JsonDataclass):
    """A result."""

    parts: dict[int, Part]
    shown: tuple[str, ...]
    pair: tuple[Number, Number]
    metrics: dict[str, Metric] = field(default_factory=dict)
    left_out: Part | None = None
    loadings: Annotated[Dimensions, CustomJson()] | None = None


WHOLE = Whole({3: Part(0.5), 7: Part(math.nan, math.nan)}, ("a", "b"), (0.0, math.nan))


def back(value: JsonDataclass):
    return type(value).from_json(json.loads(json.dumps(value.to_json(), allow_nan=False)))


def test_undefined_numbers_are_null_and_what_is_not_there_is_left_out():
    written = WHOLE.to_json()
    assert written == {
        "parts": {"3": {"value": 0.5}, "7": {"value": None, "q": None}},
        "shown": ["a", "b"], "pair": [0.0, None], "metrics": {},
    }  # fmt: skip
    again = back(WHOLE)
    assert (again.parts[3], again.shown) == (Part(0.5), ("a", "b"))
    assert math.isnan(again.parts[7].value)
    assert math.isnan(again.parts[7].q)  # computed and undefined, which None is not
    assert math.isnan(again.pair[1])


def test_types_with_arrays_write_themselves():
    dimensions = Dimensions(("a", "b"), np.array([[0.5], [1.0]]), np.array([0.9]), 0.8, {1: (0.1, 0.01)})
    again = back(
        Whole({}, (), (0.0, 1.0), {"rsa": Metric(0.1, 0.0, 0.2, 5, "rho", p=0.5)}, loadings=dimensions)
    )
    assert again.loadings is not None
    assert np.array_equal(again.loadings.loadings, dimensions.loadings)
    assert again.metrics["rsa"] == Metric(0.1, 0.0, 0.2, 5, "rho", p=0.5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parts": {"3": {}}}, "parts.3.value: Field required"),
        ({"parts": {"three": {"value": 1}}}, "parts.three.*integer"),
        ({"pair": [0.0, "wide"]}, "pair.1: .*number"),
        ({"shown": 3}, "shown: .*tuple"),
        ({"metrics": {"rsa": {"value": 1.0}}}, r"metrics\.rsa\.low: Field required"),
        ({"loadings": {"stimulus_ids": []}}, "loadings: .*is missing"),
        ({"loadings": 3}, "loadings: "),
    ],
)
def test_the_first_fault_names_its_key_in_one_line(change, message):
    with pytest.raises(DataError, match=message) as caught:
        Whole.from_json(WHOLE.to_json() | change)
    assert "\n" not in str(caught.value)
    with (
        pytest.raises(DataError, match=rf"^here\.json: damaged: {message}.*\(look\)"),
        damage_as_error("here.json", "look"),
    ):
        Whole.from_json(WHOLE.to_json() | change)


@pytest.mark.parametrize("value", [None, 3, [], "x"])
def test_what_is_no_object_is_refused(value):
    with pytest.raises(BgsError):
        Whole.from_json(value)


@pytest.mark.parametrize("value", [Part(math.inf), Whole({}, (), (0.0, -math.inf))])
def test_an_infinity_is_no_json(value):
    with pytest.raises(ValueError, match="infinite"):
        value.to_json()
