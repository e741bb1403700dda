"""Writes the table of docs/simulated-clips.md: `make simulated` (half an hour on two cores).

`bgs quickstart` with three seeds, each with clips, observers and training of its own; then, without any training on
them, the held-out render styles (clips and observers simulated anew) and the 100 PHASE clips with real human ratings.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from bgs._files import write_json, write_text
from bgs.cli.quickstart import STUDY, run_quickstart
from bgs.datasets import Dataset, load_dataset
from bgs.embeddings import Embeddings
from bgs.evaluation import Metric, Transfer, evaluate, transfer
from bgs.experiment.embedder import embed_stimuli
from bgs.experiment.results import SeedMean
from bgs.experiment.sections import SimulateSettings
from bgs.experiment.simulated import write_simulated
from bgs.simulation.looks import STYLES

ROOT = Path(__file__).parents[1]
SEEDS = (0, 1, 2)
RELATIONS = ("friendly", "neutral", "adversarial")
STYLE_CLIPS, STYLE_TRIALS, STYLE_SEED = 140, 8_000, 500  # evaluation seeds are below 1,000
MODEL = next(iter(STUDY["models"]))  # type: ignore[call-overload]

#: Row of a table -> seed -> figure.
Rows = dict[str, dict[int, Metric]]


def quickstarts(out: Path) -> tuple[Rows, dict[int, float]]:
    """Spearman RSA on held-out clips of the training style, and the ceilings."""
    rows, ceilings = Rows(), {}
    for seed in SEEDS:
        _, outcome = run_quickstart(out / f"seed-{seed}", seed)
        assert not outcome.failed, outcome.failed
        found = outcome.table.protocols["held-out-pairs"]
        ceilings[seed] = found.ceilings["rsa_ceiling"].value
        named = {"captions": found.captions, **found.models[MODEL], **found.differences[MODEL]}
        for name, row in named.items():
            rows.setdefault(name, {})[seed] = row["rsa_spearman"].mean
    return rows, ceilings


def both(run: Path, dataset: Dataset) -> tuple[Embeddings, Embeddings]:
    """Embeddings before and after tuning of clips that no model was trained on."""
    base = embed_stimuli(STUDY["models"][MODEL]["model"], dataset.stimuli)  # type: ignore[index]
    return base, embed_stimuli(f"run:{run}", dataset.stimuli)


def run_folder(out: Path, seed: int) -> Path:
    """Where a quickstart keeps its tuned model."""
    return out / f"seed-{seed}" / "cells" / MODEL / "hybrid" / f"seed-{seed}"


def held_out_style(out: Path, style: str) -> Rows:
    """Base and tuned on clips in another style, judged by new observers."""
    rows = Rows()
    for seed in SEEDS:
        folder = out / "styles" / f"{style}-{seed}"
        settings = SimulateSettings(
            clips=STYLE_CLIPS, style=style, trials=STYLE_TRIALS, seed=STYLE_SEED + seed
        )
        if not (folder / "trials.csv").is_file():
            write_simulated(settings, folder)
        dataset = load_dataset(folder)
        base, tuned = both(run_folder(out, seed), dataset)
        found = evaluate(
            tuned, dataset.stimuli, dataset.need_trials(), protocol="all", center=True, against=base,
            resamples=1000, permutations=0, seed=seed,
        )  # fmt: skip
        for name, metrics in (
            ("base", found.against_metrics),
            ("hybrid", found.metrics),
            ("hybrid - base", found.differences),
        ):
            rows.setdefault(name, {})[seed] = metrics["rsa_spearman"]
        rows.setdefault("ceiling", {})[seed] = found.metrics["rsa_ceiling"]
    return rows


def phase(out: Path, folder: Path) -> dict[str, Rows]:
    """Base and tuned on real ratings of the PHASE clips: RSA, odd-one-out, decoding."""
    dataset, tables = load_dataset(folder), dict[str, Rows]()
    for seed in SEEDS:
        base, tuned = (centred(e) for e in both(run_folder(out, seed), dataset))
        found = transfer(
            tuned, dataset.stimuli, RELATIONS, against=base, label="relation", raters="n_raters", seed=seed
        )
        for measure, row in _phase_rows(found).items():
            for name, metric in row.items():
                tables.setdefault(measure, {}).setdefault(name, {})[seed] = metric
    return tables


def centred(embeddings: Embeddings) -> Embeddings:
    """Without the mean of the clips measured: another world looks different throughout."""
    return Embeddings(
        embeddings.values - embeddings.values.mean(axis=0), embeddings.stimulus_ids, embeddings.source
    )


def _phase_rows(found: Transfer) -> dict[str, dict[str, Metric]]:
    tables = {"base": found.against_metrics, "hybrid": found.metrics, "hybrid - base": found.differences}
    rows = {
        measure: {name: table[measure] for name, table in tables.items()}
        for measure in ("rsa_spearman", "odd_one_out_3afc")
    }
    decoding = found.decoding
    assert decoding is not None
    assert decoding.difference is not None
    named = {"base": "against", "hybrid": "embeddings"} | {k: k for k in ("chance", "one_rater", "new_panel")}
    accuracy = {name: decoding.metrics[key] for name, key in named.items() if key in decoding.metrics}
    return {**rows, "balanced_accuracy": {**accuracy, "hybrid - base": decoding.difference}}


def number(value: float, signed: bool) -> str:
    """Three decimals without a leading zero."""
    return f"{value:{'+' if signed else ''}.3f}".replace("0.", ".", 1)


def table(title: str, rows: Rows) -> list[str]:
    """Lines of a Markdown table; a row a figure, the mean over seeds with its interval, and each seed."""
    lines = [f"| {title} | mean [95 % interval] | seeds |", "|---|---|---|"]
    for name, metrics in rows.items():
        mean, signed = SeedMean.of(metrics).mean, " - " in name
        interval = f"[{number(mean.low, signed)}, {number(mean.high, signed)}]"
        seeds = " ".join(number(metric.value, signed) for metric in metrics.values())
        lines.append(f"| {name.replace(' - ', ' − ')} | {number(mean.value, signed)} {interval} | {seeds} |")
    return lines


def results(out: Path, phase_folder: Path) -> dict[str, Any]:
    """All tables: title -> rows."""
    rows, ceilings = quickstarts(out)
    tables = {"training style, RSA (Spearman)": rows}
    tables |= {f"{style} (held out), RSA": held_out_style(out, style) for style in STYLES[1:]}
    titles = {
        "rsa_spearman": "RSA",
        "odd_one_out_3afc": "odd-one-out, 3AFC",
        "balanced_accuracy": "three-way decoding",
    }
    tables |= {f"PHASE, real ratings: {titles[m]}": r for m, r in phase(out, phase_folder).items()}
    shares = {
        name: np.mean([rows[name][seed].value / ceilings[seed] for seed in SEEDS]).item()
        for name in rows
        if " - " not in name
    }
    return {"tables": tables, "ceilings": ceilings, "share_of_ceiling": shares}


def main() -> None:
    """Run and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/simulated"))
    parser.add_argument("--phase", type=Path, default=Path("data/phase-genset"))
    settings = parser.parse_args()
    found = results(settings.out, settings.phase)
    lines: list[str] = []
    for title, rows in found["tables"].items():
        lines += [*table(title, rows), ""]
    ceilings = ", ".join(number(value, False) for value in found["ceilings"].values())
    shares = ", ".join(f"{name} {share:.0%}" for name, share in found["share_of_ceiling"].items())
    lines += [f"RSA ceilings of the three worlds: {ceilings}. Share of it, mean of the seeds: {shares}."]
    json_tables = {
        title: {
            name: {str(seed): m.to_json() for seed, m in metrics.items()} for name, metrics in rows.items()
        }
        for title, rows in found["tables"].items()
    }
    write_json(
        ROOT / "docs/results/simulated.json",
        {**found, "tables": json_tables, "ceilings": {str(k): v for k, v in found["ceilings"].items()}},
    )
    page = ROOT / "docs/simulated-clips.md"
    before, _, rest = page.read_text(encoding="utf-8").partition("<!-- simulated:")
    opening, _, rest = rest.partition("-->")
    after = rest.partition("<!-- /simulated -->")[2]
    text = "\n".join(lines)
    write_text(page, f"{before}<!-- simulated:{opening}-->\n{text}\n<!-- /simulated -->{after}")
    print(text)


if __name__ == "__main__":
    main()
