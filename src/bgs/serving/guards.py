"""Around every request: security headers, a limit of size, and one of rate."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Nothing but what this server itself sends; no script or style inside a page.
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
#: Bytes of a request's body; an answer has a few hundred.
MAX_BODY = 8192


def guard(app: FastAPI, csp: str = CSP, uploads: Collection[str] = ()) -> None:
    """Put the headers and the limit around an application; what it refuses is said in JSON, without what was sent.

    Args:
        app: to guard.
        csp: content security policy of every response.
        uploads: ends of the paths whose bodies are files: those routes count the bytes themselves.
    """
    app.add_middleware(BodyLimit, uploads=tuple(uploads))
    app.add_middleware(SecurityHeaders, csp=csp)
    say_errors(app)


def say_errors(app: FastAPI) -> None:
    """Say every refusal of an application in one shape, ``{"error": …}``; one that is mounted in another needs its own."""

    @app.exception_handler(RequestValidationError)
    def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        where = [".".join(map(str, fault["loc"])) for fault in error.errors()]
        return JSONResponse({"error": "invalid", "where": where}, 422)

    @app.exception_handler(HTTPException)
    def refused(_request: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"error": error.detail}, error.status_code, error.headers)


class SecurityHeaders:
    """Adds the headers to every response, and keeps answers out of caches."""

    def __init__(self, app: ASGIApp, csp: str = CSP) -> None:
        self.app = app
        self.headers = {"content-security-policy": csp, **_HEADERS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)


class BodyLimit:
    """Refuses bodies above :data:`MAX_BODY` bytes, by their declared and by their real length, and those that do not end.

    Args:
        app: what gets the whole body.
        seconds: within which it must have come.
        uploads: ends of the paths that are let through, because their routes limit what they read.
    """

    def __init__(self, app: ASGIApp, seconds: float = 20.0, uploads: tuple[str, ...] = ()) -> None:
        self.app, self.seconds, self.uploads = app, seconds, uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].endswith(self.uploads):
            await self.app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self.seconds):
                body = await _body(Headers(scope=scope).get("content-length", "0"), receive)
        except TimeoutError:
            await JSONResponse({"error": "too-slow"}, 408, {"connection": "close"})(scope, receive, send)
            return
        if body is None:  # the browser has gone
            return
        if len(body) > MAX_BODY:
            await JSONResponse({"error": "too-large", "limit": MAX_BODY}, 413)(scope, receive, send)
            return
        given = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def again() -> Message:
            return next(given, None) or await receive()

        await self.app(scope, again, send)


async def _body(declared: str, receive: Receive) -> bytes | None:
    """A body, or the beginning of one that is too long; None where it ended early."""
    if not declared.isdigit() or int(declared) > MAX_BODY:
        return bytes(MAX_BODY + 1)
    body, more = b"", True
    while more and len(body) <= MAX_BODY:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


class RateLimit:
    """A bucket of requests per name, refilled evenly over a minute.

    Args:
        clock: seconds that never go back, whatever the wall clock does.
        names: names remembered; the ones not heard of for longest are forgotten.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, names: int = 100_000) -> None:
        self.clock, self.names = clock, names
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def allows(self, name: str, per_minute: int) -> bool:
        """Take one request out of the bucket of ``name``; whether there was one."""
        with self._lock:
            now = self.clock()
            left, then = self._buckets.pop(name, (float(per_minute), now))
            left = min(float(per_minute), left + (now - then) * per_minute / 60)
            self._buckets[name] = (max(left - 1, 0.0) if left >= 1 else left, now)
            if len(self._buckets) > self.names:
                self._buckets.popitem(last=False)
            return left >= 1
