"""Writes a trial table in the format of another program, as that program would. Made by hand; MIT, as the code."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from bgs.judgments import Trials

IDS = tuple(f"clip-{k}" for k in range(6))


def example(n: int = 40, people: int = 3) -> Trials:
    """Judgments and attention checks with known response times (whole milliseconds), by a few people."""
    rng = np.random.default_rng(0)
    who, trial = np.repeat(np.arange(people), n), np.tile(np.arange(n), people)
    shown = np.array([rng.choice(len(IDS), 3, replace=False) for _ in who])
    shown[::9, 1] = shown[::9, 0]
    odd = rng.integers(3, size=len(who))
    odd = np.where((shown[:, 1] == shown[:, 0]) & (odd == 1), 0, odd)
    return Trials(
        participant=np.array([f"p{k}" for k in who]), block=np.array([f"set{k}" for k in trial // 20]), trial=trial,
        stimuli=shown, odd=odd, rt=rng.integers(300, 9000, len(who)) / 1000, n_stimuli=len(IDS),
    )  # fmt: skip


def rows(trials: Trials) -> list[dict[str, object]]:
    """The rows of a table, with ids."""
    return [
        {
            "participant": str(trials.participant[k]), "block": str(trials.block[k]), "trial": int(trials.trial[k]),
            "shown": [IDS[i] for i in trials.stimuli[k]], "indices": trials.stimuli[k].tolist(),
            "slot": int(trials.odd[k]), "odd": IDS[trials.stimuli[k, trials.odd[k]]], "ms": round(trials.rt[k] * 1000),
        }
        for k in range(len(trials))
    ]  # fmt: skip


def session(trials: Trials) -> list[list[dict[str, object]]]:
    """What jsPsych holds of each participant: our trials among others."""
    people: dict[object, list[dict[str, object]]] = {}
    for row in rows(trials):
        mine = people.setdefault(row["participant"], [{"trial_type": "instructions", "rt": 9000}])
        mine.append({
            "trial_type": "odd-one-out", "stimuli": row["shown"], "odd": row["slot"], "rt": row["ms"],
            "participant": row["participant"], "block": row["block"], "trial": row["trial"], "trial_index": len(mine),
        })  # fmt: skip
    return list(people.values())


def jspsych(path: Path, trials: Trials) -> None:
    path.write_text(
        json.dumps([each for person in session(trials) for each in person], indent=1), encoding="utf-8"
    )


def jspsych_lines(path: Path, trials: Trials) -> None:
    path.write_text("".join(json.dumps(person) + "\n" for person in session(trials)), encoding="utf-8")


def jspsych_trial_lines(path: Path, trials: Trials) -> None:
    each = (json.dumps(trial) for person in session(trials) for trial in person)
    path.write_text("\n".join(each), encoding="utf-8")


def jatos_archive(path: Path, trials: Trials) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", '{"data": []}')
        for number, person in enumerate(session(trials), start=8):  # 10 comes after 9
            archive.writestr(f"study_result_{number}/comp-result_{number}1/data.txt", '{"age": 30}')
            archive.writestr(f"study_result_{number}/comp-result_{number}2/data.txt", json.dumps(person))


def published(path: Path, trials: Trials) -> None:
    names = (
        "participation",
        "task",
        "trial",
        "stim1_name",
        "stim2_name",
        "stim3_name",
        "choice",
        "response_time",
        "token",
    )
    table = [
        (
            r["participant"],
            r["block"],
            r["trial"],
            *r["indices"],
            r["indices"][r["slot"]],
            r["ms"] / 1000,
            "p1",
        )
        for r in rows(trials)
    ]
    _csv(path, names, table)


def meadows(path: Path, trials: Trials) -> None:
    names = [
        "task",
        "participation",
        *(f"stim{k}_id" for k in (1, 2, 3)),
        *(f"stim{k}_name" for k in (1, 2, 3)),
    ]
    table, clock = (
        [("lbl1", "p0", "f00", "", "", "clip-0", "", "", *["2020-09-14T18:18:43.196Z"] * 2, "a hug")],
        0,
    )
    begin = datetime(2020, 9, 14, 18, 0, 0, tzinfo=UTC)
    for r in rows(trials):
        start, end = (begin + timedelta(milliseconds=ms) for ms in (clock, clock + r["ms"]))
        clock += r["ms"] + 50
        ids = [f"f0{i}" for i in r["indices"]]
        stamps = [when.isoformat(timespec="milliseconds").replace("+00:00", "Z") for when in (start, end)]
        table.append((r["block"], r["participant"], *ids, *r["shown"], *stamps, ids[r["slot"]]))
    _csv(path, [*names, "start", "resp", "label"], table)


def triplets(trials: Trials) -> np.ndarray:
    """The kept pair, then the odd one."""
    odd = np.take_along_axis(trials.stimuli, trials.odd[:, None], axis=1)
    return np.concatenate([trials.kept, odd], axis=1)


def npy(path: Path, trials: Trials) -> None:
    np.save(path, triplets(trials))


def npy_of_floats(path: Path, trials: Trials) -> None:
    np.save(path, triplets(trials).astype(np.float64))


def txt(path: Path, trials: Trials) -> None:
    np.savetxt(path, triplets(trials), fmt="%d")


LONG = ("subject", "session", "number", "left", "middle", "right", "answer", "latency")


def long_rows(trials: Trials) -> list[tuple[object, ...]]:
    return [
        (r["participant"], r["block"], r["trial"], *r["shown"], r["slot"] + 1, r["ms"]) for r in rows(trials)
    ]


def excel(path: Path, trials: Trials) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(LONG)
    for row in long_rows(trials):
        book.active.append(row)
    book.save(path)


def long_csv(path: Path, trials: Trials) -> None:
    _csv(path, LONG, long_rows(trials))


LONG_MAPPING = """
columns: {participant: subject, block: session, trial: number, stim1: left, stim2: middle, stim3: right, odd: answer, rt: latency}
rt_unit: ms
answers: {1: 1, 2: 2, 3: 3}
"""


def qualtrics(path: Path, trials: Trials) -> None:
    """A row a person: stimuli as embedded data, the answer in words, the time of a timing question."""
    people: dict[object, dict[str, object]] = {}
    for r in rows(trials):
        mine = people.setdefault(r["participant"], {"ResponseId": r["participant"]})
        n = r["trial"]
        mine |= {f"{n}_clip{k + 1}": name for k, name in enumerate(r["shown"])}
        mine |= {f"{n}_Q2": ("Left", "Middle", "Right")[r["slot"]], f"{n}_Q3_Page Submit": r["ms"] / 1000}
    names = list(next(iter(people.values())))
    texts = [
        [f"text of {name},\nwith a line" for name in names],
        [f'{{"ImportId":"{name}"}}' for name in names],
    ]
    _csv(path, names, texts + [list(person.values()) for person in people.values()])


QUALTRICS_MAPPING = """
layout: wide
participant: ResponseId
rows_below_header: 2
answers: {Left: 1, Middle: 2, Right: 3}
trials:
  - {numbers: 0-39, shown_in: ["{n}_clip1", "{n}_clip2", "{n}_clip3"], odd: "{n}_Q2", rt: "{n}_Q3_Page Submit"}
