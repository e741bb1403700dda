"""A whole page from 12 synthetic clips: three kinds of four, a base model that ignores them, a tuned one that does not."""

from __future__ import annotations

import math

import numpy as np

from bgs._rng import generator
from bgs.evaluation import Metric, disagreements, model_rdm
from bgs.judgments import Trials
from bgs.reports import (
    Estimate,
    FigureBlock,
    ForestFigure,
    ForestPanel,
    ForestRow,
    GapFigure,
    GapPanel,
    Headline,
    Opening,
    Page,
    PartsFigure,
    PartsPanel,
    Section,
    Table,
    TripletBlock,
    change_sentence,
    clip_map,
    rdm_figure,
    triplet_spec,
)

N = 12
LABELS = tuple(np.repeat(["friendly", "neutral", "adversarial"], 4).tolist())
#: Text that would break out of an element, an attribute or a LaTeX cell if it were not escaped.
HOSTILE = """<script>alert("1")</script> & 5 % of $x_1$ "quoted" 'single'"""


def rdms(n: int = N) -> dict[str, np.ndarray]:
    """People with two unseen pairs, base, tuned."""
    rng = generator(0, "report page", n)
    kinds = np.repeat(rng.normal(size=(3, 8)), -(-n // 3), axis=0)[:n] * 1.5
    clips = kinds + rng.normal(size=(n, 8))
    people = model_rdm(clips)
    for first, second in ((0, 5), (2, 9)):
        people[first, second] = people[second, first] = np.nan
    return {
        "people": people,
        "base": model_rdm(rng.normal(size=(n, 8))),
        "tuned": model_rdm(clips + 0.3 * rng.normal(size=(n, 8))),
    }


def pictures(n: int = N, side: int = 48) -> np.ndarray:
    """(n, side, side, 3) noisy pictures: as hard to compress as real ones."""
    rng = generator(1, "pictures", n)
    coarse = rng.integers(0, 256, (n, 8, 8, 3)).repeat(side // 8, 1).repeat(side // 8, 2)
    return np.clip(coarse + rng.integers(-12, 13, coarse.shape), 0, 255).astype(np.uint8)


def estimate(label: str, value: float, role: str = "") -> Estimate:
    return Estimate(label, value, value - 0.05, value + 0.05, role=role)


def trials() -> Trials:
    """Every triplet once, judged by the full geometry of people."""
    people = np.nan_to_num(rdms()["people"], nan=9.0)
    shown = np.array([(a, b, c) for a in range(N) for b in range(a + 1, N) for c in range(b + 1, N)])
    a, b, c = shown.T
    odd = np.column_stack([people[b, c], people[a, c], people[a, b]]).argmin(axis=1)
    m = len(shown)
    return Trials(
        np.array(["p"] * m), np.array(["b"] * m), np.arange(m), shown, odd, np.full(m, np.nan), N
    )  # fmt: skip


def gap() -> GapFigure:
    panel = GapPanel(
        "Held-out pairs", "squared Spearman",
        (estimate("captions", 0.13, "captions"), estimate("base", 0.06, "base"), estimate("tuned", 0.3, "tuned"),
         estimate("shuffled", 0.02, "control")),
        estimate("noise ceiling", 0.5, "ceiling"),
    )  # fmt: skip
    return GapFigure((panel, panel), "95 % intervals")


def forest() -> ForestFigure:
    rows = tuple(
        ForestRow(name, (estimate("base", 0.1, "base"), estimate("tuned", 0.4, "tuned")), chance=0.05)
        for name in ("valence", "arousal")
    )
    return ForestFigure((ForestPanel("Probes", "R²", rows, 0.0, "nothing"),))


def parts() -> PartsFigure:
    bars = (
        estimate("only video", 0.2, "tuned"),
        estimate("shared", -0.02),
        estimate("only captions", 0.05, "captions"),
    )
    return PartsFigure((PartsPanel("Tuned", "R²", bars, estimate("together", 0.23)),))


def triplet_block() -> TripletBlock:
    found = disagreements(trials(), rdms()["base"], rdms()["tuned"], most=2)
    frames = {k: np.stack([picture] * 3) for k, picture in enumerate(pictures(side=64))}
    names, captions = [f"clip-{k}" for k in range(N)], [HOSTILE] * N
    return TripletBlock(
        "Repaired", "Base errs.", tuple(triplet_spec(row, names, frames, captions) for row in found.repaired)
    )


def opening() -> Opening:
    names = {"people": "people", "base": "base model", "tuned": "tuned model"}
    return Opening(
        triplet_block().triplets[0], names, "3 of 4 people", "Base agrees in 40 % [30, 50].", "By a rule."
    )


def metric(value: float) -> Metric:
    return Metric(value, value - 0.1, value + 0.1, 66, "rho")


def page(n: int = N) -> Page:
    """Every kind of block, and hostile text wherever text comes from data."""
    names = [f"clip-{k} {HOSTILE}" for k in range(n)]
    labels = [LABELS[k % N] for k in range(n)]
    maps = clip_map(rdms(n), names, pictures(n), labels)
    table = Table(
        "Agreement", ("model", "rho", "n"),
        ((HOSTILE, metric(0.31), 1225), ("undefined", metric(math.nan), None)),
    )  # fmt: skip
    return Page(
        title="A page " + HOSTILE,
        lead="First paragraph.\n\nSecond paragraph.",
        banner="SIMULATED observers and clips.",
        sections=(
            Section(
                "gap", "The gap", change_sentence(metric(0.2), 0.1, 0.3), (FigureBlock(gap(), "Gap."),), (table,),
                method="One.\n\nTwo.", rerun="bgs evaluate --seed 0", notes=("A note.",),
            ),
            Section(
                "geometry", "Geometry", "Alike.",
                (FigureBlock(rdm_figure(rdms(n), labels), "RDMs."), FigureBlock(maps, "Maps.")),
            ),
            Section("parts", "Parts", "Parts.", (FigureBlock(forest(), "F."), FigureBlock(parts(), "P."))),
            Section("triplets", "Triplets", "Two.", triplets=(triplet_block(),)),
        ),
        opening=opening(),
        headline=Headline(FigureBlock(GapFigure((gap().panels[0],), "95 % intervals"), "The gap."), "Tuning raised it."),
        cost="2 cells, 3 minutes.",
        provenance={"git commit": "abc", "seeds": [0, 1], "data": {"trials": "ff" * 32, "clips": {"n": n}}},
    )  # fmt: skip
