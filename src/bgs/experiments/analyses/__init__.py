"""What is asked of the trained cells: a registry of analyses, each with a result of its own."""

from __future__ import annotations

import difflib
import json
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bgs._config import Settings, changed_keys
from bgs._errors import ConfigError
from bgs._files import read_json, sha256_of, write_json
from bgs._progress import progress_bar
from bgs.experiments.analyses.attention import attention, attention_files
from bgs.experiments.analyses.dimensions import dimensions
from bgs.experiments.analyses.disagreement import disagreement
from bgs.experiments.analyses.gap import gap
from bgs.experiments.analyses.probes import probes
from bgs.experiments.analyses.transfer import transfer, transfer_files
from bgs.experiments.analyses.variance import variance
from bgs.experiments.applicable import NotApplicable
from bgs.experiments.cells import message_of
from bgs.experiments.config import ExperimentConfig
from bgs.experiments.experiment_data import ExperimentData

#: From the data of an experiment to a JSON value; raises :class:`NotApplicable` where there is nothing to analyse.
Analysis = Callable[[ExperimentData], Any]

#: Name, as in the section ``analyses`` -> analysis; see :func:`register`.
REGISTRY: dict[str, Analysis] = {
    "gap": gap,
    "variance": variance,
    "probes": probes,
    "transfer": transfer,
    "attention": attention,
    "dimensions": dimensions,
    "disagreement": disagreement,
}

#: Raised when what an analysis writes takes another form: results of another one are not read, and made anew.
FORM = 3

#: What an analysis rests on besides the experiment itself, as a hash.
_FILES: dict[str, Callable[[ExperimentData], str]] = {
    "transfer": transfer_files,
    "attention": attention_files,
}


def register(name: str, analysis: Analysis) -> None:
    """Add an analysis of one's own, for experiments that this process runs.

    It runs in every experiment, with what stands in the section ``analyses.<name>`` (any keys; {} where there is none;
    ``null`` leaves it out) as ``data.config.analyses.of(name)``. Its result is kept in ``analyses/<name>.json``.

    Args:
        name: of section and file: lower-case letters, digits, hyphens and underscores.
        analysis: from the data of an experiment to a value of JSON types, without NaN; it may raise
            :class:`bgs.experiments.applicable.NotApplicable`. A result is kept as long as settings and data stay the
            same: delete its file where the analysis itself has changed.

    Raises:
        ConfigError: the name cannot be a file's, or is taken.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise ConfigError("not a name of an analysis", where=repr(name), expected="like my-analysis")
    if name in REGISTRY:
        raise ConfigError("there is an analysis of this name", where=name, expected="another name")
    REGISTRY[name] = analysis


def wanted_analyses(config: ExperimentConfig) -> list[str]:
    """Analyses that are registered and not left out.

    Raises:
        ConfigError: a section is given for an analysis that is not registered.
    """
    given = {*changed_keys(config.analyses), *(config.analyses.model_extra or {})}
    for name in sorted(given - REGISTRY.keys()):
        if config.analyses.of(name) is not None:
            close = difflib.get_close_matches(name, REGISTRY, n=1)
            raise ConfigError(
                f"unknown key 'analyses.{name}'", expected=f"one of {', '.join(sorted(REGISTRY))}",
                hint=f"did you mean {close[0]}?" if close else "see bgs.experiments.analyses.register",
            )  # fmt: skip
    return [name for name in REGISTRY if config.analyses.of(name) is not None]


def run_analyses(data: ExperimentData) -> dict[str, str]:
    """Write ``analyses/<name>.json`` of every analysis wanted: its ``result``, ``not_applicable`` or its ``error``.

    A result is kept as long as its settings and everything it was made of stay the same.

    Returns:
        ``analysis <name>`` -> message, of those that failed.
    """
    failed, names, made_of = {}, wanted_analyses(data.config), data.key()
    with progress_bar() as bar:
        for name in bar.track(names, description="analyses"):
            path = data.folder.analyses / f"{name}.json"
            files = _FILES[name](data) if name in _FILES else ""
            key = sha256_of(name, _text(data.config.analyses.of(name)), files, made_of)
            if _is_kept(path, key):
                continue
            value = _attempt(name, data)
            write_json(path, {"form": FORM, "key": key, **value})
            if "error" in value:
                failed[f"analysis {name}"] = value["error"]["message"]
    return failed


def fingerprint(result: Any) -> str:
    """SHA-256 of a result as JSON: whoever reads it sees whether it is as it was written."""
    return sha256_of(json.dumps(result, allow_nan=False, sort_keys=True))


def _text(section: Settings | dict[str, Any] | None) -> str:
    return section.model_dump_json() if isinstance(section, Settings) else json.dumps(section, sort_keys=True)


def _attempt(name: str, data: ExperimentData) -> dict[str, Any]:
    try:
        result = REGISTRY[name](data)
        # What is no JSON fails here, not when all is written.
        return {"result": result, "sha256": fingerprint(result)}
    except NotApplicable as reason:
        return {"not_applicable": message_of(reason)}
    except Exception as error:  # one analysis must not take the others with it
        lines = "".join(traceback.format_exception(error))
        return {"error": {"message": message_of(error), "traceback": lines}}


def _is_kept(path: Path, key: str) -> bool:
    """Whether there is a result of these settings and data; reasons and errors are looked into again."""
    if not path.is_file():
        return False
    found = read_json(path, "delete it: it is then made anew")
    return found.get("form") == FORM and found.get("key") == key and "result" in found
