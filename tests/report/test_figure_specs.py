"""Forests, parts, triplets, estimates and colours as specs; every figure can be drawn, small and deterministic."""

from __future__ import annotations

import math
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from contextlib import contextmanager
from itertools import combinations

import numpy as np
import pytest
from matplotlib.text import Text
from report_pages import LABELS, N, estimate, forest, gap, parts, pictures, rdms

from bgs import BgsError
from bgs.evaluation import Metric, model_rdm
from bgs.evaluation.disagreement import Disagreement
from bgs.reports import (
    Estimate,
    ForestFigure,
    ForestPanel,
    ForestRow,
    GapFigure,
    GapPanel,
    TripletClip,
    TripletSpec,
    clip_map,
    draw,
    rdm_figure,
    render,
    triplet_spec,
)
from bgs.reports.drawing.canvas import blank_figure
from bgs.reports.palette import BLUE, GREEN, GREY, ORANGE, group_colours, role_colours
from bgs.reports.reliability import ReliabilityFigure, ReliabilityPanel
from bgs.reports.rendering import _PAINTERS, render_panels
from bgs.reports.svg import svg_width

FIGURES = {
    "gap": gap,
    "forest": forest,
    "parts": parts,
    "rdms": lambda: rdm_figure(rdms(), LABELS),
    "map": lambda: clip_map(rdms(), [f"clip-{k}" for k in range(N)], pictures(), LABELS),
}


def test_an_estimate_of_one_metric_and_of_several_seeds():
    metrics = [Metric(v, v - 0.1, v + 0.1, 9, "rho") for v in (0.2, 0.4)]
    assert Estimate.of("a", metrics[0], "base") == Estimate("a", 0.2, 0.1, 0.2 + 0.1, (), "base")
    mean = Estimate.of("a", metrics)
    assert (mean.value, mean.points) == (pytest.approx(0.3), (0.2, 0.4))
    assert mean.words() == "a .30 [.20, .40]"
    assert Estimate("b", 0.5, math.nan, math.nan).words() == "b .50"
    with pytest.raises(BgsError, match="no metric"):
        Estimate.of("a", [])


def test_a_role_has_its_colour_wherever_it_stands():
    assert role_colours(["captions", "base", "tuned", "tuned"]) == (ORANGE, GREY, BLUE, GREEN)
    assert role_colours(["base", "tuned"]) == (GREY, BLUE)
    assert role_colours(["", "", "", ""]) == (GREY, BLUE, GREEN, GREY)
    assert len(set(role_colours(["tuned", "control", "control", "base"]))) == 4
    assert list(group_colours(["x", "y", "x"])) == ["x", "y"]


def test_forest_words_and_key():
    panel = forest().panels[0]
    assert [series.label for series in panel.series] == ["base", "tuned"]
    text = forest().describe()
    assert "valence: base .10 [.05, .15], tuned .40 [.35, .45], chance .05" in text
    assert "line at .00 nothing" in text


def test_parts_words_and_common_range():
    figure = parts()
    assert figure.limits == (pytest.approx(-0.07), pytest.approx(0.28))
    assert "shared −.020 [−.070, .030]" in figure.describe()
    assert "together .230" in figure.describe()


def clip(name: str) -> TripletClip:
    return TripletClip(name, np.zeros((2, 4, 4, 3), dtype=np.uint8))


def test_triplet_words_and_choosers():
    spec = TripletSpec((clip("a"), clip("b"), clip("c")), {"tuned": 2, "people": 2, "base": 0})
    assert spec.choosers(2) == ("people", "tuned")
    assert spec.choosers(1) == ()
    assert spec.describe() == "a, b, c: people left out c; base left out a; tuned left out c"
    with pytest.raises(BgsError, match="not a choice"):
        TripletSpec(spec.clips, {"people": 3})
    with pytest.raises(BgsError, match="not a choice"):
        TripletSpec(spec.clips, {"nobody": 0})


