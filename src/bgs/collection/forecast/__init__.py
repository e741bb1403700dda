"""What a schedule will cost and yield: forecast before anybody is paid, from SIMULATED people."""

from bgs.collection.forecast.calibration import Existing, calibrated_worlds, reliability_at
from bgs.collection.forecast.cost import Cost, CostSettings, cost_of
from bgs.collection.forecast.forecast import Expected, Forecast, Range, forecast
from bgs.collection.forecast.found import FoundCurve, FoundPoint

__all__ = [
    "Cost",
    "CostSettings",
    "Existing",
    "Expected",
    "Forecast",
    "FoundCurve",
    "FoundPoint",
    "Range",
    "calibrated_worlds",
    "cost_of",
    "forecast",
    "reliability_at",
]
