"""reproduce/compare_pages.py finds every number that changed in a page, and none that did not."""

from __future__ import annotations

import pytest

from reproduce_scripts import load_script

compare_pages = load_script("compare_pages")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("+.074 [.039, .110]; −.004", ["+.074", ".039", ".110", "−.004"]),
        ("2,557 of 1,630 pairs, 3AFC, p < 0.05.", ["2,557", "1,630", "0.05"]),
        ("[the 2 pages](page-2026.md) and MiniLM-L6", ["2"]),
        ("nothing.", []),
    ],
)
def test_numbers_of_a_line(text: str, found: list[str]) -> None:
    assert [number for number, _ in compare_pages.numbers(text)] == found


def test_other_words_are_no_difference_and_other_numbers_are() -> None:
    old = "Gain .074.\n\n| base | .504 |\n"
    assert compare_pages.differences(old, "It gained .074.\n| before | .504 |\n") == []
    assert compare_pages.differences(old, "Gain .074.\n\n| base | .505 |\n") == ["line 3: .504 → .505"]
    assert compare_pages.differences(old, "Gain .074.\n") == ["line 1: .504 → nothing"]
