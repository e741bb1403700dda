"""See that the built site asks no other host for anything, and holds no file that a page does not need.

Usage: ``python pages_alone.py build/site``
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

#: What a browser fetches by itself, unlike the links that somebody follows.
FETCHED = re.compile(
    r"""<(?:script|img|iframe|source|video|embed)\b[^>]*\ssrc=["']?((?:https?:)?//[^"'\s>]+)"""
    r"""|<link\b(?=[^>]*rel=["']?(?:stylesheet|icon|preconnect|preload))[^>]*\shref=["']?((?:https?:)?//[^"'\s>]+)"""
    r"""|(?:@import|url\()\s*["']?((?:https?:)?//[^"')]+)"""
)


def main(folder: str) -> int:
    pages = [path for path in Path(folder).rglob("*") if path.suffix in (".html", ".css")]
    wrong = [
        f"{path}: fetches {''.join(found)}"
        for path in pages
        for found in FETCHED.findall(path.read_text(encoding="utf-8"))
    ]
    print("\n".join(wrong) or f"{len(pages)} pages and style sheets fetch nothing from elsewhere")
    return int(bool(wrong) or not pages)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
