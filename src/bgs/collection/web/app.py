"""The application: routes, what refusals and failures look like, and the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bgs import __version__
from bgs.collection.clock import SteadyClock
from bgs.collection.completing import ending
from bgs.collection.database import Database
from bgs.collection.opening import identity
from bgs.collection.practice import Practice
from bgs.collection.refusals import STATUS, Reason, Refused
from bgs.collection.secrets import Secrets
from bgs.collection.study_folder import StudyFolder
from bgs.collection.web import admin
from bgs.collection.web.guards import guard
from bgs.collection.web.practice_routes import practice_routes
from bgs.collection.web.routes import Service, router
from bgs.serving.clip_files import clip_routes
from bgs.serving.guards import RateLimit

#: The researcher's page.
ADMIN = "admin.html"


def create_app(
    study: StudyFolder,
    database: Database,
    secrets: Secrets,
    page: Path | None = None,
    practice: Practice | None = None,
    clock: Callable[[], float] | None = None,
) -> FastAPI:
    """The server of a study.

    Args:
        study: to serve.
        database: of the study; see :func:`bgs.collection.opening.open_database`.
        secrets: of the study.
        page: folder of the built page; without it only the interface is served.
        practice: what practice mode shows, served with the page under ``/practice``; None: there is no practice mode.
        clock: seconds since 1970; by default one that setting the machine's clock does not move.
    """
    app = FastAPI(title=study.settings.title, version=__version__, docs_url=None, redoc_url=None)
    app.state.service = Service(
        study,
        database,
        identity(database),
        secrets,
        clock or SteadyClock(),
        RateLimit(),
        practice is not None,
    )
    app.include_router(router)
    app.include_router(admin.router)
    app.include_router(clip_routes(study.clips))
    guard(app)

    @app.exception_handler(Refused)
    def refused(_request: Request, error: Refused) -> JSONResponse:
        return JSONResponse({"error": error.reason.value, **_details(study, error)}, STATUS[error.reason])

    @app.exception_handler(SQLAlchemyError)
    def storage(_request: Request, error: SQLAlchemyError) -> JSONResponse:
        # Nothing was stored: the transaction was rolled back. The page keeps the answer and tries again.
        if not isinstance(error, DBAPIError | PoolTimeout):
            raise error
        return JSONResponse({"error": "storage"}, 503, {"retry-after": "2"})

    @app.get("/health", include_in_schema=False)
    def health() -> dict[str, str]:
        return {"study": study.hash, "version": __version__}

    if page is not None:
        if practice is not None:
            app.include_router(practice_routes(practice, study.clips, page))

        @app.get("/admin", include_in_schema=False)
        def to_admin() -> RedirectResponse:
            return RedirectResponse(ADMIN)

        app.mount("/", StaticFiles(directory=page, html=True))
    return app


def _details(study: StudyFolder, error: Refused) -> dict[str, Any]:
    """Those who come back after the end get their code again."""
    if error.reason is Reason.DONE:
        return (
            {"code": ending(study, "completed").code, "url": ending(study, "completed").url}
            if error.details.get("mine")
            else {}
        )
    if error.reason is Reason.EXCLUDED and error.details.get("failed"):
        end = ending(study, "failed_attention")
        return {"code": end.code, "url": end.url}
    return {} if error.reason is Reason.EXCLUDED else dict(error.details)
