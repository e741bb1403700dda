"""The report of an experiment: one page and its files, from what the experiment left on disk."""

from bgs.experiment.page.assemble import (
    CHAPTERS,
    experiment_page,
    read_results,
    report_experiment,
    write_report,
)
from bgs.experiment.page.chapter import Chapter, Findings
from bgs.experiment.page.source import Source

__all__ = [
    "CHAPTERS",
    "Chapter",
    "Findings",
    "Source",
    "experiment_page",
    "read_results",
    "report_experiment",
    "write_report",
]
