"""The chapters of an experiment, in the order of its report: the list that defines sections, files and pages."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, create_model

from bgs._codec import Number, OptionalNumber
from bgs._config import Settings, changed_keys, validate
from bgs._errors import ConfigError
from bgs._progress import progress_bar
from bgs.experiments.chapters.agreement import CEILING, CLOSING, GAP
from bgs.experiments.chapters.attention import ATTENTION
from bgs.experiments.chapters.chapter import AnalysisFailed, Chapter, Findings, NotApplicable, S
from bgs.experiments.chapters.clips import MAP, MATRICES
from bgs.experiments.chapters.context import Context
from bgs.experiments.chapters.dimensions import DIMENSIONS
from bgs.experiments.chapters.disagreement import DISAGREEMENT
from bgs.experiments.chapters.distillation import DISTILLATION
from bgs.experiments.chapters.kept import keep
from bgs.experiments.chapters.learning_curve import LEARNING_CURVE
from bgs.experiments.chapters.probes import PROBES
from bgs.experiments.chapters.transfer import TRANSFER
from bgs.experiments.chapters.variance import VARIANCE

if TYPE_CHECKING:
    from bgs.experiments.config import ExperimentConfig
    from bgs.experiments.experiment import Experiment

__all__ = [
    "CHAPTERS",
    "AnalysesSettings",
    "AnalysisFailed",
    "Chapter",
    "Context",
    "Findings",
    "NotApplicable",
    "Number",
    "OptionalNumber",
    "Settings",
    "register",
    "run_chapters",
    "wanted_chapters",
]

#: The report, in order: the eight results of the paper, further analyses of the clips, then those of :func:`register`.
CHAPTERS: list[Chapter[Any, Any]] = [
    GAP, CLOSING, CEILING, VARIANCE, PROBES, TRANSFER, ATTENTION, DISTILLATION, LEARNING_CURVE, DIMENSIONS, MATRICES, MAP,
    DISAGREEMENT,
]  # fmt: skip


class _Sections(Settings):
    """One section per chapter; null omits it. Chapters that need more than the grid are omitted unless given.

    Custom chapters (see :func:`bgs.experiments.chapters.register`) have sections too, with the keys of their settings.
    """

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)
    __pydantic_extra__: dict[str, dict[str, Any] | None]

    def of(self, chapter: Chapter[S, Any]) -> S | None:
        """The section of a chapter, with its defaults where none is given; None: the chapter is omitted.

        Raises:
            ConfigError: an unknown or wrong key of a custom chapter.
        """
        assert chapter.settings is not None
        given: Any = getattr(self, chapter.name, chapter.default())
        if given is None:
            return None
        if isinstance(given, chapter.settings):
            return given
        return validate(chapter.settings, given, where=f"analyses.{chapter.name}")


if TYPE_CHECKING:
    AnalysesSettings = _Sections
else:
    AnalysesSettings = create_model(
        "AnalysesSettings",
        __base__=_Sections,
        __module__=__name__,
        __doc__=_Sections.__doc__,
        **{
            chapter.name: (chapter.settings | None, chapter.default())
            for chapter in sorted(CHAPTERS, key=lambda chapter: chapter.optional)
            if chapter.settings is not None
        },
    )


def register(chapter: Chapter[Any, Any]) -> None:
    """Add a custom chapter to the experiments that this process runs and reports.

    It runs in every experiment with the section ``analyses.<name>`` (its defaults where there is none; ``null`` omits it),
    stores its result in ``analyses/<name>.json``, and comes last in reports if it has a ``present``.

    Raises:
        ConfigError: the name is not a valid file name, or is taken.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", chapter.name):
        raise ConfigError(
            "not a valid name of a chapter", where=repr(chapter.name), expected="like my-chapter"
        )
    if {chapter.name, chapter.key} & {name for known in CHAPTERS for name in (known.name, known.key)}:
        raise ConfigError("a chapter of this name exists", where=chapter.name, expected="another name")
    CHAPTERS.append(chapter)


def wanted_chapters(config: ExperimentConfig) -> list[Chapter[Any, Any]]:
    """Chapters with an analysis that are not omitted.

    Raises:
        ConfigError: a section names a chapter that is not registered, or has an unknown or wrong key.
    """
    known = {chapter.name: chapter for chapter in CHAPTERS if chapter.analyse is not None}
    extra = config.analyses.model_extra or {}
    for name in sorted({*changed_keys(config.analyses), *extra} - known.keys()):
        if getattr(config.analyses, name) is not None:
            close = difflib.get_close_matches(name, known, n=1)
            raise ConfigError(
                f"unknown key 'analyses.{name}'", expected=f"one of {', '.join(sorted(known))}",
                hint=f"did you mean {close[0]}?" if close else "see bgs.experiments.chapters.register",
            )  # fmt: skip
    return [chapter for chapter in known.values() if config.analyses.of(chapter) is not None]


def run_chapters(experiment: Experiment) -> dict[str, str]:
    """Write ``analyses/<name>.json`` of every requested chapter: ``result``, ``not_applicable`` or ``error``.

    A stored result is reused as long as its version, its settings and all its inputs stay the same.

    Returns:
        ``analysis <name>`` -> error message, for those that failed.
    """
    failed, made_of = {}, experiment.key()
    with progress_bar() as bar:
        for chapter in bar.track(wanted_chapters(experiment.config), description="analyses"):
            message = keep(experiment, chapter, experiment.config.analyses.of(chapter), made_of)
            if message is not None:
                failed[f"analysis {chapter.name}"] = message
    return failed
