"""Reports: figures as frozen specs and what draws them, sentences for numbers, and one self-contained page.

Nothing here imports matplotlib, jinja2 or Pillow before something is drawn or written.
"""

from bgs.reports.artifacts import write_artifacts
from bgs.reports.clip_maps import ClipMapFigure, clip_map
from bgs.reports.curves import CurveFigure, CurvePanel, CurvePoint
from bgs.reports.estimate import Estimate
from bgs.reports.forest import ForestFigure, ForestPanel, ForestRow
from bgs.reports.gap import GapFigure, GapPanel, gap_panel
from bgs.reports.markdown import write_markdown
from bgs.reports.opening import Opening
from bgs.reports.page import FigureBlock, Headline, Page, Section, Table, TripletBlock
from bgs.reports.parts import PartsFigure, PartsPanel
from bgs.reports.rdms import RdmFigure, rdm_figure
from bgs.reports.rendering import draw, draw_gap, render
from bgs.reports.sentences import (
    beyond_sentence,
    ceiling_sentence,
    change_sentence,
    contrast_sentence,
    level_sentence,
)
from bgs.reports.triplets import TripletClip, TripletSpec, triplet_spec
from bgs.reports.vocabulary import OBSERVERS, PEOPLE, Vocabulary
from bgs.reports.write import write_page

__all__ = [
    "OBSERVERS",
    "PEOPLE",
    "ClipMapFigure",
    "CurveFigure",
    "CurvePanel",
    "CurvePoint",
    "Estimate",
    "FigureBlock",
    "ForestFigure",
    "ForestPanel",
    "ForestRow",
    "GapFigure",
    "GapPanel",
    "Headline",
    "Opening",
    "Page",
    "PartsFigure",
    "PartsPanel",
    "RdmFigure",
    "Section",
    "Table",
    "TripletBlock",
    "TripletClip",
    "TripletSpec",
    "Vocabulary",
    "beyond_sentence",
    "ceiling_sentence",
    "change_sentence",
    "clip_map",
    "contrast_sentence",
    "draw",
    "draw_gap",
    "gap_panel",
    "level_sentence",
    "rdm_figure",
    "render",
    "triplet_spec",
    "write_artifacts",
    "write_markdown",
    "write_page",
]
