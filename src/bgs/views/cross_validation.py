"""Table of a cross-validation: pooled over folds, and for each repeat."""

from __future__ import annotations

from statistics import mean

from rich.console import Group, RenderableType

from bgs.runs import CrossValidation
from bgs.views.console import table
from bgs.views.numbers import number


def cross_validation_view(result: CrossValidation) -> Group:
    """The pooled results and the mean of each repeat."""
    settings = result.provenance["config"]["cross_validation"]
    rows = [
        (
            name,
            number(metric.value, True),
            f"{number(metric.low, True)} to {number(metric.high, True)}",
            f"{metric.n:,}",
        )
        for name, metric in (
            ("base", result.base),
            ("tuned", result.tuned),
            ("tuned − base", result.difference),
        )
    ]
    title = f"Held-out RSA, Spearman: {settings['folds']} folds × {settings['repeats']} repeats"
    parts: list[RenderableType] = [table(title, ("", "value", "95 % interval", "n"), rows, numbers=(1, 2, 3))]
    for repeat in range(settings["repeats"]):
        own = [fold for fold in result.folds if fold["repeat"] == repeat]
        means = {name: mean(fold[name] for fold in own) for name in ("base", "tuned")}
        parts.append(
            f"repeat {repeat}: base {number(means['base'], True)}, tuned {number(means['tuned'], True)}"
        )
    n_clips = result.provenance["n_clips"]
    parts.append(f"Intervals resample {n_clips} clips; n: held-out pairs over all folds and repeats.")
    return Group(*parts)
