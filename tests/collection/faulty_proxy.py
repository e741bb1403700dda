"""A bad network between a participant and the server: it drops, delays, doubles and reorders requests."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

#: What becomes of a request; the others pass.
FAULTS = ("drop request", "drop response", "delay", "double", "hold back")
_END = b"\r\n\r\n"


@dataclass
class FaultyProxy:
    """Forwards each request on a connection of its own, with faults drawn from a seed.

    Attributes:
        server: port of the server on this machine.
        chances: fault -> probability.
        seed: of the draws; which request meets which fault depends on the order in which they come.
        done: fault -> how often.
        address: where it listens.
    """

    server: int
    chances: dict[str, float]
    seed: int = 0
    done: Counter[str] = field(default_factory=Counter)
    address: str = ""

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._late: set[asyncio.Task[bytes]] = set()

    async def serve(self, ready: threading.Event, end: asyncio.Event) -> None:
        async with await asyncio.start_server(self._meet, "127.0.0.1", 0, backlog=1024) as server:
            self.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            ready.set()
            await end.wait()
            lost = await asyncio.gather(*self._late, return_exceptions=True)
            for error in lost:
                if isinstance(error, BaseException) and not isinstance(error, OSError):  # the server was away
                    raise error

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _message(reader)
            response = await self._answer(request) if request else None
            if response:
                writer.write(response)
                await writer.drain()
        except OSError:
            pass  # the server was away, or the client has gone: another lost response
        finally:
            writer.close()

    async def _answer(self, request: bytes) -> bytes | None:
        """None where the client hears nothing."""
        kinds, weights = list(self.chances), list(self.chances.values())
        (fault,) = self._random.choices([*kinds, "pass"], [*weights, 1 - sum(weights)])
        self.done[fault] += 1
        if fault == "drop request":
            return None
        if fault == "hold back":  # it comes after its own retry, and after what the participant sends then
            self._later(request, self._random.uniform(0.2, 1.0))
            return None
        if fault == "delay":
            await asyncio.sleep(self._random.uniform(0.0, 0.3))
        if fault == "double":
            self._later(request, self._random.choice((0.0, 0.01, 0.3)))
        response = await self._forward(request)
        return None if fault == "drop response" else response

    def _later(self, request: bytes, seconds: float) -> None:
        async def forward() -> bytes:
            await asyncio.sleep(seconds)
            return await self._forward(request)

        self._late.add(asyncio.ensure_future(forward()))

    async def _forward(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server)
        try:
            writer.write(request)
            await writer.drain()
            return await reader.read()
        finally:
            writer.close()


async def _message(reader: asyncio.StreamReader) -> bytes:
    """A request with its body; empty where the client has gone. The connection ends with the response."""
    try:
        head = await reader.readuntil(_END)
        lines = head.removesuffix(_END).split(b"\r\n")
        headers = {
            name.strip().lower(): value for name, _, value in (line.partition(b":") for line in lines[1:])
        }
        body = await reader.readexactly(int(headers.get(b"content-length", b"0")))
    except asyncio.IncompleteReadError:
        return b""
    kept = [line for line in lines if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([*kept, b"connection: close"]) + _END + body


@contextmanager
def faulty_network(server: int, chances: dict[str, float], seed: int = 0) -> Iterator[FaultyProxy]:
    """A proxy before the server at a port; what it holds back arrives before this ends."""
    proxy, ready, loop, end = (
        FaultyProxy(server, chances, seed),
        threading.Event(),
        asyncio.new_event_loop(),
        asyncio.Event(),
    )
    thread = threading.Thread(target=lambda: loop.run_until_complete(proxy.serve(ready, end)))
    thread.start()
    ready.wait()
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join()
        loop.close()
