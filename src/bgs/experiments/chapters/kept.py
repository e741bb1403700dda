"""The file of a chapter, ``analyses/<name>.json``: its result, the reason why it does not apply, or its error."""

from __future__ import annotations

import json
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bgs._codec import from_json, to_json
from bgs._errors import DataError, message_of
from bgs._files import damage_as_error, read_json, sha256_of, write_json
from bgs._progress import note
from bgs.experiments.chapters.chapter import AnalysisFailed, Chapter, NotApplicable, R, S

if TYPE_CHECKING:
    from bgs.experiments.experiment import Experiment

_AGAIN = "delete it, then `bgs experiment` recomputes it"


@dataclass(frozen=True)
class _Failure:
    """The error of an analysis."""

    message: str
    traceback: str = ""


@dataclass(frozen=True)
class _Kept:
    """Contents of a file: ``key``, a hash of all inputs, and one of result, reason and error.

    ``sha256`` is the hash of ``result`` in its JSON form, from which a reader sees that it has not been altered.
    """

    version: int
    key: str
    result: dict[str, Any] | None = None
    sha256: str = ""
    not_applicable: str | None = None
    error: _Failure | None = None


def keep(experiment: Experiment, chapter: Chapter[S, R], settings: S, made_of: str) -> str | None:
    """Write the file of a chapter, unless it already holds a result of the same version, settings and data.

    An analysis that failed or did not apply is tried again.

    Args:
        experiment: to analyse.
        chapter: one with ``analyse``.
        settings: its section.
        made_of: hash of the experiment, see :meth:`bgs.experiments.experiment.Experiment.key`.

    Returns:
        The error message; None where the analysis did not fail.
    """
    path = _path(experiment, chapter)
    rests_on = "" if chapter.rests_on is None else chapter.rests_on(experiment, settings)
    key = sha256_of(chapter.name, settings.model_dump_json(), rests_on, made_of)
    if path.is_file():
        try:
            before = _load(path, chapter.version)
        except DataError as error:
            note(f"{path}: {error.what}; computed again")
            before = None
        if before is not None and before.key == key and before.result is not None:
            return None
    found = _attempt(experiment, chapter, settings)
    about = {"version": chapter.version, "key": key}
    if isinstance(found, dict):
        write_json(path, {**about, "sha256": _fingerprint(found), "result": found})
        return None
    if isinstance(found, NotApplicable):
        write_json(path, {**about, "not_applicable": message_of(found)})
        return None
    failure = _Failure(message_of(found), "".join(traceback.format_exception(found)))
    write_json(path, {**about, "error": to_json(failure)})
    return failure.message


def _attempt(experiment: Experiment, chapter: Chapter[S, R], settings: S) -> dict[str, Any] | Exception:
    """A result in its JSON form, or the exception raised instead, so that other chapters still run."""
    assert chapter.analyse is not None
    assert chapter.result is not None
    try:
        found = chapter.analyse(experiment, settings)
        if not isinstance(found, chapter.result):
            raise TypeError(f"returned {type(found).__name__}, not {chapter.result.__name__}")
        return to_json(found)
    except Exception as error:
        return error


def read(experiment: Experiment, chapter: Chapter[S, R]) -> R:
    """The stored result of a chapter.

    Raises:
        NotApplicable: it does not apply, was omitted, has not been run, or was stored by another version of the chapter.
        AnalysisFailed: it failed.
        DataError: the file is damaged; the message names the first key that is missing or of the wrong type.
    """
    assert chapter.result is not None
    if experiment.config.analyses.of(chapter) is None:
        raise NotApplicable(f"this experiment omits it (key analyses.{chapter.name})")
    path = _path(experiment, chapter)
    if not path.is_file():
        raise NotApplicable("it has not been run yet")
    kept = _load(path, chapter.version)
    if kept is None:
        raise NotApplicable(
            "its result was written by another version of bgs; `bgs experiment` recomputes it"
        )
    if kept.not_applicable is not None:
        raise NotApplicable(kept.not_applicable)
    if kept.error is not None:
        raise AnalysisFailed(kept.error.message)
    with damage_as_error(path, _AGAIN):
        if kept.result is None:
            raise ValueError("result is missing")
        result = from_json(chapter.result, kept.result)
        if kept.sha256 != _fingerprint(kept.result):
            raise ValueError("other values than were written")
    return result


def _fingerprint(result: dict[str, Any]) -> str:
    return sha256_of(json.dumps(result, allow_nan=False, sort_keys=True))


def _load(path: Path, version: int) -> _Kept | None:
    """Contents of a file; None where another version of the chapter wrote it."""
    with damage_as_error(path, _AGAIN):
        found = read_json(path, _AGAIN)
        return from_json(_Kept, found) if found.get("version") == version else None


def _path(experiment: Experiment, chapter: Chapter[S, R]) -> Path:
    return experiment.folder.analyses / f"{chapter.name}.json"
