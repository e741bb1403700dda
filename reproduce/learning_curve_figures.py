"""How many judgments does the method need? Writes docs/learning-curves.md's table and figure, and the README's.

    bgs experiment configs/learning-curve-minilm.yaml --out experiments/learning-curve-minilm
    bgs experiment configs/heider-simmel-learning-curve.yaml --out experiments/heider-simmel-learning-curve
    python reproduce/learning_curve_figures.py

Reads the results of these experiments; `make learning-curves` runs all of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from page_tables import between

from bgs._files import write_bytes, write_text
from bgs.experiments.chapters.context import estimate
from bgs.experiments.chapters.kept import read
from bgs.experiments.chapters.learning_curve import LEARNING_CURVE
from bgs.experiments.chapters.learning_curve.curves import ModelCurves
from bgs.experiments.experiment import open_experiment
from bgs.reports import CurveFigure, CurvePanel, CurvePoint
from bgs.reports.rendering import render_panels

ROOT = Path(__file__).parents[1]
README, PAGE = ROOT / "README.md", ROOT / "docs/learning-curves.md"
FIGURES = ROOT / "docs/figures"


@dataclass(frozen=True)
class Source:
    """An experiment, its model, and what its curves are called.

    Attributes:
        folder: of the experiment.
        model: its name there.
        called: in the table.
        less: what there was less of -> how the panel calls it.
        judged: what is counted.
    """

    folder: Path
    model: str
    called: str
    less: dict[str, str]
    judged: str


SOURCES = (
    Source(
        Path("experiments/learning-curve-minilm"),
        "minilm",
        "MiniLM on captions, odd-one-out choices",
        {
            "trials": "captions, fewer choices",
            "participants": "captions, fewer people",
            "clips": "captions, fewer clips",
        },
        "choices",
    ),
    Source(
        Path("experiments/heider-simmel-learning-curve"),
        "vit-16",
        "ViT-S/14 on animations, verbs chosen for them",
        {"participants": "animations, fewer people", "clips": "animations, fewer clips"},
        "verbs",
    ),
)
#: Panels of the figure: what both data sets can have less of.
DRAWN = ("participants", "clips")


Found = tuple[tuple[Source, ModelCurves], ...]


def curves_of(source: Source) -> ModelCurves:
    """The stored result.

    Raises:
        BgsError: the experiment has not been run.
    """
    return read(open_experiment(source.folder), LEARNING_CURVE).models[source.model]


def panels(found: Found) -> Iterator[CurvePanel]:
    """A panel for each data set and for each kind of less."""
    for source, curves in found:
        for along in DRAWN:
            points = tuple(
                CurvePoint(point.judgments, estimate("", point.rsa)) for point in curves.curves[along]
            )
            ceiling = math.nan if curves.ceiling is None else curves.ceiling.value
            yield CurvePanel(
                source.less[along], f"{source.judged} to train on", "held-out RSA (Spearman)", points,
                curves.base.value, ceiling, curves.enough[along].judgments,
            )  # fmt: skip


def rows(found: Found) -> Iterator[str]:
    """Lines of the table."""
    yield "| model, judgments | less of | all of them | gain from all | 90 % of it with | over draws |"
    yield "|---|---|---|---|---|---|"
    for source, curves in found:
        for along, enough in curves.enough.items():
            gain = curves.curves[along][-1].gain
            least, most = (f"{value:,.0f}" for value in (enough.least, enough.most))
            yield (
                f"| {source.called} | {along} | {enough.of:,.0f} | "
                f"{gain.words(signed=True)} | {enough.judgments:,.0f} "
                f"({enough.judgments / enough.of:.0%}) | {least} to {most} |"
            )


def points(found: Found) -> Iterator[str]:
    """Lines of the page's table: every size of every curve."""
    yield "| model, judgments | less of | share | judgments | held-out RSA | tuned − base |"
    yield "|---|---|---|---|---|---|"
    for source, curves in found:
        for along, sizes in curves.curves.items():
            for point in sizes:
                yield (
                    f"| {source.called} | {along} | {point.share:.0%} | {point.judgments:,.0f} | "
                    f"{point.rsa.words()} | {point.gain.words(signed=True)} |"
                )


def main() -> None:
    """Write figure and tables."""
    found = tuple((source, curves_of(source)) for source in SOURCES)
    names = [f"learning-curve-{source.judged}-{along}.svg" for source, _ in found for along in DRAWN]
    # A file for each panel, over the same range: side by side on a desk, one above the other on a phone.
    for name, content in zip(names, render_panels(CurveFigure(tuple(panels(found)))), strict=True):
        write_bytes(FIGURES / name, content)
    table = "\n".join(rows(found))
    write_text(README, between(README.read_text(encoding="utf-8"), "learning-curves", table))
    page = between(PAGE.read_text(encoding="utf-8"), "enough", table)
    write_text(PAGE, between(page, "points", "\n".join(points(found))))


if __name__ == "__main__":
    main()
