"""Clips by opaque names: no path of a request ever reaches the disk, and ranges are exact."""

from __future__ import annotations

import hashlib
import mimetypes
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse
from starlette.responses import Response

from bgs._errors import DataError

#: Browsers ask for one range; many ranges at once only make work.
_RANGES = 3


def clip_name(stimulus_id: str, path: Path) -> str:
    """The name under which a clip is served: it says nothing about the clip."""
    return hashlib.sha256(os.fsencode(stimulus_id)).hexdigest()[:20] + path.suffix.lower()


def clip_url(stimulus_id: str, path: Path) -> str:
    """Where a page gets a clip."""
    return f"/clips/{clip_name(stimulus_id, path)}"


def clip_routes(clips: Mapping[str, Path], check: Callable[[str], object] = lambda name: None) -> APIRouter:
    """GET and HEAD of every clip, by stimulus id; whole or by ranges, never compressed.

    Args:
        clips: stimulus id -> file.
        check: called with the id of a clip that is asked for; raises DataError if its file is another one now.
    """
    files = {clip_name(name, path): (name, path, path.resolve()) for name, path in clips.items()}
    router = APIRouter()

    @router.api_route("/clips/{name}", methods=["GET", "HEAD"], include_in_schema=False)
    def clip(name: str, request: Request) -> Response:
        stimulus_id, path, real = files.get(name, ("", Path(), None))
        if (
            real is None or path.resolve() != real or not path.is_file()
        ):  # gone, or now a link to another file
            raise HTTPException(404, "no such clip")
        try:
            check(stimulus_id)
        except DataError as error:
            raise HTTPException(404, str(error)) from error
        if request.headers.get("range", "").count(",") >= _RANGES:
            raise HTTPException(416, f"at most {_RANGES} ranges")
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        headers = {"cache-control": "public, max-age=86400", "content-encoding": "identity"}
        return FileResponse(path, media_type=kind, headers=headers)

    return router
