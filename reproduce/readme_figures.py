"""Measures what the README claims and writes it there: `make figures` (about ten minutes on two cores).

Three seeds of configs/garcia-isik-2025-minilm.yaml; nothing is chosen on test clips. Finished runs in runs/readme are
kept, so a second call only writes. Speed comes from docs/results/bench.json (`make bench`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING

from page_tables import between, number

from bgs._files import write_json, write_text
from bgs.runs.quiet import quiet_libraries

if TYPE_CHECKING:
    from bgs.evaluation import Metric, Result

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "configs" / "garcia-isik-2025-minilm.yaml"
RUNS = Path("runs/readme")  # relative: results name it
README = ROOT / "README.md"
SEEDS = (0, 1, 2)
#: Squared Spearman on the published test trials, by the authors (arXiv 2510.01502 v2).
PUBLISHED_CAPTIONS, PUBLISHED_TUNED = 0.134, 0.165
PUBLISHED = {
    "MPNet on captions (published)": PUBLISHED_CAPTIONS,
    "V-JEPA 2.1 tuned (published)": PUBLISHED_TUNED,
}
ROWS = {
    "rsa_spearman_squared": "RSA, squared Spearman",
    "rsa_spearman": "RSA, Spearman",
    "odd_one_out_3afc": "odd-one-out, 3AFC (chance .333)",
    "odd_one_out_two_way": "odd-one-out, two-way (chance .5)",
}
CEILINGS = {
    "rsa_spearman_squared": ("rsa_ceiling_squared",),
    "rsa_spearman": ("rsa_ceiling",),
    "odd_one_out_3afc": ("odd_one_out_ceiling_lower", "odd_one_out_ceiling"),
}


def train_all() -> tuple[list[list[Result]], float]:
    """One list of results (a protocol each) a seed, and the minutes spent training what was not there yet."""
    from bgs.evaluation import Result
    from bgs.runs.run import run_training
    from bgs.training import load_config

    results, start = [], time.perf_counter()
    for seed in SEEDS:
        run = RUNS / f"seed-{seed}"
        if (run / "evaluation.json").is_file():
            found = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))
            results.append([Result.from_json(value) for value in found.values()])
        else:
            results.append(run_training(load_config(CONFIG, [f"seed={seed}"]), run))
    return results, (time.perf_counter() - start) / 60


def interval(metrics: Sequence[Metric], sign: bool = False) -> str:
    """Means of value and interval bounds over seeds."""
    from bgs.evaluation import mean_metric

    return mean_metric(metrics).words(signed=sign)


def ceiling(metrics: Sequence[Metric]) -> str:
    """A ceiling with its interval, or the range that it lies in."""
    return interval(metrics) if len(metrics) == 1 else " to ".join(number(metric.value) for metric in metrics)


def shares(results: list[list[Result]]) -> str:
    """How near to the ceiling base and tuned come, a protocol each."""
    found = []
    for protocol in zip(*results, strict=True):
        most = protocol[0].metrics["rsa_ceiling"].value
        base = mean(r.against_metrics["rsa_spearman"].value for r in protocol) / most
        tuned = mean(r.metrics["rsa_spearman"].value for r in protocol) / most
        found.append(f"on {protocol[0].protocol} {base:.0%} → {tuned:.0%}")
    return ", ".join(found)


def table(results: list[list[Result]]) -> str:
    """The README's table, one block a protocol."""
    lines = ["| | base | tuned | seeds | tuned − base | ceiling | n |", "|---|---|---|---|---|---|---|"]
    for protocol in zip(*results, strict=True):
        lines.append(f"| **{protocol[0].protocol}** | | | | | | |")
        for key, name in ROWS.items():
            tuned = [result.metrics[key] for result in protocol]
            cells = [
                name,
                interval([result.against_metrics[key] for result in protocol]),
                f"**{interval(tuned)}**",
                " ".join(number(metric.value) for metric in tuned),
                interval([result.differences[key] for result in protocol], sign=True),
                ceiling([protocol[0].metrics[name] for name in CEILINGS.get(key, ())]),
                f"{tuned[0].n:,}",
            ]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def results_text(results: list[list[Result]]) -> str:
    """Table and what it says."""
    n_clips = results[0][0].provenance["n_clips"]
    published = ", ".join(f"{name} {number(value)}" for name, value in PUBLISHED.items())
    trials = next(result for result in results[0] if result.protocol == "held-out-trials")
    squared_ceiling = trials.metrics["rsa_ceiling_squared"].value
    return f"""{table(results)}

all-MiniLM-L6-v2 on the real captions and judgments; {n_clips} held-out clips; embeddings centred on the training clips.
Values with 95 % intervals over clips and participants; tuned figures are means over three seeds (each listed);
differences are paired. **Share of the RSA ceiling: {shares(results)}.**
Published squared Spearman on the held-out trials: {published};
.165 is {PUBLISHED_TUNED / squared_ceiling:.0%} of the squared ceiling here, .134 is {PUBLISHED_CAPTIONS / squared_ceiling:.0%}.
The gain is in the geometry: with 368 held-out trials, odd-one-out accuracy is too coarse to distinguish tuned from base.
Command: `make figures`."""


def speed_text() -> str:
    """What `make bench` measured of MiniLM on the published judgments."""
    rows = json.loads((ROOT / "docs/results/bench.json").read_text(encoding="utf-8"))["rows"]
    found = next((row for row in rows if row["key"] == "a: captions"), None)
    if found is None:
        raise SystemExit(
            "docs/results/bench.json is of a quick run: `make bench` measures all that the README says"
        )
    spent = {name: median(values) for name, values in found["more"]["seconds a pass"].items()}
    encodings, ratio = found["more"]["encodings"], found["figure"]["median"]
    return (
        f"One pass over all trials among the optimised clips takes {encodings['full-geometry']:,} clip encodings instead of "
        f"{encodings['per-trial']:,}, and is {ratio:,.0f} times as fast\n({spent['full-geometry']:.1f} s against "
        f"{spent['per-trial']:,.0f} s, medians measured side by side on two cores; `make bench`)."
    )


def main() -> None:
    """Measure, draw, write."""
    quiet_libraries()
    from bgs.reports import GapFigure
    from bgs.reports.gap import gap_panel
    from bgs.reports.rendering import draw_gap

    results, minutes = train_all()
    panels = [
        gap_panel(protocol, published=PUBLISHED if protocol[0].protocol == "held-out-trials" else None)
        for protocol in zip(*results, strict=True)
    ]
    footnote = "all-MiniLM-L6-v2 on captions; judgments and published figures: Garcia & Isik, arXiv 2510.01502; 95 % intervals"
    draw_gap(GapFigure(tuple(panels), footnote), ROOT / "docs/figures/minilm.png")
    write_json(
        ROOT / "docs/results/minilm.json",
        {f"seed {seed}": [r.to_json() for r in rs] for seed, rs in zip(SEEDS, results, strict=True)},
    )
    text = between(README.read_text(encoding="utf-8"), "results", results_text(results))
    write_text(README, between(text, "speed", speed_text()))
    print(table(results))
    print(f"{minutes:.1f} minutes for what was trained now")


if __name__ == "__main__":
    main()
