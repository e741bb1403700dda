"""The page in a real browser: no complaint on the console, nothing fetched, nothing wider than a phone."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from report_pages import page

from bgs.report import write_page

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [pytest.mark.slow, pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine")]

#: Put at the end of the page under test: what the browser measured, as text of the title.
_PROBE = """<script>
addEventListener("load", () => {
  const broken = [...document.images].filter((i) => !i.complete || !i.naturalWidth).length;
  const flat = [...document.querySelectorAll("figure svg[role=img]")].filter((s) => s.getBoundingClientRect().height < 60);
  const root = document.documentElement;
  document.title = JSON.stringify({
    images: document.images.length, broken, flat: flat.length, wide: root.scrollWidth - root.clientWidth,
    fetched: performance.getEntriesByType("resource").map((e) => e.name).filter((n) => !n.startsWith("data:")),
    font: getComputedStyle(document.body).fontSize,
  });
});
</script>"""


def dump(path: Path, profile: Path) -> tuple[str, str]:
    """The document after loading, and what the browser logged."""
    assert BROWSER is not None
    done = subprocess.run(
        [
            BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", "--enable-logging=stderr",
            "--log-level=0", "--virtual-time-budget=3000", "--window-size=500,900", "--dump-dom", path.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return done.stdout, done.stderr


@pytest.fixture
def loaded(tmp_path):
    path = tmp_path / "page.html"
    write_page(page(), path)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("</body>", _PROBE + "</body>"), encoding="utf-8")
    return dump(path, tmp_path / "profile")


def test_the_page_loads_without_complaint(loaded):
    document, log = loaded
    assert "CONSOLE" not in log
    title = re.search(r"<title>(\{.*?\})</title>", document)
    assert title is not None
    assert '"broken":0,"flat":0,"wide":0,"fetched":[],"font":"16px"' in title[1]
    assert '"images":6,' in title[1]


def test_a_page_that_does_complain_is_noticed(tmp_path):
    path = tmp_path / "bad.html"
    path.write_text("<!DOCTYPE html><title>x</title><script>console.error('no')</script>", encoding="utf-8")
    assert "CONSOLE" in dump(path, tmp_path / "profile")[1]
