"""Runs the server of a study."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bgs._errors import BgsError
from bgs._optional import require_all
from bgs._progress import note
from bgs.serving.listening import AppServer, listen

if TYPE_CHECKING:
    from bgs.collection.practice import Practice

#: The built page, in the package.
PAGE = Path(__file__).parent / "web" / "page"


@dataclass(frozen=True)
class Served:
    """Where a study is served, before it is.

    Attributes:
        address: of the page.
        admin_token: of the admin page, when it was just made; it cannot be shown again.
        page: whether the page is built; without it only the interface is served.
    """

    address: str
    admin_token: str | None
    page: bool


class StudyServer(AppServer):
    """A study that is ready to be served.

    Args:
        path: study folder.
        host: interface to listen on; ``0.0.0.0`` for all of them.
        port: 0 takes a free one.
        database: address of the database; by default SQLite in the folder.
        practice: offers practice mode, too.

    Raises:
        BgsError: folder, database or port cannot be used. Checked before anything is served.
    """

    def __init__(
        self,
        path: str | Path,
        host: str = "127.0.0.1",
        port: int = 8000,
        database: str | None = None,
        practice: Practice | None = None,
    ) -> None:
        require_all("collect", "collect")
        from bgs.collection.clock import SteadyClock
        from bgs.collection.database import failures_as_errors
        from bgs.collection.leases import resume_leases
        from bgs.collection.opening import database_url, open_database
        from bgs.collection.preparing import require_playable
        from bgs.collection.secrets import open_secrets
        from bgs.collection.study_folder import open_study
        from bgs.collection.web.app import create_app

        if practice is not None:
            require_page()
        study = open_study(path)
        require_playable(study.clips)
        self.clock = clock = SteadyClock()
        with ExitStack() as undo:
            self.socket = undo.enter_context(listen(host, port))
            with failures_as_errors(database_url(study.path, database)):
                self.database = open_database(study, clock(), database)
                undo.callback(self.database.close)
                resume_leases(self.database, study.settings.lease_minutes, clock())
            secrets, token = open_secrets(study.path)
            undo.pop_all()
        page = PAGE if (PAGE / "index.html").is_file() else None
        if page is None:
            note(
                "the page is not built, so that only the interface is served: `make web` builds it (needs Node)"
            )
        self.app = create_app(study, self.database, secrets, page, practice, clock)
        self.about = Served(f"http://{host}:{self.socket.getsockname()[1]}/", token, page is not None)

    def run(self) -> None:
        """Serve until interrupted."""
        from bgs.collection.leases import heartbeat

        try:
            with heartbeat(self.database, self.clock):
                super().run()
        finally:
            self.database.close()


class PracticeServer(AppServer):
    """Practice mode of a folder, without a study; on this machine only.

    Args:
        practice: what is shown.
        clips: stimulus id -> file.
        port: 0 takes a free one.

    Raises:
        BgsError: the page is not built, browsers do not play a clip, or the port cannot be used.
    """

    def __init__(self, practice: Practice, clips: dict[str, Path], port: int = 8000) -> None:
        require_all("collect", "collect")
        from bgs.collection.preparing import require_playable
        from bgs.collection.web.practice_routes import create_practice_app

        page = require_page()
        require_playable(clips)
        self.socket = listen("127.0.0.1", port)
        self.app = create_practice_app(practice, clips, page)
        self.address = f"http://127.0.0.1:{self.socket.getsockname()[1]}/"


def require_page() -> Path:
    """Folder of the built page.

    Raises:
        BgsError: it is not built.
    """
    if not (PAGE / "practice.html").is_file():
        raise BgsError(
            "the practice page is not built", hint="`make web` builds it (needs Node); wheels contain it"
        )
    return PAGE
