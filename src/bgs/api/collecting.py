"""A study from Python: serve it, look at it, take its answers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bgs._errors import BgsError
from bgs._files import is_empty, write_text
from bgs._optional import require_all
from bgs._rng import generator
from bgs.collection.settings import StudySettings
from bgs.datasets import load_dataset
from bgs.embeddings import Embeddings
from bgs.views.displayable import Displayable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bgs.collection.database import Database
    from bgs.collection.progress import Progress
    from bgs.collection.simulating import Ledger
    from bgs.collection.study_folder import StudyFolder


class Study(Displayable):
    """A study folder and its answers; displays as a table of its progress.

    Args:
        path: folder with ``stimuli.csv``, clips, ``schedule.csv`` and ``study.yaml``.
        database: address of the database; by default ``study.sqlite`` in the folder.

    Raises:
        MissingExtraError: the extra ``collect`` is not installed.
    """

    def __init__(self, path: str | Path, database: str | None = None) -> None:
        require_all("collect", "collect")
        self.path, self.database = Path(path), database

    def prepare(self) -> dict[str, Path]:
        """Write copies of the clips that browsers do not play, and name them in ``stimuli.csv``; originals stay.

        Returns:
            Stimulus id -> its copy.

        Raises:
            BgsError: a clip cannot be decoded.
        """
        from bgs.collection.preparing import prepare

        return prepare(self.path)

    def serve(self, host: str = "127.0.0.1", port: int = 8000) -> None:
        """Serve the study until interrupted; started again, it goes on where it was.

        Raises:
            BgsError: folder, database or port cannot be used, or browsers do not play a clip.
        """
        from bgs.collection.serving import StudyServer

        StudyServer(self.path, host, port, self.database).run()

    def progress(self) -> Progress:
        """How far the study is.

        Raises:
            BgsError: folder or database cannot be used.
        """
        from bgs.collection.progress import counted_answers, progress

        with self._opened() as (study, database):
            return progress(database, study, time.time(), counted_answers(database))

    def export(self, out: str | Path, with_excluded: bool = False) -> int:
        """Write the answers as a trial table, CSV or Parquet by the ending.

        Returns:
            Number of answers written.

        Raises:
            BgsError: folder or database cannot be used, or the file cannot be written.
        """
        from bgs.collection.exporting import export

        with self._opened() as (study, database):
            return export(database, study, Path(out), with_excluded)

    def exclude(self, participant: str, reason: str, source: str = "prolific") -> None:
        """Exclude a participant: answers are kept and marked, and the block goes to somebody else.

        Raises:
            BgsError: there is no such participant, or spreadsheets would run the reason as a formula.
        """
        from bgs.collection.completing import exclude
        from bgs.collection.study_folder import require_no_formula

        require_no_formula(reason, "reason", self.path)
        with self._opened() as (study, database):
            if not exclude(database, _key(study, source, participant), reason, time.time()):
                raise BgsError("no such participant", where=self.path, got=f"{participant} ({source})")

    def erase(self, participant: str, source: str = "prolific") -> int:
        """Erase a participant and all of their answers; tables exported before are not changed.

        Returns:
            Number of answers erased.
        """
        from bgs.collection.completing import erase

        with self._opened() as (study, database):
            return erase(database, _key(study, source, participant))

    def simulate(
        self, address: str, participants: int = 10, geometry: Embeddings | None = None, *, temperature: float = 0.3,
        at_once: int = 20, pace: float = 0.0, seed: int = 0,
    ) -> Ledger:  # fmt: skip
        """Let SIMULATED observers take part over HTTP.

        Args:
            address: where the study is served.
            participants: how many come.
            geometry: what they see; by default random positions in three dimensions.
            temperature: of their choices, in distances of the geometry.
            at_once: how many take part at the same time.
            pace: mean seconds between a participant's answers.
            seed: of names, choices and positions.

        Returns:
            What the server acknowledged.
        """
        from bgs.collection.simulating import simulate_participants
        from bgs.collection.study_folder import open_study

        ids = open_study(self.path).stimuli.ids
        if geometry is None:
            positions = generator(seed, "simulated geometry").normal(size=(len(ids), 3))
            geometry = Embeddings(positions, ids, "simulated")
        return simulate_participants(
            address,
            geometry.select(ids),
            participants,
            temperature=temperature,
            seed=seed,
            at_once=at_once,
            pace=pace,
        )

    @contextmanager
    def _opened(self) -> Iterator[tuple[StudyFolder, Database]]:
        from bgs.collection.database import failures_as_errors
        from bgs.collection.opening import database_url, open_database
        from bgs.collection.study_folder import open_study

        study = open_study(self.path)
        with failures_as_errors(database_url(study.path, self.database)):
            database = open_database(study, time.time(), self.database)
            try:
                yield study, database
            finally:
                database.close()

    def _views(self) -> Sequence[RenderableType]:
        from bgs.views.collection import progress_view

        return (progress_view(self.progress()),)


def demo_study(path: str | Path, clips: int = 24, size: int = 256, seed: int = 0) -> Study:
    """A study of SIMULATED clips, ready to be served; one that is there is left as it is.

    Args:
        path: its folder, new or made by an earlier call.
        clips: simulated clips, at least as many as there are behaviours.
        size: their width and height in pixels.
        seed: of clips and schedule.

    Raises:
        BgsError: the folder holds something else, or an extra is missing.
    """
    from bgs.api.designing import design
    from bgs.experiments.simulated import film_world
    from bgs.simulation.clip_folder import ClipSettings

    folder = Path(path)
    if not (folder / "stimuli.csv").is_file() and folder.is_dir() and not is_empty(folder):
        raise BgsError(
            "this folder contains other files", where=folder, expected="a new folder, or an earlier demo"
        )
    film_world(ClipSettings(clips=clips, size=size, seed=seed), folder)
    if not (folder / "schedule.csv").is_file():
        design(folder, trials=20 * clips, block_trials=20, checks=0.1, studies=0, seed=seed).save(folder)
    if not (folder / "study.yaml").is_file():
        ids = load_dataset(folder).stimuli.ids
        texts = {"title": "SIMULATED clips: which is the odd one out?", "practice": [list(ids[:3])]}
        write_text(
            folder / "study.yaml",
            StudySettings.model_validate({**texts, "codes": {"completed": "DEMO"}}).to_yaml(),
        )
    return Study(folder)


def _key(study: StudyFolder, source: str, participant: str) -> str:
    from bgs.collection.secrets import open_secrets

    return open_secrets(study.path)[0].participant_key(source, participant)


def acknowledged_times(ledger: Ledger) -> tuple[float, float]:
    """Milliseconds from sending an answer to its acknowledgement: median, and 95th percentile; NaN without answers."""
    times = np.array(ledger.seconds or [np.nan])
    return 1000 * float(np.median(times)), 1000 * float(np.quantile(times, 0.95))
