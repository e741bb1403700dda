"""Reports: plots as frozen specs, and what draws them."""

from bgs.report.gap import Estimate, GapFigure, GapPanel

__all__ = ["Estimate", "GapFigure", "GapPanel"]
