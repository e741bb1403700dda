"""Numbers and the sentences made from them, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bgs._numbers import between, decimals_for, plain, with_interval
from bgs.evaluation import Metric
from bgs.reports.sentences import (
    beyond_sentence,
    ceiling_sentence,
    change_sentence,
    contrast_sentence,
    level_sentence,
)
from bgs.reports.vocabulary import OBSERVERS, PEOPLE
from bgs.views.numbers import number

NAN = math.nan


def metric(value: float, low: float = NAN, high: float = NAN, n: int = 50) -> Metric:
    return Metric(value, low, high, n, "rho")


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0.123, 2, ".12"), (-0.051, 2, "−.05"), (1.2, 2, "1.20"), (0.0, 2, ".00"), (-0.001, 2, ".00"),
        (NAN, 2, "n/a"), (math.inf, 2, "∞"), (-math.inf, 2, "−∞"), (1234.5, 1, "1,234.5"), (-1234.5, 1, "−1,234.5"),
        (0.4, 0, "0"), (10.25, 1, "10.2"), (10.123, 3, "10.123"), (-10.05, 3, "−10.050"), (100.0, 2, "100.00"),
        (1e-30, 3, ".000"), (-1e-300, 3, ".000"), (0.9999, 3, "1.000"), (-0.9999, 2, "−1.00"), (20.0, 0, "20"),
    ],
)  # fmt: skip
def test_plain_numbers(value, decimals, text):
    assert plain(value, decimals) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (10.123, "+10.123"), (0.051, "+.051"), (-0.051, "−.051"), (-10.0, "−10.000"), (0.0, ".000"), (4e-4, ".000"),
        (-4e-4, ".000"), (NAN, "–"), (math.inf, "+∞"), (-math.inf, "−∞"),
    ],
)  # fmt: skip
def test_differences_have_signs_also_in_the_terminal(value, text):
    assert number(value, sign=True) == text


def test_every_number_reads_back():
    """Three decimals of any number, large or small, are the number."""
    random = np.random.default_rng(0)
    for value in random.standard_normal(2000) * 10.0 ** random.integers(-5, 6, 2000):
        text = plain(value, 3, signed=True).replace("−", "-").replace(",", "")
        assert float(text) == pytest.approx(value, abs=5.001e-4)
        assert text.lstrip("+-")[0] != "0"


def test_small_numbers_get_the_decimals_they_need():
    assert decimals_for(0.2, 0.1, 0.3) == 2
    assert decimals_for(0.2, 0.004, 0.3) == 3
    assert decimals_for(0.2, 0.0000001) == 4
    assert decimals_for(0.2, 0.0) == 2
    assert decimals_for(NAN, 0.2) == 2
    assert between(0.1, 0.2) == "[.10, .20]"
    assert between(-0.1, 0.2, signed=True) == "[−.10, +.20]"
    assert with_interval(0.15, 0.1, 0.2) == ".150 [.100, .200]"
    assert with_interval(0.05, -0.1, 0.2, 2, signed=True) == "+.05 [−.10, +.20]"
    assert with_interval(0.15, NAN, NAN) == ".150"
    assert between(NAN, 0.2) == ""


def test_a_rise():
    assert change_sentence(metric(0.19, 0.11, 0.27), 0.12, 0.31, counted="clips") == (
        "Tuning raised agreement with people from .12 to .31 (difference .19, 95 % interval .11 to .27; 50 clips)."
    )


def test_a_fall():
    text = change_sentence(metric(-0.1, -0.2, -0.01, 1225), 0.3, 0.2, "odd-one-out accuracy", "The control")
    assert text == (
        "The control lowered odd-one-out accuracy from .30 to .20 "
        "(difference −.10, 95 % interval −.20 to −.01; 1,225 pairs)."
    )


@pytest.mark.parametrize(("low", "high"), [(-0.02, 0.1), (0.0, 0.1), (-0.1, 0.0)])
def test_an_interval_that_holds_zero_is_no_evidence(low, high):
    text = change_sentence(metric(0.04, low, high), 0.12, 0.16)
    assert text.startswith(
        "There is no evidence that tuning changed agreement with people: .12 before, .16 after ("
    )
    assert "raised" not in text


def test_names_keep_their_capitals_inside_a_sentence():
    assert "that LoRA tuning changed" in change_sentence(
        metric(0.0, -1.0, 1.0), 0.1, 0.1, cause="LoRA tuning"
    )
    assert "that V-JEPA changed" in change_sentence(metric(0.0, -1.0, 1.0), 0.1, 0.1, cause="V-JEPA")


def test_undefined_differences_are_said_to_be():
    assert change_sentence(metric(NAN), 0.1, NAN) == (
        "Whether tuning changed agreement with people is undefined (50 pairs)."
    )
    text = change_sentence(metric(0.2), 0.1, 0.3)
    assert text == (
        "Agreement with people went from .10 to .30 (difference .20; 50 pairs); without an interval this is no evidence."
    )


def test_a_bound_near_zero_is_not_printed_as_zero():
    text = change_sentence(metric(0.02, 0.004, 0.04), 0.1, 0.12)
    assert "from .100 to .120 (difference .020, 95 % interval .004 to .040" in text
    assert "raised" in text


def test_printed_values_and_their_difference_add_up():
    # .058 -> .06 and .304 -> .30 differ by .24, the difference rounds to .25.
    assert "from .058 to .304 (difference .246" in change_sentence(metric(0.246, 0.1, 0.3), 0.058, 0.304)


def test_contrasts():
    up = contrast_sentence(metric(0.1, 0.05, 0.2), "people", "captions", "transfer")
    assert up == (
        "Transfer is higher for people than for captions (difference .10, 95 % interval .05 to .20; 50 pairs)."
    )
    assert "is lower for a than for b" in contrast_sentence(metric(-0.1, -0.2, -0.05), "a", "b")
    assert contrast_sentence(metric(0.1, -0.2, 0.3), "a", "b").startswith(
        "There is no evidence that agreement"
    )
    assert contrast_sentence(metric(0.1), "a", "b").startswith("There is no evidence")
    assert "undefined" in contrast_sentence(metric(NAN), "a", "b")


def test_levels():
    accuracy = metric(0.55, 0.5, 0.6, 368)
    assert level_sentence(accuracy, "accuracy", 1 / 3, "trials") == (
        "Accuracy is .55, 95 % interval .50 to .60; 368 trials; above chance (.33)."
    )
    assert "no evidence that it differs from chance" in level_sentence(accuracy, "accuracy", 0.52)
    assert "below chance" in level_sentence(accuracy, "accuracy", 0.7)
    assert "chance" not in level_sentence(accuracy, "accuracy")
    assert level_sentence(metric(NAN), "accuracy", 0.5) == "Accuracy is undefined (50 pairs)."


def test_shares_of_the_ceiling():
    ceiling = metric(0.5, 0.4, 0.6)
    assert ceiling_sentence(metric(0.31), ceiling) == (
        "The tuned model reaches 62% of the noise ceiling of .50, 95 % interval .40 to .60."
    )
    assert "reaches the noise ceiling" in ceiling_sentence(metric(0.55), ceiling)
    assert "reaches none" in ceiling_sentence(metric(-0.1), ceiling)
    assert "do not agree enough" in ceiling_sentence(metric(0.1), metric(0.0))
    assert "undefined" in ceiling_sentence(metric(NAN), ceiling)
    assert "undefined" in ceiling_sentence(metric(0.1), metric(NAN))


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        (metric(0.11, 0.05, 0.19), "Tuned explains it beyond captions (.11, 95 % interval .05 to .19; 50 pairs)."),
        (metric(0.11, -0.01, 0.19), "There is no evidence that tuned explains it beyond captions (.11, 95 % "
         "interval −.01 to "
         ".19; 50 pairs)."),
        (metric(-0.11, -0.2, -0.1), "There is no evidence that tuned explains it beyond captions (−.11, 95 % "
         "interval −.20 to "
         "−.10; 50 pairs)."),
        (metric(NAN), "Whether tuned explains it beyond captions is undefined (50 pairs)."),
    ],
)  # fmt: skip
def test_what_is_explained_beyond_others(part, sentence):
    assert beyond_sentence(part, "tuned", "captions", "it") == sentence


def test_those_who_judged_have_one_name():
    assert "observers do not agree" in ceiling_sentence(metric(0.1), metric(-0.1), judges=OBSERVERS.judges)
    assert OBSERVERS.fill("{judges}, {judge}") == "observers, one observer"
    assert PEOPLE.fill("{judges}, {judge}") == "people, one person"
    assert PEOPLE.banner == ""
