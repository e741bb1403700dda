"""Puts the chapters of a report together and writes it: page, figures and tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bgs._errors import BgsError
from bgs._files import legible, read_json, require_output
from bgs.experiments.experiment_data import ExperimentData, open_experiment
from bgs.experiments.page.agreement import CEILING, CLOSING, GAP
from bgs.experiments.page.attention import ATTENTION
from bgs.experiments.page.attributes import ATTRIBUTES
from bgs.experiments.page.chapter import Chapter
from bgs.experiments.page.clips import MAP, MATRICES, TRIPLETS
from bgs.experiments.page.dimensions import DIMENSIONS
from bgs.experiments.page.distillation import DISTILLATION
from bgs.experiments.page.source import Source
from bgs.experiments.page.transfer import TRANSFER
from bgs.experiments.page.variance import VARIANCE
from bgs.experiments.results import ResultsTable
from bgs.reports import Page, write_artifacts, write_page

_AGAIN = "bgs experiment makes it anew"

#: The report, in order: the eight results of the paper, then what lies behind them.
CHAPTERS: tuple[Chapter, ...] = (
    GAP, CLOSING, CEILING, VARIANCE, ATTRIBUTES, TRANSFER, ATTENTION, DISTILLATION, DIMENSIONS, MATRICES, MAP, TRIPLETS,
)  # fmt: skip


def report_experiment(
    folder: str | Path, out: str | Path | None = None, *, mirror: str | Path | None = None
) -> Path:
    """Write the report of an experiment that was run; nothing is computed anew.

    Args:
        folder: of the experiment.
        out: HTML file; by default ``report.html`` in the folder.
        mirror: of published data, which the pictures and captions come from.

    Returns:
        The HTML file. Figures and tables lie in a folder of its name beside it.

    Raises:
        BgsError: the folder is no experiment, or one that was not run to its end; its data cannot be loaded.
        MissingExtraError: the extra ``report`` is not installed.
    """
    if out is not None:
        require_output(out, (".html", ".htm"))
    data = open_experiment(folder, mirror)
    return write_report(data, *read_results(data), out)


def read_results(data: ExperimentData) -> tuple[ResultsTable, dict[str, str]]:
    """What an experiment measured, and the errors of what failed, by cell or analysis.

    Raises:
        BgsError: it was not run to its end.
    """
    path = data.folder.results
    if not path.is_file():
        raise BgsError(
            "this experiment has no results yet", where=path.parent, hint="bgs experiment goes on with it"
        )
    with legible(path, _AGAIN):
        found = read_json(path)
        return ResultsTable.from_json(found), dict(found["failed"])


def write_report(
    data: ExperimentData, table: ResultsTable, failed: Mapping[str, str], out: str | Path | None = None
) -> Path:
    """Write page, figures and tables of an experiment; see :func:`report_experiment`."""
    page = experiment_page(data, table, failed)
    path = data.folder.report if out is None else Path(out)
    write_page(page, path)
    write_artifacts(page, path.with_suffix(""))
    return path


def experiment_page(data: ExperimentData, table: ResultsTable, failed: Mapping[str, str]) -> Page:
    """The page of an experiment.

    Args:
        data: the experiment.
        table: its results.
        failed: cell or analysis -> why it failed.
    """
    source, settings = Source(data, table), data.config.report
    rerun = settings.rerun or f"bgs experiment {data.folder.config.name} --out {data.folder.path.name}-again"
    lead = "\n\n".join(
        [settings.lead or _lead(source), *(f"Failed: {name}, {why}." for name, why in failed.items())]
    )
    return Page(
        settings.title or source.words.fill(f"Seeing as {{judges}} do: {', '.join(source.models)}"), lead,
        source.words.banner, tuple(chapter.section(source, rerun) for chapter in CHAPTERS), _provenance(data),
        source.words,
    )  # fmt: skip


def _lead(source: Source) -> str:
    data, words = source.data, source.words
    study, trials = data.study, data.study.trials.judgments
    by = len(set(trials.participant.tolist()))
    count = len(data.config.seeds)
    seeds = f"{count} seeds" if count > 1 else "one seed"
    named = "simulated" if data.config.simulate is not None else study.dataset.name
    conditions = ", ".join(condition.value for condition in data.config.trained)
    return (
        f"{len(study.stimuli):,} clips and {len(trials):,} odd-one-out judgments by {by:,} {words.judges} ({named}). "
        f"{', '.join(source.models)}: trained under the conditions {conditions}, with {seeds} each, and "
        f"measured on {len(data.evaluated):,} clips that were not trained on. A number stands with its 95 % interval; where "
        "an interval leaves it open whether there is a difference, the text says that there is no evidence."
    )


def _provenance(data: ExperimentData) -> dict[str, Any]:
    """What was recorded when the experiment was begun, and its configuration."""
    found = read_json(data.folder.provenance)
    about = {
        "data": found.pop("data"),
        "citation": data.study.dataset.citation,
        "licence": data.study.dataset.licence,
    }
    about |= {"seeds": list(data.config.seeds)}
    return {**about, **found, "configuration": data.config.model_dump(mode="json", exclude={"report"})}
