"""What is asked of the trained cells: a registry of analyses, each with a result of its own."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from bgs._errors import ConfigError
from bgs._files import write_json
from bgs.experiment.cells import message_of
from bgs.experiment.config import ExperimentConfig
from bgs.experiment.experiment_data import ExperimentData
from bgs.experiment.tabulate import results_table
from bgs.objective.settings import changed_keys

#: From the data of an experiment to a JSON value.
Analysis = Callable[[ExperimentData], Any]


def gap(data: ExperimentData) -> dict[str, Any]:
    """How far models are from people, before and after, beside captions and noise ceiling."""
    return results_table(data).to_json()


#: Name, as in the section ``analyses`` -> analysis.
REGISTRY: dict[str, Analysis] = {"gap": gap}


def wanted_analyses(config: ExperimentConfig) -> list[str]:
    """Analyses that are registered and not left out.

    Raises:
        ConfigError: a section is given for an analysis that is not registered.
    """
    for name in sorted(changed_keys(config.analyses)):
        if name not in REGISTRY and getattr(config.analyses, name) is not None:
            raise ConfigError("no such analysis here", where=f"analyses.{name}", expected=", ".join(REGISTRY))
    return [name for name in REGISTRY if getattr(config.analyses, name) is not None]


def run_analyses(data: ExperimentData) -> dict[str, str]:
    """Write ``analyses/<name>.json`` of every analysis wanted: its ``result``, or its ``error``.

    Returns:
        ``analysis <name>`` -> message, of those that failed.
    """
    failed = {}
    for name in wanted_analyses(data.config):
        value: dict[str, Any]
        try:
            value = {"result": REGISTRY[name](data)}
        except Exception as error:  # one analysis must not take the others with it
            lines = "".join(traceback.format_exception(error))
            value = {"error": {"message": message_of(error), "traceback": lines}}
            failed[f"analysis {name}"] = message_of(error)
        write_json(data.folder.analyses / f"{name}.json", value)
    return failed