"""


def _csv(path: Path, names: object, table: object) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(names)
        writer.writerows(table)


#: Name of the file -> format, what writes it, mapping file, columns that it keeps beyond stimuli and choice.
WRITERS: dict[str, tuple[str, Callable[[Path, Trials], None], str | None, tuple[str, ...]]] = {
    "all.json": ("jspsych", jspsych, None, ("participant", "block", "trial", "rt")),
    "people.jsonl": ("jspsych", jspsych_lines, None, ("participant", "block", "trial", "rt")),
    "trials.jsonl": ("jspsych", jspsych_trial_lines, None, ("participant", "block", "trial", "rt")),
    "results.txt": ("jatos", jspsych_lines, None, ("participant", "block", "trial", "rt")),
    "results.jrzip": ("jatos", jatos_archive, None, ("participant", "block", "trial", "rt")),
    "results.zip": ("jatos", jatos_archive, None, ("participant", "block", "trial", "rt")),
    "published.csv": ("published", published, None, ("participant", "block", "trial", "rt")),
    "annotations.csv": ("meadows", meadows, None, ("participant", "block", "rt")),
    "triplets.npy": ("triplets", npy, None, ()),
    "floats.npy": ("triplets", npy_of_floats, None, ()),
    "triplets.txt": ("triplets", txt, None, ()),
    "book.xlsx": ("table", excel, LONG_MAPPING, ("participant", "block", "trial", "rt")),
    "long.csv": ("table", long_csv, LONG_MAPPING, ("participant", "block", "trial", "rt")),
    "survey.csv": ("qualtrics", qualtrics, QUALTRICS_MAPPING, ("participant", "trial", "rt")),
}
