"""Clips by opaque names: no path of a request ever reaches the disk, and ranges are exact."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse
from starlette.responses import Response

#: Browsers ask for one range; many ranges at once only make work.
_RANGES = 3


def clip_name(stimulus_id: str, path: Path) -> str:
    """The name under which a clip is served: it says nothing about the clip."""
    return hashlib.sha256(stimulus_id.encode()).hexdigest()[:20] + path.suffix.lower()


def clip_url(stimulus_id: str, path: Path) -> str:
    """Where a page gets a clip."""
    return f"/clips/{clip_name(stimulus_id, path)}"


def clip_routes(clips: Mapping[str, Path]) -> APIRouter:
    """GET and HEAD of every clip, by stimulus id; whole or by ranges, never compressed."""
    files = {clip_name(name, path): (path, path.resolve()) for name, path in clips.items()}
    router = APIRouter()

    @router.api_route("/clips/{name}", methods=["GET", "HEAD"], include_in_schema=False)
    def clip(name: str, request: Request) -> Response:
        path, real = files.get(name, (Path(), None))
        if (
            real is None or path.resolve() != real or not path.is_file()
        ):  # gone, or now a link to another file
            raise HTTPException(404, "no such clip")
        if request.headers.get("range", "").count(",") >= _RANGES:
            raise HTTPException(416, f"at most {_RANGES} ranges")
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        headers = {"cache-control": "public, max-age=86400", "content-encoding": "identity"}
        return FileResponse(path, media_type=kind, headers=headers)

    return router
