"""The tables of docs/limits.md, from docs/results/limits.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from page_tables import between, estimate, number, table

from bgs._files import write_text

Figures = dict[str, Any]


def interval(row: Figures, signed: bool = False) -> str:
    """Value and interval of a row with ``mean`` or ``value``."""
    return estimate({"value": row.get("mean"), **row}, signed)


def percent(share: float) -> str:
    """Whole per cents."""
    return f"{100 * share:.0f} %"


def recipe_table(found: Figures) -> str:
    """Cross-validated recipes."""
    rows = [
        [name, interval(row), percent(row["share"]), interval(row["difference"], True)]
        for name, row in found["recipes"].items()
    ]
    head = ["recipe", "Spearman, held-out training clips", "share of ceiling", "minus *both, closed form*"]
    return table(head, [["ceiling", interval(found["ceiling"]), "100 %", ""], *rows])


def curve_table(found: Figures) -> str:
    """Values by size, then extrapolations."""
    rows = []
    for name, curve in found.items():
        means = " · ".join(f"{size}: {number(row['mean'])}" for size, row in curve["means"].items())
        ends = [
            " to ".join(interval(curve[shape][end], True) for shape in ("1/n", "1/sqrt(n)"))
            for end in ("twice", "limit")
        ]
        rows.append([name, means, *ends])
    return table(["number of", "measured", "gain from doubling", "gain in the limit"], rows)


def people_table(found: Figures) -> str:
    """What predicts one fifth of the people."""
    names = {
        "others": "others' shares of the same pairs, raw",
        "ordinal": "others' judgments of the same clips, as an ordinal embedding",
        "captions": "captions, through a map learned from others' judgments of other clips",
        "with ordinal": "mean of captions and ordinal embedding",
        "ceiling": "ceiling",
    }
    rows = [
        [text, interval(row := found[key]), percent(row["share"]), interval(row["difference"], True)]
        for key, text in names.items()
    ]
    return table(["predictor", "Spearman", "share of ceiling", "minus captions"], rows)


def world_table(found: Figures) -> str:
    """Shares of the ceiling in worlds where the content of the features is known."""
    rows = []
    for name, row in found.items():
        means = [percent(point["mean"]) for point in row["means"].values()]
        rows.append([name, number(row["ceiling"]), percent(row["untuned"]), *means])
    sizes = [f"{size} clips" for size in next(iter(found.values()))["means"]]
    return table(["world", "ceiling", "untuned", *sizes], rows)


def test_table(found: Figures) -> str:
    """Finished recipes on the test clips."""
    pairs, trials = found["held-out-pairs"], found["held-out-trials"]
    rows = [["ceiling", interval(pairs["ceiling"]), "100 %", interval(trials["ceiling"]), "100 %", ""]]
    for name, row in pairs["recipes"].items():
        other = trials["recipes"][name]
        odd = number(other["3afc"])
        rows.append(
            [name, interval(row), percent(row["share"]), interval(other), percent(other["share"]), odd]
        )
    return table(
        ["recipe", "held-out-pairs", "share of ceiling", "held-out-trials", "share of ceiling", "3AFC"], rows
    )


def write_page(path: Path, found: Figures) -> None:
    """Replace the tables between the page's markers."""
    text = path.read_text(encoding="utf-8")
    makers = {"recipes": recipe_table, "curves": curve_table, "people": people_table, "worlds": world_table,
              "test": test_table}  # fmt: skip
    for name, make in makers.items():
        text = between(text, name, make(found[name]))
    write_text(path, text)