def test_a_triplet_of_a_disagreement():
    found = Disagreement((1, 3, 4), (0, 3, 1), 1, 0, 1, 0.755)
    frames = {k: np.full((2, 4, 4, 3), k, dtype=np.uint8) for k in (1, 3, 4)}
    spec = triplet_spec(found, list("abcde"), frames, [f"caption {k}" for k in range(5)])
    assert [(c.name, c.caption, c.frames.max()) for c in spec.clips] == [
        ("b", "caption 1", 1), ("d", "caption 3", 3), ("e", "caption 4", 4),
    ]  # fmt: skip
    assert dict(spec.odd) == {"people": 1, "base": 0, "tuned": 1}
    assert spec.note.startswith("Chosen by 3 of 4 people;")
    with pytest.raises(BgsError, match="no frames"):
        triplet_spec(found, list("abcde"), {1: frames[1]})


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_drawn_small_well_formed_and_the_same_each_time(name):
    figure = FIGURES[name]()
    whole = render(figure, "svg")
    assert len(whole) < 150_000
    assert render(figure, "svg") == whole
    root = ET.fromstring(whole)
    assert root.find("{http://www.w3.org/2000/svg}title").text == figure.describe()
    panels = render_panels(figure)
    assert len(panels) == len(figure.panels)
    for panel in panels:
        ET.fromstring(panel)
        addresses = set(re.findall(r"https?://[^\"'<>\s]+", panel.decode()))
        assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert render(figure, "png").startswith(b"\x89PNG")


def test_a_large_matrix_stays_small():
    values = np.random.default_rng(0).normal(size=(200, 20))
    (panel,) = render_panels(rdm_figure({"people": model_rdm(values)}))
    assert len(panel) < 150_000


def test_undefined_numbers_and_hostile_labels_can_be_drawn(tmp_path):
    nothing = Estimate("$a$ <b> & _x_", math.nan, math.nan, math.nan)
    figure = GapFigure((GapPanel("$t$", "x", (nothing, estimate("b", 0.2)), nothing),))
    text = render(figure, "svg").decode()
    ET.fromstring(text)
    assert "$a$ &lt;b&gt; &amp; _x_" in text
    draw(ForestFigure((ForestPanel("t", "x", (ForestRow("r", (nothing,)),)),)), tmp_path / "f.png")
    assert (tmp_path / "f.png").is_file()


@pytest.mark.filterwarnings("ignore:Glyph")
def test_characters_that_xml_cannot_hold_are_left_out():
    text = render(GapFigure((GapPanel("t\x1b\x00\uffff", "x", (estimate("b\x08", 0.2),), None),)), "svg")
    assert ET.fromstring(text) is not None
    assert b">b</text>" in text
    pictures = np.zeros((3, 4, 4, 3), dtype=np.uint8)
    maps = clip_map({"people": 1 - np.eye(3)}, ["a\x07", "b", "c"], pictures)
    assert b"<title>a</title>" in render(maps, "svg")
    ET.fromstring(render(maps, "svg"))


def test_refusals(tmp_path):
    with pytest.raises(BgsError, match="svg or png"):
        draw(gap(), tmp_path / "gap.pdf")
    with pytest.raises(BgsError, match="without panels"):
        render(GapFigure(()))
    assert list(tmp_path.iterdir()) == []


def test_importing_reports_loads_nothing_heavy():
    code = "import sys, bgs.reports; print([m for m in ('matplotlib', 'jinja2', 'PIL', 'torch', 'sklearn') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


ROWS_FIGURES = {
    "gap": gap,
    "parts": parts,
    "forest of three series, some labels long": lambda: ForestFigure(
        (
            ForestPanel(
                "A title that is longer than a panel is wide on a phone", "an axis whose words take more than one line of it",
                tuple(_three_series(name) for name in ("valence", "hybrid - language-distillation", "arousal")), 0.0,
                "no difference at all",
            ),
            ForestPanel("Short labels", "r", tuple(_three_series(name) for name in ("valence", "nuisance hue"))),
        ),
        "A footnote.",
    ),
}  # fmt: skip


