"""What the page asks for, below an address that holds a token."""

from __future__ import annotations

import tempfile
from pathlib import Path, PurePath
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, HTTPException, Query, Request
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response

from bgs import __version__
from bgs._errors import BgsError, DataError
from bgs.library.browsing.queries import Queries
from bgs.library.browsing.scene_map import SceneMap, readable
from bgs.library.browsing.thumbnails import Thumbnails
from bgs.serving.clip_files import clip_routes
from bgs.serving.guards import CSP, guard, say_errors
from bgs.stimuli.stimulus_set import VIDEO_SUFFIXES

#: The library that draws points (regl) compiles its draw calls with `new Function`. Everything else is as in a study.
_CSP = CSP.replace("script-src 'self'", "script-src 'self' 'unsafe-eval'")
#: Bytes of a file that is dropped on the page.
MAX_FILE = 1 << 30
_UPLOAD = "/api/file"

Count = Annotated[int, Query(ge=1, le=100)]


def create_app(
    scenes: SceneMap, queries: Queries, page: Path, token: str, max_file: int = MAX_FILE
) -> FastAPI:
    """The server of a map; anything that is not below ``/<token>/`` is not found.

    Args:
        scenes: what is shown.
        queries: what embeds files and sentences.
        page: folder of the built page.
        token: part of the address.
        max_file: largest file that may be dropped, in bytes.
    """
    app = FastAPI(title="bgs browse", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    inside = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    inside.include_router(_clips(scenes, queries, Thumbnails(scenes.index.path)))
    inside.include_router(_searches(scenes, queries, max_file))
    files = scenes.files
    inside.include_router(clip_routes({name: Path(name) for name in files}, lambda name: files[name].file()))
    inside.mount("/", StaticFiles(directory=page, html=True))
    guard(app, _CSP, uploads=[f"/{token}{_UPLOAD}"])
    say_errors(inside)

    @inside.exception_handler(ClientDisconnect)
    def gone(_request: Request, _error: ClientDisconnect) -> Response:
        return Response(status_code=400)  # nobody reads it

    @inside.exception_handler(BgsError)
    def problem(_request: Request, error: BgsError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 422)

    app.mount(f"/{token}", inside)

    @app.get("/{anything:path}", include_in_schema=False)
    def outside(anything: str) -> Response:
        return PlainTextResponse("`bgs browse` prints the whole address, with its token.\n", 404)

    return app


def _clips(scenes: SceneMap, queries: Queries, thumbnails: Thumbnails) -> APIRouter:
    router = APIRouter()
    shown = scenes.to_json()

    def clip_at(position: int) -> Any:
        found = scenes.clip(position)
        if found is None:
            raise HTTPException(404, "no such clip")
        return found

    @router.get("/api/map")
    def the_map() -> Response:
        """Every clip: its id, file and place."""
        return JSONResponse(shown)

    @router.get("/api/clips/{position}")
    def about(position: int) -> dict[str, Any]:
        """Where a clip's file is, and whether it is still there, unchanged."""
        clip = clip_at(position)
        path = "" if clip.path is None else readable(clip.path)
        return {"id": clip.id, "path": path, "there": clip.is_there}

    @router.get("/api/clips/{position}/nearest")
    def nearest(position: int, count: Count = 12) -> dict[str, Any]:
        """The clips nearest to a clip."""
        clip = clip_at(position)
        return {"clips": _said(queries, scenes.nearest(scenes.index.vectors[position], count, but=clip.id))}

    @router.get("/api/clips/{position}/attributes")
    def attributes(position: int) -> dict[str, Any]:
        """What the model's readout says of a clip; empty where it has none."""
        return queries.describe(clip_at(position))

    @router.get("/thumbnails/{position}.jpg")
    def thumbnail(position: int) -> Response:
        """A small picture from the middle of a clip."""
        try:
            path = thumbnails.of(clip_at(position))
        except DataError as error:  # gone, or damaged: the page shows that there is no picture
            return JSONResponse({"error": str(error)}, 404)
        return FileResponse(path, media_type="image/jpeg", headers={"cache-control": "private, max-age=3600"})

    return router


def _searches(scenes: SceneMap, queries: Queries, max_file: int) -> APIRouter:
    router = APIRouter()

    @router.get("/api/sentence")
    def sentence(text: Annotated[str, Query(min_length=1, max_length=500)], count: Count = 24) -> Any:
        """The clips nearest to a sentence."""
        return {"clips": scenes.nearest(queries.of_sentence(text), count)}

    @router.post(_UPLOAD)
    async def file(
        request: Request, name: Annotated[str, Query(min_length=1, max_length=300)], count: Count = 24
    ) -> Any:
        """The clips nearest to the file that is sent; it is kept only until it is embedded."""
        suffix = PurePath(name).suffix.lower()
        if suffix not in VIDEO_SUFFIXES:
            raise DataError("not a video file", where=name, expected=", ".join(sorted(VIDEO_SUFFIXES)))
        with tempfile.TemporaryDirectory(prefix="bgs-browse-") as folder:
            path = Path(folder) / f"dropped{suffix}"
            await _receive(request, path, name, max_file)
            vector = await run_in_threadpool(queries.of_file, path, name)
        found = await run_in_threadpool(scenes.nearest, vector, count)
        return {"clips": _said(queries, found), "place": scenes.place(vector)}

    return router


def _said(queries: Queries, near: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With the probability that people keep the two together, where the model can say."""
    together = queries.kept_together([one["distance"] for one in near])
    if together is None:
        return near
    return [one | {"together": p} for one, p in zip(near, together, strict=True)]


async def _receive(request: Request, path: Path, name: str, most: int) -> None:
    size = 0
    with path.open("wb") as stream:
        async for part in request.stream():
            size += len(part)
            if size > most:
                raise DataError(
                    "this file is too large", where=name, expected=f"at most {most / 2**20:,.0f} MiB"
                )
            await run_in_threadpool(stream.write, part)
