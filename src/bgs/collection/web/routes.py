"""What a participant's page asks for and sends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse

from bgs.collection.answering import Answer, answered, shown_order, store
from bgs.collection.completing import Outcome, complete, ending, leave
from bgs.collection.database import Database
from bgs.collection.joining import join, record_consent
from bgs.collection.refusals import Reason, Refused
from bgs.collection.secrets import Secrets
from bgs.collection.study_folder import StudyFolder
from bgs.collection.web.messages import GivenAnswer, Join
from bgs.serving.clip_files import clip_url
from bgs.serving.guards import RateLimit

#: The assignment of a preview, which has no block of its own.
_NOBODY = 0
#: Threads for those who come, of each event loop; the others are for those who take part.
_ARRIVING = 4
_arriving: RunVar[CapacityLimiter] = RunVar("arriving")
#: Characters of a header with a token: the name of a block may have 200, each of up to 12 bytes in JSON.
_TOKEN = 6000
_PREVIEW = {"outcome": "completed", "code": None, "url": None, "preview": True}


@dataclass(frozen=True)
class Service:
    """What all routes share.

    Attributes:
        study: served.
        database: of the study.
        identity: of the database; what tokens are valid for.
        secrets: of the study.
        clock: seconds since 1970.
        rates: requests so far.
        practice: whether practice mode is offered after the end.
    """

    study: StudyFolder
    database: Database
    identity: str
    secrets: Secrets
    clock: Callable[[], float]
    rates: RateLimit
    practice: bool = False


@dataclass(frozen=True)
class Holder:
    """Who a token belongs to: an assignment and its block; a preview has no assignment."""

    assignment: int
    block: str

    @property
    def preview(self) -> bool:
        """Whether nothing that they send is stored."""
        return self.assignment == _NOBODY


async def service_of(request: Request) -> Service:
    """The service of the running application. Not a plain function, as the next: those wait for a thread."""
    service: Service = request.app.state.service
    return service


Serving = Annotated[Service, Depends(service_of)]


def bearer_token(authorization: str) -> str:
    """The token of an ``Authorization: Bearer`` header.

    Raises:
        Refused: there is none.
    """
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise Refused(Reason.TOKEN)
    return token


async def holder_of(
    service: Serving, authorization: Annotated[str, Header(max_length=_TOKEN)] = ""
) -> Holder:
    """Who sends a request, by its token.

    Raises:
        Refused: the token is forged, too old or of another study, its holder sends more than a person does, or its block was
            added since this server started.
    """
    limits = service.study.settings.limits
    payload = service.secrets.verify(bearer_token(authorization), limits.hours, service.clock())
    if payload.get("study") != service.identity:
        raise Refused(Reason.TOKEN)
    found = Holder(int(payload["assignment"]), str(payload["block"]))
    if not service.rates.allows(f"session {found.assignment}", limits.requests_per_minute):
        raise Refused(Reason.BUSY)
    if found.block not in service.study.schedule.positions:
        raise Refused(Reason.OUTDATED)
    return found


Held = Annotated[Holder, Depends(holder_of)]
router = APIRouter(prefix="/api")


def _limiter() -> CapacityLimiter:
    found = _arriving.get(None)
    if found is None:
        _arriving.set(found := CapacityLimiter(_ARRIVING))
    return found


@router.post("/join")
async def joining(given: Join, request: Request, service: Serving) -> dict[str, Any]:
    """A token for the participant's block. However many come at once, few are seated at a time: answers go first."""
    return await to_thread.run_sync(_joined, given, request, service, limiter=_limiter())


def _joined(given: Join, request: Request, service: Service) -> dict[str, Any]:
    study, settings = service.study, service.study.settings
    if not service.rates.allows("joining", 20 * settings.limits.requests_per_minute):
        raise Refused(Reason.BUSY)
    if given.source == "preview":
        found, consented = Holder(_NOBODY, next(iter(study.schedule.blocks))), False
    else:
        agent = request.headers.get("user-agent", "")[:400] if settings.privacy.user_agent else None
        key = service.secrets.participant_key(given.source, given.participant)
        seat = join(service.database, study, key, given.source, service.clock(), agent)
        found, consented = Holder(seat.assignment, seat.block), seat.consented
    token = service.secrets.sign({**asdict(found), "study": service.identity}, service.clock())
    return {"token": token, "consented": consented, "preview": found.preview}


@router.get("/session")
async def session(held: Held, service: Serving) -> dict[str, Any]:
    """Texts, trials, and which of them are answered."""
    return await to_thread.run_sync(_session, held, service, limiter=_limiter())


def _session(held: Holder, service: Service) -> dict[str, Any]:
    done = [] if held.preview else answered(service.database, held.assignment)
    texts = _texts(service.study)
    return {
        **texts,
        "block": held.block,
        "preview": held.preview,
        "practice_mode": service.practice,
        "trials": _trials(service.study, held),
        "answered": done,
    }


@router.post("/consent")
def consent(held: Held, service: Serving) -> dict[str, Any]:
    """The participant agrees."""
    if not held.preview:
        record_consent(service.database, service.study.settings, held.assignment, service.clock())
    return {"stored": not held.preview}


@router.post("/answers", response_model=None)
def answers(given: GivenAnswer, held: Held, service: Serving) -> JSONResponse:
    """Stores an answer; acknowledged only once it is on disk."""
    if held.preview:
        return JSONResponse({"stored": False, "preview": True})
    new = store(service.database, service.study, held.assignment, held.block, _answer(given), service.clock())
    return JSONResponse({"stored": True, "new": new})


@router.post("/complete")
def completing(held: Held, service: Serving) -> dict[str, Any]:
    """The completion code, once every answer is stored."""
    if held.preview:
        return _PREVIEW
    return asdict(complete(service.database, service.study, held.assignment, service.clock()))


@router.post("/decline")
def decline(held: Held, service: Serving) -> dict[str, Any]:
    """The participant does not agree."""
    return _leave(service, held, "no_consent")


@router.post("/incompatible")
def incompatible(held: Held, service: Serving) -> dict[str, Any]:
    """The participant's device does not play the clips."""
    return _leave(service, held, "incompatible")


def _leave(service: Service, held: Holder, outcome: Outcome) -> dict[str, Any]:
    if held.preview:
        return {**_PREVIEW, "outcome": outcome}
    leave(service.database, held.assignment, service.clock())
    return asdict(ending(service.study, outcome))


def _answer(given: GivenAnswer) -> Answer:
    details = given.model_dump(exclude={"client_id", "trial", "stimuli", "odd", "rt"})
    first, second, third = given.stimuli
    return Answer(str(given.client_id), given.trial, (first, second, third), given.odd, given.rt, details)


def _texts(study: StudyFolder) -> dict[str, Any]:
    practice = [[_clip(study, name) for name in triplet] for triplet in study.settings.practice]
    return {**study.settings.texts(), "practice": practice}


def _trials(study: StudyFolder, held: Holder) -> list[dict[str, Any]]:
    return [
        {"trial": trial.number, "clips": [_clip(study, name) for name in shown_order(trial, held.assignment)]}
        for trial in study.schedule.blocks[held.block]
    ]


def _clip(study: StudyFolder, stimulus_id: str) -> dict[str, str]:
    return {"id": stimulus_id, "url": clip_url(stimulus_id, study.clips[stimulus_id])}
