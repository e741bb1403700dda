"""How many judgments the method needs: the same training on fewer trials, participants or clips."""

from __future__ import annotations

import numpy as np

from bgs._numbers import plain
from bgs.experiments.chapters.chapter import Chapter, Findings
from bgs.experiments.chapters.context import Context, estimate, reasons
from bgs.experiments.chapters.learning_curve.curves import (
    LearningCurves,
    LearningCurveSettings,
    ModelCurves,
    Point,
    analyse,
)
from bgs.experiments.chapters.learning_curve.enough import Enough
from bgs.reports import CurveFigure, CurvePanel, CurvePoint, FigureBlock, Table


def present(result: LearningCurves, context: Context) -> Findings:
    """A curve for everything that there was less of, sentences on how many judgments are enough, and the figures."""
    words, panels, tables = list[str](), list[CurvePanel](), list[Table]()
    for model, found in result.models.items():
        words += [_sentence(context, model, along, one, result.judged) for along, one in found.enough.items()]
        panels += [_panel(context, model, found, along, result.judged) for along in found.curves]
        tables.append(_table(context, model, found, result.judged))
    figure = CurveFigure(
        tuple(panels), "Dots are random parts; bars are 95 % intervals over clips and people of their mean."
    )
    block = FigureBlock(figure, "Agreement on held-out clips after training on part of the judgments.")
    return Findings(tuple(words), (block,), tuple(tables), (), reasons(result.not_applicable))


def _sentence(context: Context, model: str, along: str, found: Enough, judged: str) -> str:
    tuned = context.tuned(model)
    if not np.isfinite(found.judgments):
        return f"With fewer {along}: {tuned} does not gain, so that no number of {judged} is enough for it."
    spread = f" ({found.least:,.0f} to {found.most:,.0f} over draws)" if found.most > found.least else ""
    return (
        f"With fewer {along}, {tuned} reaches {found.share:.0%} of its full gain with {found.judgments:,.0f} "
        f"{judged}{spread}, of {found.of:,.0f}."
    )


def _panel(context: Context, model: str, found: ModelCurves, along: str, judged: str) -> CurvePanel:
    points = tuple(CurvePoint(point.judgments, estimate("", point.rsa)) for point in found.curves[along])
    ceiling = found.ceiling.value if found.ceiling is not None else float("nan")
    title = context.called(model, f"fewer {along}")
    return CurvePanel(
        title,
        f"{judged} to train on",
        "held-out RSA (Spearman)",
        points,
        found.base.value,
        ceiling,
        found.enough[along].judgments,
    )


def _table(context: Context, model: str, found: ModelCurves, judged: str) -> Table:
    lines = tuple(
        (
            f"{along}, {point.share:.0%}",
            f"{point.judgments:,.0f}",
            point.rsa,
            point.gain,
            plain(_spread(point), 3),
        )
        for along, points in found.curves.items()
        for point in points
    )
    header = ("trained on", judged, "held-out RSA", "tuned − base", "SD over draws")
    return Table(context.called(model, "Training on part of the judgments"), header, lines, (1, 2, 3, 4))


def _spread(point: Point) -> float:
    values = list(point.rsa.seeds.values())
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


LEARNING_CURVE = Chapter(
    name="learning_curve",
    address="learning-curve",
    title="How many judgments the method needs",
    method=(
        "The training clips' judgments are reduced to random parts: of the trials, of the {judges}, or of the clips. "
        "Parts of one draw are nested. Where judgments are drawn from ratings, ratings become fewer: of the raters of "
        "each clip, or of the clips. Every part is trained on with the same settings; held-out clips and their judgments "
        "stay as they are.\n\n"
        "The number that is enough for 90 % of the gain is interpolated between sizes, on a logarithmic scale."
    ),
    settings=LearningCurveSettings,
    analyse=analyse,
    result=LearningCurves,
    present=present,
    optional=True,
)
