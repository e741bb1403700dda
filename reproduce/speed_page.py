"""The table of evaluation in docs/speed.md, from docs/results/evaluation.json (written by benchmarks/evaluation.py)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from page_tables import between, table

from bgs._files import read_json, write_text


def ratio(found: Mapping[str, float]) -> str:
    """``65.9 × [62.0, 88.1]``."""
    digits = 1 if found["median"] >= 10 else 2
    middle, low, high = (f"{found[name]:.{digits}f}" for name in ("median", "low", "high"))
    return f"{middle} × [{low}, {high}]"


def evaluation_table(found: Mapping[str, Any]) -> str:
    """Bootstraps, scores, and whole evaluations."""
    rows = []
    for row in found["bootstrap"].values():
        what = f"a clip-bootstrap resample of a Spearman RSA, {row['clips']} clips"
        spent = f"{1e6 * row['seconds']['bgs'] / row['resamples']:.0f} µs"
        beside = [
            f"{name} takes {ratio(row['ratio'][key])}"
            for key, name in (("rsatoolbox",) * 2, ("loop", "a plain loop"))
        ]
        rows.append([what, spent, "; ".join(beside)])
    row = found["odd_one_out"]
    what = f"odd-one-out scores, three-way and two-way, of {row['trials']:,} trials"
    beside_numpy = f"one line of numpy, three-way only, takes {ratio(row['ratio']['numpy'])}"
    rows.append([what, f"{1e3 * row['seconds']['bgs']:.1f} ms", beside_numpy])
    for row in found["evaluate"]:
        what = f"`evaluate` with {row['permutations']:,} permutations, {row['clips']:,} clips, {row['trials']:,} trials"
        rows.append(
            [
                what,
                f"{row['seconds']:.1f} s",
                f"at most {row['peak_megabytes']:,.0f} MB, Python and data included",
            ]
        )
    return table(["task", "processor time", "beside it"], rows)


def main() -> None:
    """Write the table into the page."""
    docs = Path(__file__).parents[1] / "docs"
    page = docs / "speed.md"
    found = read_json(docs / "results" / "evaluation.json")
    write_text(page, between(page.read_text(encoding="utf-8"), "evaluation", evaluation_table(found)))


if __name__ == "__main__":
    main()
