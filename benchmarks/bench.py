"""All of the speed in one table: ours beside what it is measured against, medians and ranges over repeats, and targets.

    python benchmarks/bench.py [--size quick] [--parts judgments memory …] [--json FILE] [--page]

`make bench` writes docs/results/bench.json and the tables of benchmarks/README.md; `make bench-quick` prints a smaller one.
Each part runs in a process of its own. One that fails is a row with its error; the others still run, and the exit code is 1.
The JSON is written after each part, and a run that was stopped goes on from it, unless the commit is another. With `--parts`
those parts are measured again, and the others stay; the table tells the commit of each.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from parts.page import about, write_page
from parts.rows import LETTERS, PARTS, Row
from parts.table import results

from bgs._errors import BgsError
from bgs._files import damage_as_error, read_json, require_output, write_json
from bgs._threads import usable_cores

SIZES = ("full", "quick", "smallest")
#: Of a part, the longest of which takes three quarters of an hour on quiet cores: a hang is a failure too.
LIMIT_SECONDS = 7200


def run_part(name: str, size: str, limit: float = LIMIT_SECONDS) -> tuple[list[Row], str | None]:
    """The rows of a part, measured in a process of its own; and what went wrong, or None."""
    with tempfile.TemporaryDirectory() as folder:
        out, log = Path(folder) / "rows.json", Path(folder) / "log.txt"
        command = [sys.executable, __file__, "--size", size, "--only", name, "--rows", str(out)]
        with log.open("w") as stream:
            child = subprocess.Popen(command, stdout=stream, stderr=stream, start_new_session=True)
            try:
                code = child.wait(limit)
            except subprocess.TimeoutExpired:
                return [], f"not finished after {limit:,.0f} s"
            finally:
                if child.poll() is None:  # with the processes that it has started
                    os.killpg(child.pid, signal.SIGKILL)
                    child.wait()
        if code == 0 and out.is_file():
            return [Row.from_json(row) for row in json.loads(out.read_text())], None
        said = log.read_text(errors="replace").strip()
        print(said, file=sys.stderr)
        return [], (said.splitlines() or ["nothing was said"])[-1] + f" (exit code {code})"


def run_all(parts: Sequence[str], size: str, json_file: Path | None = None) -> dict[str, Any]:
    """Rows, failures and seconds of parts, and what they were measured on.

    The file is written after each part. Parts that are not asked for stay in it, with their commit; a run of the same commit that
    was stopped goes on.

    Raises:
        BgsError: the file has other parts, of another size, machine or versions.
    """
    found: dict[str, Any] = {"size": size, "date": date.today().isoformat(), **machine()}
    found |= {"seconds": {}, "commits": {}, "failures": {}, "rows": []} | _begun(json_file, found, parts)
    for part in parts:
        if part in found["seconds"] and part not in found["failures"]:
            continue
        print(f"{part} …", file=sys.stderr, flush=True)
        begin = time.perf_counter()
        rows, error = run_part(part, size)
        found["seconds"][part] = round(time.perf_counter() - begin, 1)
        found["commits"][part] = found["commit"]
        found["rows"] = sorted(
            [*found["rows"], *(row.as_json() for row in rows)], key=lambda row: row["key"][0]
        )
        found["failures"] = {name: why for name, why in found["failures"].items() if name != part}
        found["failures"] |= {} if error is None else {part: error}
        if json_file is not None:
            write_json(json_file, found)
    return found


def _begun(json_file: Path | None, now: dict[str, Any], parts: Sequence[str]) -> dict[str, Any]:
    """What was measured before and is kept: parts that are not asked for, and what a run that was stopped has done."""
    if json_file is None or not json_file.is_file():
        return {}
    before = read_json(json_file, "delete it, or name another file")
    with damage_as_error(json_file, "delete it, or name another file"):
        seconds = before.get("seconds", {})
        if any(before.get(name) != now.get(name) for name in ("size", "processor", "cores", "versions")):
            if seconds.keys() - {*parts}:
                told = "has other parts, of another size, machine or versions"
                raise BgsError(told, where=str(json_file), hint="name another file")
            return {}
        commits = before.get("commits", dict.fromkeys(seconds, before.get("commit")))
        stopped = before["failures"] or {*PARTS} - seconds.keys()
        kept = [
            part for part in seconds
            if part not in parts
            or (stopped and commits[part] == now["commit"] and part not in before["failures"])
        ]  # fmt: skip
        letters = {LETTERS[part] for part in kept}
        return {
            "seconds": {part: seconds[part] for part in kept},
            "commits": {part: commits[part] for part in kept},
            "failures": {part: why for part, why in before["failures"].items() if part in kept},
            "rows": [row for row in before["rows"] if row["key"][0] in letters],
        }


def machine() -> dict[str, Any]:
    """Processor, cores, versions, commit."""
    from bgs.runs.origins import git_commit, provenance

    models = [
        line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")
    ]
    return {
        "processor": models[0] if models else platform.machine(), "cores": usable_cores(), **provenance(), "commit": git_commit(),
    }  # fmt: skip


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).is_file() else []


def main() -> None:
    """Measure, print, write; one line for what cannot be read or written, and a signal ends the part that runs too."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        _main()
    except BgsError as error:
        print(f"bench.py: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    finally:
        signal.signal(signal.SIGTERM, before)


def _main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="all by default")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--page", action="store_true", help="also write the tables of benchmarks/README.md")
    parser.add_argument("--only", choices=PARTS, help=argparse.SUPPRESS)  # in the process of a part
    parser.add_argument("--rows", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        rows = importlib.import_module(f"parts.{given.only}").measure(given.size)
        write_json(given.rows, [row.as_json() for row in rows])
        return
    if given.page and not given.json and {*PARTS} - {*given.parts}:
        parser.error("--page needs all parts, or a --json file with the others")
    if given.json:
        require_output(given.json)
    found = run_all(given.parts, given.size, given.json)
    if given.page:
        if lacking := {*PARTS} - found["seconds"].keys():
            raise BgsError(
                "--page needs all parts", where=str(given.json), got=f"no {', '.join(sorted(lacking))}"
            )
        write_page(found)
    rows = [Row.from_json(row) for row in found["rows"]]
    print(f"{about(found)}\n\n{results(rows, found['failures'])}")
    missed = [row.key for row in rows if row.missed]
    print(
        f"\ntargets missed: {', '.join(missed) or 'none'}; parts failed: {', '.join(found['failures']) or 'none'}"
    )
    sys.exit(1 if found["failures"] else 0)


if __name__ == "__main__":
    main()
