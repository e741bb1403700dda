"""The guards of :mod:`bgs.serving` around a study, with what it refuses."""

from __future__ import annotations

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse

from bgs.collection.refusals import STATUS, Refused
from bgs.serving import guards


def guard(app: FastAPI) -> None:
    """Put headers and limits around an application; see :func:`bgs.serving.guards.guard`."""
    guards.guard(app)

    @app.exception_handler(Refused)
    def refused(_request: Request, error: Refused) -> JSONResponse:
        return JSONResponse({"error": error.reason.value}, STATUS[error.reason])
