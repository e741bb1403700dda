"""The report of an experiment: a page with its figures and tables, from what the experiment stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bgs._codec import from_json
from bgs._errors import BgsError, ConfigError
from bgs._files import damage_as_error, read_json, require_output
from bgs.experiments.chapters import CHAPTERS, AnalysisFailed, Chapter, Context, Findings, NotApplicable
from bgs.experiments.chapters.kept import read
from bgs.experiments.experiment import Experiment, open_experiment
from bgs.experiments.opening import headline, opening
from bgs.experiments.results import ProtocolResults, ResultsTable
from bgs.reports import Page, Section, write_artifacts, write_markdown, write_page

#: Form of a report -> suffixes of its file.
_SUFFIXES = {"html": (".html", ".htm"), "md": (".md", ".markdown")}
_AGAIN = "`bgs experiment` writes it again"


def report_experiment(
    folder: str | Path,
    out: str | Path | None = None,
    *,
    form: str | None = None,
    mirror: str | Path | None = None,
) -> Path:
    """Write the report of a finished experiment; nothing is computed again.

    Args:
        folder: of the experiment.
        out: file to write; by default ``report.html`` or ``report.md`` in the folder.
        form: ``html`` or ``md``, see :func:`write_report`; None: by the suffix of ``out``, or ``html``.
        mirror: of published data, from which pictures and captions come.

    Returns:
        The file.

    Raises:
        BgsError: the folder holds no experiment, or an unfinished one; its data cannot be loaded.
        ConfigError: an unknown form.
        MissingExtraError: the extra ``report`` is not installed.
    """
    if form is None:
        form = "md" if out is not None and Path(out).suffix in _SUFFIXES["md"] else "html"
    if form not in _SUFFIXES:
        raise ConfigError("unknown format of a report", expected="html or md", got=form)
    if out is not None:
        require_output(out, _SUFFIXES[form])
    experiment = open_experiment(folder, mirror)
    return write_report(experiment, *read_results(experiment), out, form)


@dataclass(frozen=True)
class _Results:
    """Contents of ``results.json``."""

    protocols: dict[str, ProtocolResults]
    failed: dict[str, str]


def read_results(experiment: Experiment) -> tuple[ResultsTable, dict[str, str]]:
    """The results table of an experiment, and the errors of failed cells and analyses.

    Raises:
        BgsError: the experiment is not finished.
    """
    path = experiment.folder.results
    if not path.is_file():
        raise BgsError(
            "this experiment has no results yet", where=path.parent, hint="`bgs experiment` resumes it"
        )
    with damage_as_error(path, _AGAIN):
        found = from_json(_Results, read_json(path))
    return ResultsTable(found.protocols), found.failed


def write_report(
    experiment: Experiment,
    table: ResultsTable,
    failed: Mapping[str, str],
    out: str | Path | None = None,
    form: str = "html",
) -> Path:
    """Write the page of an experiment with its figures and tables.

    ``html``: one file, with figures and tables for a paper in a folder of its name beside it. ``md``: a Markdown file with
    its figures in ``figures/<name>/`` beside it; unless the data are simulated, it neither shows, names nor describes any
    clip, so that it can be published whatever the licence of the data.
    """
    page = experiment_page(experiment, table, failed)
    path = experiment.folder.report.with_suffix(f".{form}") if out is None else Path(out)
    if form == "md":
        write_markdown(page, path, show_clips=experiment.simulated)
    else:
        write_page(page, path)
        write_artifacts(page, path.with_suffix(""))
    return path


def experiment_page(experiment: Experiment, table: ResultsTable, failed: Mapping[str, str]) -> Page:
    """The page of an experiment.

    Args:
        experiment: a finished one.
        table: its results table.
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
    sections = tuple(
        _section(chapter, context, rerun) for chapter in CHAPTERS if _is_shown(chapter, experiment)
    )
    title = settings.title or context.words.fill(f"Seeing as {{judges}} do: {', '.join(context.models)}")
    return Page(
        title, lead, context.words.banner, sections, _provenance(experiment), context.words, opening(context),
        headline(context), _cost(experiment),
    )  # fmt: skip


def _is_shown(chapter: Chapter[Any, Any], experiment: Experiment) -> bool:
    """Whether a chapter has a section: not if it is optional and nobody asked for it."""
    unasked = chapter.optional and experiment.config.analyses.of(chapter) is None
    return chapter.present is not None and not unasked


def _section(chapter: Chapter[Any, Any], context: Context, rerun: str) -> Section:
    """The section of a chapter; where the chapter does not apply or failed, the section says why."""
    assert chapter.present is not None
    try:
        result = None if chapter.analyse is None else read(context.experiment, chapter)
        found = chapter.present(result, context)
    except NotApplicable as reason:
        found = Findings((f"Not applicable because {_sentence(str(reason))}",))
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
        f"{', '.join(context.models)} {'was' if len(context.models) == 1 else 'were'} trained under the conditions {conditions}, "
        f"with {seeds} each, and evaluated on {len(experiment.evaluated):,} held-out clips. Numbers are given with 95 % "
        "intervals; where the interval of a difference includes 0, the text says that there is no evidence."
    )


def _cost(experiment: Experiment) -> str:
    """Time taken, code, seeds and data."""
    about = read_json(experiment.folder.provenance)
    seconds = sum(cell.seconds() for cell in experiment.cells)
    hashes = ", ".join(f"{name} {value[:12]}" for name, value in about["data_hashes"].items())
    commit = "unknown" if about["git_commit"] is None else about["git_commit"][:10]
    return (
        f"{len(experiment.cells)} cells, {seconds / 60:.0f} minutes of training and evaluation; commit {commit}, seeds "
        f"{', '.join(map(str, experiment.config.seeds))}. Data (SHA-256): {hashes}."
    )


def _provenance(experiment: Experiment) -> dict[str, Any]:
    """The record made when the experiment was begun, and its configuration."""
    found = read_json(experiment.folder.provenance)
    about = {
        "data": found.pop("data"),
        "citation": experiment.study.dataset.citation,
        "licence": experiment.study.dataset.licence,
    }
    about |= {"seeds": list(experiment.config.seeds)}
    return {**about, **found, "configuration": experiment.config.model_dump(mode="json", exclude={"report"})}
