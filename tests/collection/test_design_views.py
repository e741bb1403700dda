"""What `bgs design` says in words."""

from __future__ import annotations

import re

import pytest

import bgs
from bgs.collection.forecast.cost import CostSettings
from bgs.views.design import _hours


@pytest.mark.parametrize(
    ("hours", "text"),
    [(0.26, "16 minutes"), (1 / 60, "1 minute"), (0.999, "1 hour"), (1.0, "1 hour"), (1.04, "1 hour"),
     (1.46, "1.5 hours"), (9.96, "10 hours"), (1234.4, "1,234 hours")],
)  # fmt: skip
def test_hours_in_words(hours, text):
    assert _hours(hours) == text


def test_what_is_not_defined_is_explained():
    few = str(bgs.design(12, trials=60, studies=2))
    assert "n/a: not defined. The ceiling needs at least 3 held-out clips" in few
    assert "–" not in few.split("Forecast")[1]
    assert "n/a" not in str(bgs.design(20, trials=60, studies=2))


def test_small_sums_of_money_are_not_rounded_away():
    found = " ".join(str(bgs.design(12, trials=60, studies=2, cost=CostSettings(hourly=12.0))).split())
    cost = re.search(
        r"cost (\d+\.\d\d): pay (\d+\.\d\d), fee 0.00, in the currency of the pay per hour", found
    )
    assert cost is not None
    assert cost[1] == cost[2] != "0.00"
