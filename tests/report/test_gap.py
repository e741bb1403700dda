"""The gap figure as a spec: numbers, words and refusals; drawn once to see that it can be."""

from __future__ import annotations

import pytest

from bgs import BgsError
from bgs.evaluation import Metric, Result
from bgs.reports import GapFigure
from bgs.reports.gap import gap_panel
from bgs.reports.rendering import draw_gap


def result(tuned: float, protocol: str = "held-out-pairs", base: float | None = 0.2) -> Result:
    def metrics(value: float) -> dict[str, Metric]:
        return {"rsa_spearman_squared": Metric(value, value - 0.1, value + 0.1, 10, "rho squared")}

    ceiling = {"rsa_ceiling_squared": Metric(0.5, 0.4, 0.6, 10, "rho squared")}
    against = metrics(base) if base is not None else {}
    return Result(protocol, metrics(tuned) | ceiling, {}, against_metrics=against)


def test_seeds_are_averaged_and_kept_as_points():
    panel = gap_panel([result(0.3), result(0.4)], published={"others": 0.1})
    base, tuned = panel.rows
    assert (base.value, base.points) == (0.2, ())
    assert tuned.value == pytest.approx(0.35)
    assert (tuned.low, tuned.high) == (pytest.approx(0.25), pytest.approx(0.45))
    assert tuned.points == (0.3, 0.4)
    assert panel.ceiling is not None
    assert panel.ceiling.value == 0.5
    assert panel.published[0].label == "others"


def test_the_alternative_text_says_what_the_picture_shows():
    text = GapFigure((gap_panel([result(0.3)]),), "source").describe()
    assert "Every pair of held-out clips" in text
    assert "tuned on people 0.300 [0.200, 0.400]" in text
    assert "ceiling 0.500" in text


@pytest.mark.parametrize("results", [[], [result(0.3), result(0.3, "all")], [result(0.3, base=None)]])
def test_results_that_make_no_panel(results):
    with pytest.raises(BgsError, match="do not make a panel"):
        gap_panel(results)


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_it_can_be_drawn(tmp_path, suffix):
    path = tmp_path / f"gap.{suffix}"
    draw_gap(GapFigure((gap_panel([result(0.3), result(0.31)], published={"x": 0.1}),) * 2, "source"), path)
    assert path.stat().st_size > 5_000
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
