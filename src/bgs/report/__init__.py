"""Reports: figures as frozen specs and what draws them, sentences for numbers, and one self-contained page.

Nothing here imports matplotlib, jinja2 or Pillow before something is drawn or written.
"""

from bgs.report.artifacts import write_artifacts
from bgs.report.clip_map import ClipMapFigure, clip_map
from bgs.report.draw import draw, draw_gap, render
from bgs.report.estimate import Estimate
from bgs.report.forest import ForestFigure, ForestPanel, ForestRow
from bgs.report.gap import GapFigure, GapPanel, gap_panel
from bgs.report.page import FigureBlock, Page, Section, Table, TripletBlock
from bgs.report.parts import PartsFigure, PartsPanel
from bgs.report.rdms import RdmFigure, rdm_figure
from bgs.report.sentences import (
    beyond_sentence,
    ceiling_sentence,
    change_sentence,
    contrast_sentence,
    level_sentence,
)
from bgs.report.triplets import TripletClip, TripletSpec, triplet_spec
from bgs.report.vocabulary import OBSERVERS, PEOPLE, Vocabulary
from bgs.report.write import write_page

__all__ = [
    "OBSERVERS",
    "PEOPLE",
    "ClipMapFigure",
    "Estimate",
    "FigureBlock",
    "ForestFigure",
    "ForestPanel",
    "ForestRow",
    "GapFigure",
    "GapPanel",
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
    "write_page",
]
