"""The report of an experiment: one page and its files, from what the experiment left on disk."""

from bgs.experiments.page.assemble import (
    CHAPTERS,
    experiment_page,
    read_results,
    report_experiment,
    write_report,
)
from bgs.experiments.page.chapter import Chapter, Findings
from bgs.experiments.page.source import Source

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
