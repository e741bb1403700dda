"""How many participants at once? A server under load: `python benchmarks/collect_load.py --json docs/results/collect_load.json`.

Simulated observers (a process of their own) join, answer and complete, all at once, against a server on the loopback
interface, on SQLite and, where there is a server on this machine, on PostgreSQL. Every acknowledged answer is looked for in
the export, exactly once; the duration of a post is measured by the sender, retries included.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests"))
CLIPS = 30


def study(folder: Path, blocks: int, trials: int) -> Path:
    """A study of clips that are the same short film, and a random schedule."""
    from clips import write_clip

    (folder / "clips").mkdir(parents=True)
    lines = ["stimulus_id,video"]
    for k in range(CLIPS):
        write_clip(folder / f"clips/{k}.mp4", frames=10, rate=25, options={"movflags": "faststart"})
        lines.append(f"clip {k},clips/{k}.mp4")
    (folder / "stimuli.csv").write_text("\n".join(lines) + "\n")
    random = np.random.default_rng(0)
    rows = ["block,trial,stim1,stim2,stim3,kind"]
    for block in range(blocks):
        triplets = (random.choice(CLIPS, 3, replace=False) for _ in range(trials))
        rows += [
            f"block {block},{k},{','.join(f'clip {c}' for c in one)},judgment"
            for k, one in enumerate(triplets)
        ]
    (folder / "schedule.csv").write_text("\n".join(rows) + "\n")
    (folder / "study.yaml").write_text("codes: {completed: DONE}\nlimits: {requests_per_minute: 100000}\n")
    return folder


@contextmanager
def served(folder: Path, url: str | None) -> Iterator[str]:
    """The address of a server process."""
    code = "import sys; from bgs.cli.main import main; main(sys.argv[1:])"
    more = [] if url is None else ["--database", url]
    command = [sys.executable, "-u", "-c", code, "collect", "serve", str(folder), "--port", "0", *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split(" at ")[1].split(" ")[0]
    finally:
        process.terminate()
        process.wait()


def _observe(folder: str, address: str, participants: int, pace: float, found: Any) -> None:
    from bgs.api.collecting import Study

    ledger = Study(folder).simulate(address, participants, at_once=participants, pace=pace)
    found.put((ledger.answers, ledger.codes, ledger.seconds, ledger.sent))


def measure(url: str | None, participants: int, trials: int, pace: float) -> dict[str, Any]:
    """One load: what was acknowledged, what was stored, and how long posts took."""
    import csv

    from bgs.api.collecting import Study

    with tempfile.TemporaryDirectory() as scratch:
        folder = study(Path(scratch) / "study", participants, trials)
        with served(folder, url) as address:
            queue: Any = multiprocessing.Queue()
            work = multiprocessing.Process(
                target=_observe, args=(str(folder), address, participants, pace, queue)
            )
            work.start()
            answers, codes, seconds, sent = queue.get()
            work.join()
        out = folder / "export.csv"
        Study(folder, url).export(out)
        rows = list(csv.DictReader(out.read_text().splitlines()))
    stored = Counter((row["block"], int(row["trial"])) for row in rows)
    times = 1000 * np.array(seconds)
    return {
        "participants at once": participants, "acknowledged": len(answers), "stored": len(rows),
        "doubled": sum(count - 1 for count in stored.values()), "completed": sum(code == "DONE" for code in codes.values()),
        "posts a second": _rate(sent), "median ms": round(float(np.median(times)), 1),
        "p95 ms": round(float(np.quantile(times, 0.95)), 1), "largest ms": round(float(times.max()), 1),
    }  # fmt: skip


def _rate(sent: list[float]) -> int:
    """Posts a second in the middle half of all posts: after everybody has come, before anybody has finished."""
    first, last = np.quantile(sent, [0.25, 0.75])
    return round(0.5 * len(sent) / (last - first))


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--participants", type=int, default=500)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument(
        "--pace",
        type=float,
        nargs="+",
        default=[2.5, 1.0],
        help="mean seconds between a participant's answers",
    )
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    from collection.postgres import cluster, programs

    found = []
    for pace in given.pace:
        found.append(
            {"database": "SQLite", "pace, s": pace, **measure(None, given.participants, given.trials, pace)}
        )
        if programs() is not None:
            with cluster() as address:
                measured = measure(address.format(name="postgres"), given.participants, given.trials, pace)
            found.append({"database": "PostgreSQL", "pace, s": pace, **measured})
    for row in found:
        print(
            ", ".join(
                f"{key} {value:,}" if isinstance(value, int | float) else value for key, value in row.items()
            )
        )
    if given.json:
        given.json.write_text(json.dumps({"figures": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
