"""What the researcher's page asks for, behind the admin token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Header

from bgs.collection.progress import counted_answers, coverage, progress
from bgs.collection.refusals import Reason, Refused
from bgs.collection.web.routes import Serving, bearer_token

#: Largest number of clips whose pairs are drawn one by one; beyond it, neighbours share a square.
_SQUARES = 125
#: Bounds of the histogram of times in seconds; a factor of 1.5 apart.
_SECONDS = np.round(0.5 * 1.5 ** np.arange(13), 2)

router = APIRouter(prefix="/api/admin")


@router.get("/status")
def status(service: Serving, authorization: Annotated[str, Header(max_length=200)] = "") -> dict[str, Any]:
    """Progress, how often each pair of clips was seen, and how long choices took."""
    if not service.rates.allows("admin", 120):
        raise Refused(Reason.BUSY)
    if not service.secrets.is_admin(bearer_token(authorization)):
        raise Refused(Reason.TOKEN)
    study, answers = service.study, counted_answers(service.database)
    found = progress(service.database, study, service.clock(), answers)
    counts = coverage(study, answers)
    seconds = (
        np.array([answer.rt_ms for answer in answers if answer.rt_ms is not None], dtype=np.float64) / 1000
    )
    edges = [0.0, *_SECONDS.tolist(), np.inf]
    return {
        "title": study.settings.title,
        "progress": found.to_json(),
        "coverage": _smaller(counts).tolist(),
        "clips": _names(study.stimuli.ids),
        "seconds": {"from": edges[:-1], "count": np.histogram(seconds, edges)[0].tolist()},
    }


def _names(ids: Sequence[str]) -> list[str]:
    """What the rows of the matrix stand for: clips, or the first and last of neighbours that share a square."""
    step = -(-len(ids) // _SQUARES)
    groups = [ids[start : start + step] for start in range(0, len(ids), step)]
    return [group[0] if len(group) == 1 else f"{group[0]} to {group[-1]}" for group in groups]


def _smaller(counts: np.ndarray) -> np.ndarray:
    """Means over squares of neighbouring clips, so that the page stays small."""
    step = -(-len(counts) // _SQUARES)
    if step == 1:
        return counts
    starts = np.arange(0, len(counts), step)
    sums = np.add.reduceat(np.add.reduceat(counts, starts, axis=0), starts, axis=1)
    sizes = np.diff([*starts, len(counts)])
    means: np.ndarray = np.round(sums / np.outer(sizes, sizes), 2)
    return means