def _three_series(name: str) -> ForestRow:
    """Three estimates at one place: whatever overlaps anywhere overlaps here."""
    roles = {"base": "base", "tuned": "tuned", "distilled from captions": "control"}
    series = [Estimate(label, 0.3, 0.2, 0.4, (0.28, 0.3, 0.33), role) for label, role in roles.items()]
    return ForestRow(name, tuple(series), 0.1)


@contextmanager
def painted(figure, panel):
    """The axes of one panel, laid out as on a page."""
    painter = _PAINTERS[type(figure)]
    with blank_figure(painter.width, painter.height(panel)) as canvas:
        axes = canvas.subplots()
        painter.paint(axes, figure, panel)
        canvas.draw_without_rendering()
        yield axes


def _points(artist):
    """(left, bottom, right, top) of what is drawn, in points."""
    return np.array(artist.get_window_extent().extents) * 72 / artist.get_figure(root=True).dpi


def _drawn_texts(axes):
    """Every text but the labels of ticks beyond the axis, which matplotlib keeps and never draws."""
    low, high = axes.get_xlim()
    beyond = {label for label in axes.get_xticklabels() if not low <= label.get_position()[0] <= high}
    texts = axes.figure.findobj(lambda artist: isinstance(artist, Text) and artist.get_visible())
    return [text for text in texts if text.get_text().strip() and text not in beyond]


@pytest.mark.parametrize("name", ROWS_FIGURES)
def test_rows_are_legible_on_a_phone(name):
    """At 390 px a panel is 327 px wide: at its own size, with letters of 11 px and more, none cut off or on others."""
    figure = ROWS_FIGURES[name]()
    for panel, svg in zip(figure.panels, render_panels(figure), strict=True):
        assert svg_width(svg) <= 327
        with painted(figure, panel) as axes:
            texts = _drawn_texts(axes)
            assert min(text.get_fontsize() for text in texts) * 96 / 72 >= 11
            boxes = {text.get_text(): _points(text) for text in texts}
            width, height = np.array(axes.figure.get_size_inches()) * 72
            for left, bottom, right, top in boxes.values():
                assert min(left, bottom, width - right, height - top) > -1
            for (one, a), (other, b) in combinations(boxes.items(), 2):
                apart = max(a[0] - b[2], b[0] - a[2], a[1] - b[3], b[1] - a[3])
                assert apart > -1.5, (one, other)


@pytest.mark.parametrize("name", [name for name in ROWS_FIGURES if name != "parts"])
def test_ticks_of_seeds_lie_clear_of_all_dots(name):
    figure = ROWS_FIGURES[name]()
    for panel in figure.panels:
        with painted(figure, panel) as axes:
            heights = {"o": [], "|": []}
            for line in axes.lines:
                if line.get_marker() in heights:
                    middle = line.get_transform().transform(line.get_xydata())[0, 1] * 72 / axes.figure.dpi
                    half = line.get_markersize() / 2
                    heights[line.get_marker()].append((middle - half, middle + half))
            assert heights["o"]
            for low, high in heights["|"]:
                assert all(low >= top or high <= bottom for bottom, top in heights["o"])


def test_a_reliability_diagram_is_drawn_and_described():
    points = ((0.1, Estimate("", 0.15, 0.1, 0.2)), (0.6, Estimate("", 0.55, 0.5, 0.7)))
    figure = ReliabilityFigure((ReliabilityPanel("MiniLM", "predicted", "observed", points, 0.33),), "a note")
    assert figure.limit == 0.7
    assert (
        figure.describe()
        == "MiniLM (observed by predicted): .10: .15 [.10, .20]; .60: .55 [.50, .70]. a note."
    )
    svg = render(figure).decode()
    for text in ("MiniLM", "perfect", "all pairs", "predicted"):
        assert text in svg
