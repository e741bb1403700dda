"""Compares the numbers in the tables and sentences of two versions of a page, in order.

    python reproduce/compare_pages.py REVISION docs/paper-text-minilm.md docs/paper-quickstart.md

Each page as it is now is compared with that of the revision. Words may differ; a number that is not found again in order, as
written, is printed with its line. Exit code 1 if any differs.
"""

from __future__ import annotations

import argparse
import difflib
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
_NUMBER = re.compile(r"(?<![\w#-])[−+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?<=\d)(?![\w-])")


def numbers(text: str) -> list[tuple[str, int]]:
    """Every number outside links, as it is written, with the line it is in."""
    return [
        (found.group(), line)
        for line, content in enumerate(text.splitlines(), 1)
        for found in _NUMBER.finditer(re.sub(r"\]\([^)]*\)", "]", content))
    ]


def differences(old: str, new: str) -> list[str]:
    """One line for each run of numbers that differs."""
    before, after = numbers(old), numbers(new)
    matcher = difflib.SequenceMatcher(None, [n for n, _ in before], [n for n, _ in after], autojunk=False)
    return [
        f"line {(after[c] if c < len(after) else after[-1])[1] if after else 0}: "
        f"{' '.join(n for n, _ in before[a:b]) or 'nothing'} → {' '.join(n for n, _ in after[c:d]) or 'nothing'}"
        for kind, a, b, c, d in matcher.get_opcodes()
        if kind != "equal"
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("revision")
    parser.add_argument("pages", nargs="+")
    given = parser.parse_args()
    changed = 0
    for page in given.pages:
        old = subprocess.run(
            ["git", "show", f"{given.revision}:{page}"], cwd=ROOT, check=True, capture_output=True
        )
        new = (ROOT / page).read_text(encoding="utf-8")
        found = differences(old.stdout.decode("utf-8"), new)
        changed += len(found)
        print(f"{page}: {len(numbers(new)):,} numbers, {len(found)} places differ")
        print("".join(f"  {line}\n" for line in found), end="")
    sys.exit(bool(changed))


if __name__ == "__main__":
    main()
