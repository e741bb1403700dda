"""The report of an experiment: one page and its files, from what the experiment left on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bgs._codec import from_json
from bgs._errors import BgsError
from bgs._files import legible, read_json, require_output
from bgs.experiments.chapters import CHAPTERS, AnalysisFailed, Chapter, Context, Findings, NotApplicable
from bgs.experiments.chapters.kept import read
from bgs.experiments.experiment import Experiment, open_experiment
from bgs.experiments.opening import headline, opening
from bgs.experiments.results import ProtocolResults, ResultsTable
from bgs.reports import Page, Section, write_artifacts, write_page

_AGAIN = "bgs experiment makes it anew"


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
    experiment = open_experiment(folder, mirror)
    return write_report(experiment, *read_results(experiment), out)


@dataclass(frozen=True)
class _Results:
    """What ``results.json`` holds."""

    protocols: dict[str, ProtocolResults]
    failed: dict[str, str]


def read_results(experiment: Experiment) -> tuple[ResultsTable, dict[str, str]]:
    """What an experiment measured, and the errors of what failed, by cell or analysis.

    Raises:
        BgsError: it was not run to its end.
    """
    path = experiment.folder.results
    if not path.is_file():
        raise BgsError(
            "this experiment has no results yet", where=path.parent, hint="bgs experiment goes on with it"
        )
    with legible(path, _AGAIN):
        found = from_json(_Results, read_json(path))
    return ResultsTable(found.protocols), found.failed


def write_report(
    experiment: Experiment, table: ResultsTable, failed: Mapping[str, str], out: str | Path | None = None
) -> Path:
    """Write page, figures and tables of an experiment; see :func:`report_experiment`."""
    page = experiment_page(experiment, table, failed)
    path = experiment.folder.report if out is None else Path(out)
    write_page(page, path)
    write_artifacts(page, path.with_suffix(""))
    return path


def experiment_page(experiment: Experiment, table: ResultsTable, failed: Mapping[str, str]) -> Page:
    """The page of an experiment.

    Args:
        experiment: that was run.
        table: its results.
        failed: cell or analysis -> why it failed.
    """
    context, settings = Context(experiment, table), experiment.config.report
    rerun = (
        settings.rerun
        or f"bgs experiment {experiment.folder.config.name} --out {experiment.folder.path.name}-again"
    )
    lead = "\n\n".join(
        [settings.lead or _lead(context), *(f"Failed: {name}, {why}." for name, why in failed.items())]
    )
    sections = tuple(_section(chapter, context, rerun) for chapter in CHAPTERS if chapter.present is not None)
    title = settings.title or context.words.fill(f"Seeing as {{judges}} do: {', '.join(context.models)}")
    return Page(
        title, lead, context.words.banner, sections, _provenance(experiment), context.words, opening(context),
        headline(context), _cost(experiment),
    )  # fmt: skip


def _section(chapter: Chapter[Any, Any], context: Context, rerun: str) -> Section:
    """A chapter filled; where it does not apply, or failed, it says why in plain words."""
    assert chapter.present is not None
    try:
        result = None if chapter.analyse is None else read(context.experiment, chapter)
        found = chapter.present(result, context)
    except NotApplicable as reason:
        found = Findings((f"Not applicable: {_sentence(str(reason))}",))
    except AnalysisFailed as error:
        found = Findings((f"This analysis failed: {_sentence(str(error))}",))
    title, method = (context.words.fill(text) for text in (chapter.title, chapter.method))
    return Section(
        chapter.key, title, "\n\n".join(found.sentences), found.figures, found.tables, found.triplets, method,
        rerun, found.notes,
    )  # fmt: skip


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _lead(context: Context) -> str:
    experiment, words = context.experiment, context.words
    study, trials = experiment.study, experiment.study.trials.judgments
    by = len(set(trials.participant.tolist()))
    count = len(experiment.config.seeds)
    seeds = f"{count} seeds" if count > 1 else "one seed"
    named = "simulated" if experiment.config.simulate is not None else study.dataset.name
    conditions = ", ".join(condition.value for condition in experiment.config.trained)
    return (
        f"{len(study.stimuli):,} clips and {len(trials):,} odd-one-out judgments by {by:,} {words.judges} ({named}). "
        f"{', '.join(context.models)}: trained under the conditions {conditions}, with {seeds} each, and measured "
        f"on {len(experiment.evaluated):,} clips that were not trained on. A number stands with its 95 % interval; where "
        "an interval leaves it open whether there is a difference, the text says that there is no evidence."
    )


def _cost(experiment: Experiment) -> str:
    """What it took, and which code, seeds and data it came from."""
    about = read_json(experiment.folder.provenance)
    seconds = sum(read_json(cell.marker)["seconds"] for cell in experiment.cells)
    hashes = ", ".join(f"{name} {value[:12]}" for name, value in about["data_hashes"].items())
    commit = "unknown" if about["git_commit"] is None else about["git_commit"][:10]
    return (
        f"{len(experiment.cells)} cells, {seconds / 60:.0f} minutes of training and evaluation; commit {commit}, seeds "
        f"{', '.join(map(str, experiment.config.seeds))}. Data (SHA-256): {hashes}."
    )


def _provenance(experiment: Experiment) -> dict[str, Any]:
    """What was recorded when the experiment was begun, and its configuration."""
    found = read_json(experiment.folder.provenance)
    about = {
        "data": found.pop("data"),
        "citation": experiment.study.dataset.citation,
        "licence": experiment.study.dataset.licence,
    }
    about |= {"seeds": list(experiment.config.seeds)}
    return {**about, **found, "configuration": experiment.config.model_dump(mode="json", exclude={"report"})}
