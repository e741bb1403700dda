"""See that a wheel holds the files of src/bgs that git tracks, the pages where they are built, and no others.

Usage: ``python wheel_contents.py WHEEL [OTHER]``. The other wheel, built from the sdist, is to hold the same, byte by byte.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[2]


def main(wheel: str) -> int:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "src/bgs"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    tracked = {name.removeprefix("src/") for name in listed.split("\0") if name}
    for room in ("collection", "library"):
        page = ROOT / "src/bgs" / room / "web/page"
        tracked |= {path.relative_to(ROOT / "src").as_posix() for path in page.rglob("*") if path.is_file()}
    packed = {name for name in ZipFile(wheel).namelist() if not name.partition("/")[0].endswith(".dist-info")}
    for name in sorted(tracked - packed):
        print(f"{wheel}: not in the wheel: {name}")
    for name in sorted(packed - tracked):
        print(f"{wheel}: not tracked by git: {name}")
    return int(tracked != packed)


def differences(wheel: str, other: str) -> int:
    """Files in only one of the wheels, or with other contents."""
    one, two = (
        {name: archive.read(name) for name in archive.namelist()} for archive in map(ZipFile, (wheel, other))
    )
    differing = sorted(name for name in one.keys() | two.keys() if one.get(name) != two.get(name))
    for name in differing:
        print(f"{wheel} and {other}: {name} differs, or is in one only")
    return int(bool(differing))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) or (len(sys.argv) > 2 and differences(*sys.argv[1:3])))
