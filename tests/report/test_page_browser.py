"""The page in a real browser: no complaint on the console, nothing fetched, nothing wider than a phone."""

from __future__ import annotations

import pytest
from report_pages import page

from bgs.reports import write_page
from browser import BROWSER, dump, measured

pytestmark = [pytest.mark.slow, pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine")]


def test_the_page_loads_without_complaint(tmp_path):
    write_page(page(), tmp_path / "page.html")
    found, log = measured(tmp_path / "page.html", tmp_path / "profile")
    assert "CONSOLE" not in log
    assert found == {"images": 9, "broken": 0, "flat": 0, "wide": 0, "fetched": [], "font": "16px"}


def test_a_page_that_does_complain_is_noticed(tmp_path):
    path = tmp_path / "bad.html"
    path.write_text("<!DOCTYPE html><title>x</title><script>console.error('no')</script>", encoding="utf-8")
    assert "CONSOLE" in dump(path, tmp_path / "profile")[1]
