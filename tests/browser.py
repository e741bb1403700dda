"""A real browser: what it makes of a page, and what it complains about."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

#: Set by CI, where a skip would hide something.
REQUIRED = os.environ.get("BGS_REQUIRE_WEB") == "1"


def needs_page(page: Path) -> list[pytest.MarkDecorator]:
    """Marks of tests that open a built page in the browser of this machine."""
    return [
        pytest.mark.skipif(BROWSER is None and not REQUIRED, reason="no chromium on this machine"),
        pytest.mark.skipif(not page.is_file() and not REQUIRED, reason="the page is not built (make web)"),
    ]


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


def measured(path: Path, profile: Path) -> tuple[dict[str, Any], str]:
    """What the page under test looks like once it is loaded (see the probe), and what the browser logged."""
    probed = profile.with_suffix(".html")
    text = path.read_text(encoding="utf-8")
    probed.write_text(text.replace("</body>", _PROBE + "</body>"), encoding="utf-8")
    document, log = dump(probed, profile)
    title = re.search(r"<title>(\{.*?\})</title>", document)
    assert title is not None
    found: dict[str, Any] = json.loads(title[1])
    return found, log
