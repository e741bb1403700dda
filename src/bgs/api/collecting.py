"""A study from Python: serve it, look at it, take its answers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bgs._errors import BgsError, ConfigError
from bgs._files import is_empty, write_text
from bgs._optional import require_all
from bgs._progress import note
from bgs._rng import generator
from bgs.collection.practice import TEMPERATURE
from bgs.collection.settings import StudySettings
from bgs.datasets import load_dataset
from bgs.embeddings import Embeddings
from bgs.views.displayable import Displayable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bgs.collection.bundling import Bundle, DataPipe, Target
    from bgs.collection.database import Database
    from bgs.collection.exporting import Exported
    from bgs.collection.practice import Practice
    from bgs.collection.progress import Progress
    from bgs.collection.serving import PracticeServer
    from bgs.collection.simulating import Ledger
    from bgs.collection.study_folder import StudyFolder


#: Where participants come from.
_SOURCES = ("prolific", "link", "simulated")
#: Characters of a reason for an exclusion.
_REASON = 200


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

    def serve(self, host: str = "127.0.0.1", port: int = 8000, practice: Practice | None = None) -> None:
        """Serve the study until interrupted; started again, it goes on where it was.

        Args:
            host: interface to listen on; ``0.0.0.0`` for all of them.
            port: 0 takes a free one.
            practice: offered under ``/practice``; see :func:`bgs.api.practising.open_practice`.

        Raises:
            BgsError: folder, database or port cannot be used, or browsers do not play a clip.
        """
        from bgs.collection.serving import StudyServer

        StudyServer(self.path, host, port, self.database, practice).run()

    def practice(
        self, judgments: str | Path | None = None, model: str | None = None, *, temperature: float = TEMPERATURE, port: int = 8000
    ) -> None:  # fmt: skip
        """Serve practice mode on this machine until interrupted; nothing is stored, and no schedule is needed.

        Args:
            judgments: a trial table of these clips; by default ``trials.csv`` in the folder, else the answers in
                ``study.sqlite``.
            model: answers triplets that nobody judged; see :func:`bgs.load_model`.
            temperature: of the softmax over the model's cosine distances, above 0.
            port: 0 takes a free one.

        Raises:
            BgsError: there is nothing to compare with, a file, the model or the port cannot be used, or the page is not built.
        """
        self.practice_server(judgments, model, temperature=temperature, port=port).run()

    def practice_server(
        self, judgments: str | Path | None = None, model: str | None = None, *, temperature: float = TEMPERATURE, port: int = 8000
    ) -> PracticeServer:  # fmt: skip
        """The server of :meth:`practice`, before it runs: it knows its ``address``."""
        from bgs.api.practising import open_practice
        from bgs.collection.serving import PracticeServer, require_page
        from bgs.collection.study_folder import clip_files

        require_page()  # before a model embeds the clips
        shown = open_practice(self.path, judgments, model, temperature=temperature, collected=True)
        return PracticeServer(shown, clip_files(self.path, shown.stimuli), port)

    def bundle(self, out: str | Path, target: Target, datapipe: DataPipe | None = None) -> Bundle:
        """Write the study as a folder that runs without our server; all of it or nothing.

        Args:
            out: new or empty folder.
            target: ``static`` for any web host, ``jatos`` for an archive to be imported there.
            datapipe: saving service of a static host; without one, participants download their answers.

        Raises:
            BgsError: the study folder cannot be used, the page is not built, browsers do not play a clip, or the folder holds
                something or cannot be written.
        """
        from bgs.collection.bundling import bundle
        from bgs.collection.study_folder import open_study

        return bundle(open_study(self.path), Path(out), target, datapipe)

    def bundled_name(self, participant: str, source: str = "prolific") -> str:
        """What a participant of a bundle is called in its results, to find their answers.

        Args:
            participant: the name by which they came, such as their PROLIFIC_PID.
            source: ``prolific`` or ``link``.
        """
        from bgs.collection.bundling import participant_name
        from bgs.collection.study_folder import open_study

        return participant_name(open_study(self.path), source, participant)

    def progress(self) -> Progress:
        """How far the study is.

        Raises:
            BgsError: folder or database cannot be used.
        """
        from bgs.collection.progress import counted_answers, progress

        with self._opened() as (study, database):
            return progress(database, study, time.time(), counted_answers(database))

    def export(
        self, out: str | Path, with_excluded: bool = False, *, rules: str | Path | None = None, published: bool = False
    ) -> Exported:  # fmt: skip
        """Write the answers as a trial table, CSV or Parquet by the ending.

        Args:
            out: file to write.
            with_excluded: keep excluded participants, and blocks that went to somebody else, marked.
            rules: YAML file of rules of exclusion (docs/quality-control.md); whoever breaks one is excluded from the table.
            published: the first columns have the names of Garcia & Isik's table.

        Returns:
            Number of answers written, and whom the rules flag.

        Raises:
            BgsError: folder, database or rules cannot be used, or the file cannot be written.
        """
        from bgs.collection.exporting import export
        from bgs.judgments.quality_rules import read_rules

        chosen = None if rules is None else read_rules(rules)
        with self._opened() as (study, database):
            return export(database, study, Path(out), with_excluded, chosen, published)

    def exclude(self, participant: str, reason: str, source: str = "prolific") -> None:
        """Exclude a participant: answers are kept and marked, and the block goes to somebody else.

        Raises:
            BgsError: there is no such participant, or the reason is too long, has control characters or would be run as a
                formula by spreadsheets.
        """
        from bgs.collection.completing import exclude
        from bgs.collection.plain_text import require_plain

        require_plain(reason, "reason", self.path, _REASON)
        with self._opened() as (study, database):
            key = _key(study, source, participant)
            if key is None or not exclude(database, key, reason, time.time()):
                raise _nobody(study, source, participant)

    def erase(self, participant: str, source: str = "prolific") -> int:
        """Erase a participant and all of their answers; tables exported before are not changed.

        Returns:
            Number of answers erased.

        Raises:
            BgsError: there is no such participant.
        """
        from bgs.collection.completing import erase

        with self._opened() as (study, database):
            key = _key(study, source, participant)
            erased = None if key is None else erase(database, key)
            if erased is None:
                raise _nobody(study, source, participant)
            return erased

    def simulate(
        self, address: str, participants: int = 10, geometry: Embeddings | None = None, *, temperature: float = 0.3,
        at_once: int = 20, pace: float = 0.0, seed: int = 0,
    ) -> Ledger:  # fmt: skip
        """Let SIMULATED observers take part over HTTP. Their answers are marked; where people have come, a note says so.

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

        Raises:
            BgsError: the folder cannot be used, or this study is not served there.
        """
        from bgs.collection.opening import participants_of
        from bgs.collection.simulating import require_served, simulate_participants
        from bgs.collection.study_folder import open_study

        study = open_study(self.path)
        ids = study.stimuli.ids
        require_served(address, study.hash)
        came = participants_of(self.path, self.database, people=True)
        if came:
            note(f"people have come to this study ({came:,}); SIMULATED observers now take blocks of it")
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

    def _opened(self) -> AbstractContextManager[tuple[StudyFolder, Database]]:
        from bgs.collection.opening import opened_study

        return opened_study(self.path, self.database)

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


def _key(study: StudyFolder, source: str, participant: str) -> str | None:
    """The hash under which a participant is known; None if the study was never served.

    Raises:
        BgsError: nobody comes from such a source, or a name is not text.
    """
    from bgs.collection.secrets import read_secrets

    if source not in _SOURCES:
        raise ConfigError(
            "nobody comes from there", where="source", expected=" or ".join(_SOURCES), got=source
        )
    secrets = read_secrets(study.path)
    try:
        return None if secrets is None else secrets.participant_key(source, participant)
    except UnicodeEncodeError:
        raise _nobody(study, source, participant) from None


def _nobody(study: StudyFolder, source: str, participant: str) -> BgsError:
    return BgsError("no such participant", where=study.path, got=f"{participant} ({source})")


def acknowledged_times(ledger: Ledger) -> tuple[float, float]:
    """Milliseconds from sending an answer to its acknowledgement: median, and 95th percentile; NaN without answers."""
    times = np.array(ledger.seconds or [np.nan])
    return 1000 * float(np.median(times)), 1000 * float(np.quantile(times, 0.95))
