"""Writes the table of docs/simulated-clips.md: `make simulated` (seven minutes on two cores).

`bgs quickstart` with three seeds, each with clips, observers and training of its own; then, without any training on
them, the held-out render styles (clips and observers simulated anew) and the 100 PHASE clips with real human ratings.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from page_tables import between, number
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bgs._files import write_json, write_text
from bgs.api.quickstarts import STUDY, simulated_quickstart
from bgs.datasets import load_dataset
from bgs.datasets.phase import RELATIONS
from bgs.embeddings import Embeddings
from bgs.evaluation import Metric, Transfer, evaluate, transfer
from bgs.experiments.chapters.transfer import REFERENCES, with_decoding
from bgs.experiments.conditions import Condition
from bgs.experiments.experiment import Experiment, open_experiment
from bgs.experiments.results import SeedMean
from bgs.experiments.simulated import SimulateSettings, write_simulated
from bgs.runs.embedder import embed_stimuli
from bgs.simulation import TRUTH, read_truth
from bgs.simulation.looks import STYLES
from bgs.simulation.observers import standard_latents

ROOT = Path(__file__).parents[1]
SEEDS = (0, 1, 2)
#: Of the report of the first seed: what README shows.
FIGURE, SHOWN = "matrices-1.svg", ROOT / "docs/figures/quickstart.svg"
STYLE_CLIPS, STYLE_TRIALS, STYLE_SEED = 140, 8_000, 500  # evaluation seeds are below 1,000
MODEL, SETTINGS = next(iter(STUDY["models"].items()))
#: Column of a table -> side of a transfer.
SIDES = {"base": "against", "hybrid": "embeddings", "hybrid - base": "difference"}

TITLES = {
    "rsa_spearman": "RSA",
    "odd_one_out_3afc": "odd-one-out, 3AFC",
    "balanced_accuracy": "three-way decoding",
}

#: A row that no model could have: see :func:`told_the_truth`.
TOLD = "true latents, decoded from base"

#: Row of a table -> seed -> figure.
Rows = dict[str, dict[int, Metric]]


def quickstarts(out: Path) -> tuple[Rows, dict[int, float], dict[int, str]]:
    """Spearman RSA on held-out clips of the training style, the ceilings, and references of the tuned models."""
    rows, ceilings, tuned = Rows(), {}, {}
    for seed in SEEDS:
        outcome = simulated_quickstart(out / f"seed-{seed}", seed)
        assert not outcome.failed, outcome.failed
        experiment = open_experiment(outcome.path)
        tuned[seed] = f"run:{experiment.find(MODEL, Condition.HYBRID)[seed].folder.path}"
        found = outcome.table.protocols["held-out-pairs"]
        ceilings[seed] = found.ceilings.rsa_ceiling.value
        levels = {"captions": found.captions, **found.models[MODEL]}
        named = {name: level.metrics for name, level in levels.items()} | found.differences[MODEL]
        for name, row in named.items():  # one seed each: as plain metrics
            rows.setdefault(name, {})[seed] = Metric.from_json(row.rsa_spearman.to_json())
        told, missing = told_the_truth(experiment, seed)
        rows.setdefault(TOLD, {})[seed] = told
        rows.setdefault(f"hybrid - {TOLD}", {})[seed] = missing
    return rows, ceilings, tuned


def told_the_truth(experiment: Experiment, seed: int) -> tuple[Metric, Metric]:
    """What the base model's features can give at best, about: a ridge regression that is told the latents of the
    training clips, and how much observers go by each. And the tuned model minus that, which was told neither."""
    stimuli, base = experiment.study.stimuli, experiment.base(MODEL)[seed]
    folder = experiment.study.dataset.folder
    assert folder is not None
    observers = read_truth(folder / TRUTH).settings
    latents = standard_latents(stimuli, observers.latents)
    reader = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-1, 5, 25)))
    reader.fit(base.values[stimuli.train], latents[stimuli.train])
    told = Embeddings(
        reader.predict(base.values) * observers.mean_weights, stimuli.ids, f"latents read from {base.source}"
    )
    found = evaluate(
        experiment.tuned(MODEL)[seed], stimuli, experiment.study.trials, protocol="held-out-pairs", center=True,
        against=told, permutations=0,
    )  # fmt: skip
    return found.against_metrics["rsa_spearman"], found.differences["rsa_spearman"]


def held_out_style(out: Path, style: str, models: dict[int, str]) -> Rows:
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
        base, tuned = (embed_stimuli(model, dataset.stimuli) for model in (SETTINGS["model"], models[seed]))
        found = evaluate(
            tuned, dataset.stimuli, dataset.need_trials(), protocol="all", center=True, against=base,
            permutations=0,
        )  # fmt: skip
        for name, metrics in (
            ("base", found.against_metrics),
            ("hybrid", found.metrics),
            ("hybrid - base", found.differences),
        ):
            rows.setdefault(name, {})[seed] = metrics["rsa_spearman"]
        rows.setdefault("ceiling", {})[seed] = found.metrics["rsa_ceiling"]
    return rows


def phase(folder: Path, models: dict[int, str]) -> dict[str, Rows]:
    """Base and tuned on real ratings of the PHASE clips: RSA, odd-one-out, decoding."""
    stimuli, tables = load_dataset(folder).stimuli, dict[str, Rows]()
    base = embed_stimuli(SETTINGS["model"], stimuli).centred()
    for seed, model in models.items():
        tuned = embed_stimuli(model, stimuli).centred()
        found = transfer(
            tuned, stimuli, RELATIONS, against=base, label="relation", raters="n_raters", seed=seed
        )
        for measure, row in _phase_rows(found).items():
            for name, metric in row.items():
                tables.setdefault(measure, {}).setdefault(name, {})[seed] = metric
    return tables


def _phase_rows(found: Transfer) -> dict[str, dict[str, Metric]]:
    """Measure -> row -> figure; decoding also has chance and human raters."""
    sides = {name: with_decoding(found, side) for name, side in SIDES.items()}
    rows = {measure: {name: side[measure] for name, side in sides.items()} for measure in TITLES}
    assert found.decoding is not None
    rows["balanced_accuracy"] |= {name: found.decoding.metrics[name] for name in REFERENCES}
    return rows


def table(title: str, rows: Rows) -> list[str]:
    """Lines of a Markdown table; a row a figure, the mean over seeds with its interval, and each seed."""
    lines = [f"| {title} | mean [95 % interval] | seeds |", "|---|---|---|"]
    for name, metrics in rows.items():
        mean, signed = SeedMean.of(metrics), " - " in name
        seeds = " ".join(number(metric.value, signed) for metric in metrics.values())
        lines.append(f"| {name.replace(' - ', ' − ')} | {mean.words(signed=signed)} | {seeds} |")
    return lines


def results(out: Path, phase_folder: Path) -> dict[str, Any]:
    """All tables: title -> rows."""
    rows, ceilings, models = quickstarts(out)
    tables = {"training style, RSA (Spearman)": rows}
    tables |= {f"{style} (held out), RSA": held_out_style(out, style, models) for style in STYLES[1:]}
    tables |= {f"PHASE, real ratings: {TITLES[m]}": r for m, r in phase(phase_folder, models).items()}
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
    shutil.copyfile(settings.out / f"seed-{SEEDS[0]}" / "report/figures" / FIGURE, SHOWN)
    page = ROOT / "docs/simulated-clips.md"
    text = "\n".join(lines)
    write_text(page, between(page.read_text(encoding="utf-8"), "simulated", text))
    print(text)


if __name__ == "__main__":
    main()
