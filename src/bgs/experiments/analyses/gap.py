"""The results table: how far models are from people, before and after, beside captions and noise ceiling."""

from __future__ import annotations

from typing import Any

from bgs.experiments.experiment_data import ExperimentData
from bgs.experiments.tabulate import results_table


def gap(data: ExperimentData) -> dict[str, Any]:
    """Every condition of every model, with differences and ceilings; see :mod:`bgs.experiments.results`."""
    return results_table(data).to_json()
