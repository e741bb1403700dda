"""Trial schedules: which clips each participant sees, in which order."""

from bgs.collection.design.adaptive import informative_triplets, people_ensemble
from bgs.collection.design.planning import make_schedule
from bgs.collection.design.settings import METHODS, REPEATS_IN, SPLITS, DesignSettings
from bgs.collection.schedule import Coverage, Schedule, Shown
from bgs.collection.schedule_table import read_schedule, write_schedule

__all__ = [
    "METHODS",
    "REPEATS_IN",
    "SPLITS",
    "Coverage",
    "DesignSettings",
    "Schedule",
    "Shown",
    "informative_triplets",
    "make_schedule",
    "people_ensemble",
    "read_schedule",
    "write_schedule",
]
