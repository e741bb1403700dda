"""Writes what docs/heider-simmel.md says of tuning: from verbs to choices, from choices to choices, and both in sequence.

    bgs experiment configs/heider-simmel-verbs.yaml --out experiments/heider-simmel-verbs      # -twins, -vit, -vit-lora
    python reproduce/heider_simmel_figures.py

Reads the finished cells of experiments/heider-simmel-verbs*, cross-validates on the choices (in runs/heider-simmel; a second call
resumes), and writes tables, a figure and docs/results/heider_simmel.json.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from page_tables import between, number

from bgs._codec import JsonDataclass
from bgs._files import write_json, write_text
from bgs._typing import Float64
from bgs.evaluation import Metric, select_protocol
from bgs.evaluation.comparison import Comparison
from bgs.experiments.cells import Cell
from bgs.experiments.conditions import Condition
from bgs.experiments.experiment import Experiment, open_experiment
from bgs.experiments.results import SeedMean
from bgs.reports import Estimate, ForestFigure, ForestPanel, ForestRow, draw
from bgs.reports.palette import Role
from bgs.runs.cross_validation import CrossValidation, cross_validate
from bgs.training import load_config

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGE, RESULTS = ROOT / "docs/heider-simmel.md", ROOT / "docs/results/heider_simmel.json"
FIGURE = ROOT / "docs/figures/heider-simmel.svg"
CHOICES, RUNS = ROOT / "configs/heider-simmel-choices.yaml", Path("runs/heider-simmel")
VERBS = Path("experiments/heider-simmel-verbs")
EXPERIMENTS = (
    VERBS,
    Path("experiments/heider-simmel-verbs-twins"),
    Path("experiments/heider-simmel-verbs-vit"),
)
VIT = "features:runs/heider-simmel/vit-16.safetensors"
#: Condition -> what was done to a model whose adapters are trained.
DONE = {
    Condition.BASE: "frozen",
    Condition.TRANSFORM_ONLY: "linear transform",
    Condition.HYBRID: "LoRA",
    Condition.TRIPLET_ONLY: "LoRA, trials only",
    Condition.RSA_ONLY: "LoRA, RDM only",
    Condition.SHUFFLED: "LoRA, shuffled names",
}
_ROLES: dict[str, Role] = {
    "frozen": "base",
    "linear transform": "captions",
    "LoRA": "tuned",
    "trained": "tuned",
}
#: Differences of a table. Low-level models are controls as they are, and tuned like the encoder.
COLUMNS = ("frozen", "pixels", "tuned pixels", "motion", "tuned motion", "random twin")
#: Encoder -> the same network with random weights.
TWINS = {"tiny-videomae": "tiny-random", "vit-16": "vit-16-random"}
_Rdm = Float64[np.ndarray, "m m"]


@dataclass(frozen=True)
class Line(JsonDataclass):
    """An encoder in one state: agreement with people, and paired differences from what :data:`COLUMNS` names."""

    encoder: str
    state: str
    rsa: SeedMean
    odd_one_out: SeedMean
    differences: dict[str, SeedMean]


def from_verbs() -> tuple[list[Line], Metric]:
    """Every finished cell of the experiments, means over seeds, and the ceiling."""
    found = [open_experiment(path) for path in EXPERIMENTS if (path / "experiment.yaml").is_file()]
    first = found[0]
    controls = dict(low_level(first))
    lines = [
        line(experiment, model, condition, controls, twin_of(found, model, condition))
        for experiment in found
        for model in experiment.config.models
        for condition in DONE
        if trained_otherwise(experiment, model, condition)
    ]
    results = next(cell for cell in first.cells).results()
    return lines, results["held-out-pairs"].metrics["rsa_ceiling"]


def trained_otherwise(experiment: Experiment, model: str, condition: Condition) -> bool:
    """Whether the cells are there, and those of ``transform-only`` are not the same: some models have no adapters."""
    cells = experiment.find(model, condition)
    same = experiment.find(model, Condition.TRANSFORM_ONLY) and condition is not Condition.TRANSFORM_ONLY
    return bool(cells) and not (trains_transform(cells) and same)


def trains_transform(cells: Mapping[int, Cell]) -> bool:
    """Whether what is trained is a transform of frozen embeddings."""
    first = next(iter(cells.values()))
    return first.condition is not Condition.BASE and first.config.transform is not None


def state(cells: Mapping[int, Cell]) -> str:
    """What was done to the model."""
    first = next(iter(cells.values()))
    if trains_transform(cells):
        return DONE[Condition.TRANSFORM_ONLY]
    return (
        "trained"
        if first.config.lora is None and first.condition is Condition.HYBRID
        else DONE[first.condition]
    )


def rdms(experiment: Experiment, model: str, condition: Condition) -> dict[int, _Rdm]:
    """Seed -> distances between the 54 clips."""
    found = experiment.base(model) if condition is Condition.BASE else experiment.tuned(model, condition)
    return {seed: experiment.held_out(one) for seed, one in found.items()}


def twin_of(found: list[Experiment], model: str, condition: Condition) -> dict[int, _Rdm]:
    """Distances of the random twin, frozen or trained in the same way; empty where there is none."""
    of = [experiment for experiment in found if TWINS.get(model) in experiment.config.models]
    return rdms(of[0], TWINS[model], condition) if of else {}


def low_level(experiment: Experiment) -> Iterator[tuple[str, _Rdm]]:
    """Distances of the low-level models, as they are and tuned (a transform, under every condition)."""
    for name in ("pixels", "motion"):
        yield name, experiment.held_out(experiment.low_level(experiment.config.models[name].model))
        for tuned in list(rdms(experiment, name, Condition.HYBRID).values())[:1]:
            yield f"tuned {name}", tuned


def line(
    experiment: Experiment,
    model: str,
    condition: Condition,
    controls: Mapping[str, _Rdm],
    twin: Mapping[int, _Rdm],
) -> Line:
    """One encoder under one condition."""
    bases, own = rdms(experiment, model, Condition.BASE), rdms(experiment, model, condition)
    what = state(experiment.find(model, condition))
    protocol = select_protocol("held-out-pairs", experiment.study.stimuli, experiment.study.trials)

    def beside(seed: int) -> dict[str, _Rdm]:
        frozen = bases.get(seed, bases[min(bases)])
        twins = {"random twin": twin.get(seed, twin[min(twin)])} if twin else {}
        given = {"frozen": frozen, **controls, **twins}
        same = {"frozen", model} if condition is Condition.BASE else {f"tuned {model}"}
        return {name: rdm for name, rdm in given.items() if name not in same}

    compared = {
        seed: Comparison.of(protocol, np.stack([rdm, *beside(seed).values()])) for seed, rdm in own.items()
    }

    def mean(measure: str) -> SeedMean:
        return SeedMean.of({seed: one.metrics(0)[measure] for seed, one in compared.items()})

    differences = {
        name: SeedMean.of({seed: one.difference(0, k)["rsa_spearman"] for seed, one in compared.items()})
        for k, name in enumerate(beside(min(own)), 1)
    }
    return Line(model, what, mean("rsa_spearman"), mean("odd_one_out_3afc"), differences)


def from_choices() -> dict[str, CrossValidation]:
    """Encoders tuned on the choices themselves, frozen or already tuned on the verbs (a linear transform has no seed)."""

    def on_verbs(condition: Condition, seed: str) -> str:
        return f"model=features:{VERBS}/cells/tiny-videomae/{condition}/seed-{seed}/tuned.safetensors"

    adapted = ["transform=null", "lora={rank: 8, alpha: 8, layers: all}", "epochs=40", "micro_batch=64"]
    rate = [
        "optimizer.learning_rate=0.01",
        "optimizer.weight_decay=0.01",
        "optimizer.warmup=3",
        "validation.fraction=0",
    ]
    wanted = {
        "pixels, linear transform": ["model=pixels:grey"],
        "motion, linear transform": ["model=motion:energy"],
        "tiny-videomae, linear transform": ["model=tiny-videomae"],
        "tiny-videomae, LoRA": ["model=tiny-videomae", *adapted, *rate],
        "vit, linear transform": [f"model={VIT}"],
        "tiny-videomae, verbs (linear transform), then choices": [on_verbs(Condition.TRANSFORM_ONLY, "0")],
        "tiny-videomae, verbs (LoRA), then choices": [on_verbs(Condition.HYBRID, "{seed}")],
    }
    return {
        name: cross_validate(load_config(CHOICES, keys), RUNS / slug(name)) for name, keys in wanted.items()
    }


def slug(name: str) -> str:
    """A name as a folder."""
    return "".join(c if c.isalnum() else "-" for c in name).strip("-").replace("--", "-")


def text_of(metric: Metric | None, signed: bool = False) -> str:
    """A value with its interval; empty where there is none."""
    if metric is None:
        return ""
    low, high = number(metric.low, signed), number(metric.high, signed)
    return f"{number(metric.value, signed)} [{low}, {high}]"


def verbs_table(lines: list[Line]) -> str:
    """The best first."""
    header = [
        "encoder",
        "trained",
        "RSA, Spearman",
        *(f"− {name}" for name in COLUMNS),
        "odd one out",
        "seeds",
    ]
    rows = [header, ["---"] * len(header)]
    for one in sorted(lines, key=lambda one: -one.rsa.value):
        differences = [text_of(one.differences.get(name), True) for name in COLUMNS]
        rows.append(
            [
                one.encoder,
                one.state,
                text_of(one.rsa),
                *differences,
                text_of(one.odd_one_out),
                str(len(one.rsa.seeds)),
            ]
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def summary_table(lines: list[Line]) -> str:
    """For the README: each encoder frozen, with a transform and adapted; its best state minus frozen and minus tuned pixels."""
    states = ("frozen", "linear transform", "LoRA")
    rows = [
        f"| RSA, Spearman | {' | '.join(states)} | best − frozen | best − tuned pixels |",
        "|---|---|---|---|---|---|",
    ]
    best: dict[str, Line] = {}
    for one in sorted(lines, key=lambda one: -one.rsa.value):
        best.setdefault(one.encoder, one)
    for encoder, top in best.items():
        own = {one.state: one.rsa for one in lines if one.encoder == encoder}
        cells = [encoder, *(text_of(own.get(name)) for name in states)]
        cells += [text_of(top.differences.get(name), True) for name in ("frozen", "tuned pixels")]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def choices_table(found: Mapping[str, CrossValidation]) -> str:
    """As listed."""
    rows = ["| encoder | before | tuned on choices | difference |", "|---|---|---|---|"]
    rows += [
        f"| {name} | {text_of(one.base)} | {text_of(one.tuned)} | {text_of(one.difference, True)} |"
        for name, one in found.items()
    ]
    return "\n".join(rows)


def figure(lines: list[Line], ceiling: Metric) -> ForestFigure:
    """Encoders as rows, the best first: frozen, transform, LoRA."""
    best: dict[str, float] = {}
    for one in lines:
        best[one.encoder] = max(best.get(one.encoder, -1.0), one.rsa.value)
    rows = tuple(
        ForestRow(encoder, tuple(estimates(lines, encoder)))
        for encoder in sorted(best, key=lambda name: -best[name])
    )
    axis = "Spearman correlation with people, 95\u00a0% interval"
    return ForestFigure((ForestPanel("From verbs to choices", axis, rows, ceiling.value, "noise ceiling"),))


def estimates(lines: list[Line], encoder: str) -> Iterator[Estimate]:
    """The states of an encoder that a figure shows."""
    for one in lines:
        if one.encoder == encoder and one.state in _ROLES:
            yield Estimate.of(one.state, one.rsa, _ROLES[one.state])


def main() -> None:
    lines, ceiling = from_verbs()
    choices = from_choices()
    draw(figure(lines, ceiling), FIGURE)
    write_text(README, between(README.read_text(encoding="utf-8"), "heider-simmel", summary_table(lines)))
    page = between(PAGE.read_text(encoding="utf-8"), "verbs", verbs_table(lines))
    write_text(PAGE, between(page, "choices", choices_table(choices)))
    from_cv = {name: one.to_json() for name, one in choices.items()}
    from_lines = [one.to_json() for one in lines]
    write_json(RESULTS, {"verbs": from_lines, "ceiling": ceiling.to_json(), "choices": from_cv})


if __name__ == "__main__":
    main()
