"""Counts of the source at revisions of the repository, as in docs/decisions/0015-chapters.md.

    python reproduce/source_counts.py e0fe15a b82e071 HEAD

Prints a row for each revision: files and lines of every package; and of the package of experiments, annotations `dict[str, Any]`
and subscripts by a string, in the syntax tree.
"""

from __future__ import annotations

import argparse
import ast
import io
import subprocess
import tarfile
from collections import defaultdict
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[1]
#: The package of experiments, by its name before and after decision 0014.
EXPERIMENTS = ("experiment", "experiments")


def sources(revision: str) -> dict[PurePosixPath, str]:
    """Path in the package -> text of every Python file of a revision."""
    archive = subprocess.run(
        ["git", "archive", revision, "src/bgs"], cwd=ROOT, check=True, capture_output=True
    )
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        members = [(member, tar.extractfile(member)) for member in tar if member.name.endswith(".py")]
        return {
            PurePosixPath(member.name).relative_to("src/bgs"): stream.read().decode("utf-8")
            for member, stream in members
            if stream is not None
        }


def packages(files: dict[PurePosixPath, str]) -> dict[str, tuple[int, int]]:
    """Package -> its files and lines; modules of the root are "."."""
    found: dict[str, list[str]] = defaultdict(list)
    for path, text in files.items():
        found[path.parts[0] if len(path.parts) > 1 else "."].append(text)
    return {name: (len(texts), sum(text.count("\n") for text in texts)) for name, texts in found.items()}


def string_subscripts(text: str) -> int:
    """Subscripts by a constant string, such as ``found["value"]``."""
    return sum(
        isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
        for node in ast.walk(ast.parse(text))
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("revisions", nargs="*", default=["HEAD"])
    for revision in parser.parse_args().revisions:
        files = sources(revision)
        of_experiments = [text for path, text in files.items() if path.parts[0] in EXPERIMENTS]
        print(
            f"{revision}: {len(files)} files, {sum(text.count(chr(10)) for text in files.values()):,} lines"
        )
        for name, (count, lines) in sorted(packages(files).items()):
            print(f"  {name:<14} {count:>3} files {lines:>7,} lines")
        print(
            f"  dict[str, Any] in experiments: {sum(text.count('dict[str, Any]') for text in of_experiments)}"
        )
        print(f"  string subscripts in experiments: {sum(map(string_subscripts, of_experiments))}")
        print(f"  '# fmt: skip': {sum(text.count('# fmt: skip') for text in files.values())}")


if __name__ == "__main__":
    main()
