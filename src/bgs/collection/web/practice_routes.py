"""What the practice page asks for. It sends nothing but a seed and a place in an order: nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, FastAPI, Query
from fastapi.responses import FileResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.responses import Response

from bgs import __version__
from bgs._typing import Int
from bgs.collection.practice import Practice, Scale
from bgs.collection.refusals import Reason, Refused
from bgs.collection.web.guards import guard
from bgs.serving.clip_files import clip_routes, clip_url
from bgs.serving.guards import RateLimit

#: Of all browsers together.
_REQUESTS_PER_MINUTE = 2400
#: Captions of a clip that are shown.
_CAPTIONS = 2
PAGE = "practice.html"

Seed = Annotated[int, Query(ge=0, lt=2**31)]
Start = Annotated[int, Query(ge=0, le=10**9)]
Count = Annotated[int, Query(ge=1, le=20)]


def practice_routes(practice: Practice, clips: Mapping[str, Path], page: Path) -> APIRouter:
    """The practice page under ``/practice``, and its questions under ``/api/practice``.

    Args:
        practice: what is shown.
        clips: stimulus id -> file.
        page: folder of the built page.
    """
    router, rates = APIRouter(), RateLimit()
    shares = practice.shares

    def allow() -> None:
        if not rates.allows("practice", _REQUESTS_PER_MINUTE):
            raise Refused(Reason.BUSY)

    @router.get("/practice", include_in_schema=False)
    def show() -> Response:
        return FileResponse(page / PAGE, media_type="text/html")

    @router.get("/api/practice/about")
    def about() -> dict[str, Any]:
        """What there is to practise."""
        allow()
        return {
            "title": practice.title, "key": practice.key, "simulated": practice.simulated,
            "triplets": len(shares), "rated": len(practice.rated), "scales": [_scale(one) for one in practice.scales],
        }  # fmt: skip

    @router.get("/api/practice/triplets")
    def triplets(seed: Seed, start: Start, count: Count = 10) -> list[dict[str, Any]]:
        """Triplets and what was chosen in them, from a place in the order of a seed; after the last, the first again."""
        allow()
        return [
            {
                "clips": [_clip(practice, clips, k) for k in shares.triplets[row].tolist()],
                "shares": shares.chosen[row].tolist(),
                "people": int(shares.people[row]),
            }
            for row in _picked(shares.order(seed), start, count)
        ]

    @router.get("/api/practice/clips")
    def rated(seed: Seed, start: Start, count: Count = 5) -> list[dict[str, Any]]:
        """Clips with their ratings, from a place in the order of a seed; after the last, the first again."""
        allow()
        return [_clip(practice, clips, k) for k in _picked(practice.order_of_rated(seed), start, count)]

    return router


def create_practice_app(practice: Practice, clips: Mapping[str, Path], page: Path) -> FastAPI:
    """The server of the practice page alone; see :func:`practice_routes`."""
    app = FastAPI(title=practice.title, version=__version__, docs_url=None, redoc_url=None)
    guard(app)
    app.include_router(practice_routes(practice, clips, page))
    app.include_router(clip_routes(clips))
    app.mount("/assets", StaticFiles(directory=page / "assets"))

    @app.get("/", include_in_schema=False)
    def begin() -> Response:
        return RedirectResponse("practice")

    return app


def _picked(order: Int[np.ndarray, " n"], start: int, count: int) -> list[int]:
    """The entries of an order from ``start``, going round; none twice."""
    if not len(order):
        return []
    picked: list[int] = order[(start + np.arange(min(count, len(order)))) % len(order)].tolist()
    return picked


def _scale(scale: Scale) -> dict[str, Any]:
    """``average`` is the mean of all clips: what somebody would place who has not watched."""
    return {
        "name": scale.name, "low": scale.low, "high": scale.high, "low_label": scale.low_label,
        "high_label": scale.high_label, "average": float(np.nanmean(scale.mean)),
    }  # fmt: skip


def _clip(practice: Practice, clips: Mapping[str, Path], position: int) -> dict[str, Any]:
    name = practice.stimuli.ids[position]
    captions = practice.stimuli.captions[position] if practice.stimuli.captions else ()
    ratings = {
        scale.name: {"mean": float(scale.mean[position]), "spread": _number(scale.spread[position])}
        for scale in practice.scales
        if np.isfinite(scale.mean[position])
    }
    return {"url": clip_url(name, clips[name]), "captions": list(captions[:_CAPTIONS]), "ratings": ratings}


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
