"""Does an export grow with the answers? `python benchmarks/collect_export.py --json docs/results/collect_export.json`.

Studies of 10⁵ and 10⁶ trials, all answered (rows are put into SQLite directly), are exported by a process of their own, whose
largest memory is compared with that of opening the same study alone.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

CLIPS, TRIALS = 250, 100


def fill(folder: Path, blocks: int) -> None:
    """A study whose every trial is answered."""
    from sqlalchemy import insert

    from bgs.collection.opening import open_database
    from bgs.collection.study_folder import open_study
    from bgs.collection.tables import AnswerRow, AssignmentRow, ParticipantRow, State

    (folder / "clips").mkdir(parents=True)
    ids = [f"clip-{k:03d}" for k in range(CLIPS)]
    for name in ids:
        (folder / f"clips/{name}.mp4").touch()
    (folder / "stimuli.csv").write_text("stimulus_id,video\n" + "".join(f"{k},clips/{k}.mp4\n" for k in ids))
    random = np.random.default_rng(0)
    with (folder / "schedule.csv").open("w") as stream:
        stream.write("block,trial,stim1,stim2,stim3,kind\n")
        for block in range(blocks):
            triplets = np.argsort(random.random((TRIALS, CLIPS)), axis=1)[:, :3].tolist()
            stream.writelines(
                f"block-{block:05d},{k},{','.join(ids[c] for c in one)},judgment\n"
                for k, one in enumerate(triplets)
            )
    study = open_study(folder)
    database = open_database(study, 0.0)
    for number, (name, trials) in enumerate(study.schedule.blocks.items(), start=1):
        with database.writing() as session:
            session.execute(
                insert(ParticipantRow),
                [{"id": number, "key": f"{number:064x}", "source": "link", "created_at": 0.0}],
            )
            seat = {"id": number, "participant_id": number, "block": name, "state": State.COMPLETE}
            session.execute(insert(AssignmentRow), [{**seat, "started_at": 0.0, "lease_until": 0.0}])
            rows = [
                {
                    "assignment_id": number, "trial": one.number, "client_id": f"{number}-{one.number}",
                    "stim1": one.stimuli[0], "stim2": one.stimuli[1], "stim3": one.stimuli[2], "odd": 0,
                    "rt_ms": 4800.0, "details": {"plays": [1, 1, 1]}, "received_at": 0.0,
                }
                for one in trials
            ]  # fmt: skip
            session.execute(insert(AnswerRow), rows)
    database.close()


def measured(folder: Path, what: str) -> dict[str, float]:
    """Seconds and largest memory (MB) of a process that opens the study, and exports it where ``what`` is a file."""
    child = [sys.executable, __file__, "--child", str(folder), what]
    return json.loads(subprocess.run(child, check=True, capture_output=True, text=True).stdout)


def _child(folder: str, what: str) -> None:
    from bgs.collection.exporting import export
    from bgs.collection.opening import opened_study

    with opened_study(folder) as (study, database):
        start = time.perf_counter()
        written = 0 if what == "-" else export(database, study, Path(what)).answers
        lasted = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"answers": written, "seconds": lasted, "mb": peak}))


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        return _child(*given.child)
    found: list[dict[str, Any]] = []
    for answers in given.answers:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "study"
            fill(folder, answers // TRIALS)
            row: dict[str, Any] = {"answers": answers, "opened alone, MB": round(measured(folder, "-")["mb"])}
            for ending in ("csv", "parquet"):
                one = measured(folder, str(Path(scratch) / f"export.{ending}"))
                assert one["answers"] == answers
                row |= {
                    f"{ending}, MB": round(one["mb"]),
                    f"{ending}, answers a second": round(answers / one["seconds"]),
                }
        found.append(row)
        print(", ".join(f"{key} {value:,}" for key, value in row.items()))
    if given.json:
        given.json.write_text(json.dumps({"figures": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
