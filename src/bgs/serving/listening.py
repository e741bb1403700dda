"""A socket and a server on it."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from bgs._errors import BgsError

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI


def listen(host: str, port: int) -> socket.socket:
    """A socket, open before anything else is done.

    Args:
        host: interface to listen on; ``0.0.0.0`` for all of them.
        port: 0 takes a free one.

    Raises:
        BgsError: the port is taken, or cannot be used.
    """
    try:
        host.encode("idna")  # else the socket would say so, and stay open
        return socket.create_server((host, port), backlog=1024)
    except (OSError, OverflowError, ValueError) as error:
        raise BgsError(
            f"cannot listen here: {_reason(error)}",
            where=f"{host}:{port}",
            hint="another --port, or 0 for a free one",
        ) from error


def _reason(error: Exception) -> str:
    """What the system says, without the number of the error and the address, which the message has."""
    number = getattr(error, "errno", None) or 0
    return os.strerror(number) if number > 0 else str(getattr(error, "strerror", None) or error)


class AppServer:
    """An application that is ready to be served.

    Attributes:
        socket: open already; see :func:`listen`.
        app: the application.
    """

    socket: socket.socket
    app: FastAPI

    def run(self) -> None:
        """Serve until interrupted."""
        self.server().run(sockets=[self.socket])

    def server(self) -> uvicorn.Server:
        """What :meth:`run` runs."""
        import uvicorn

        # h11, because it bounds the size of headers.
        return uvicorn.Server(
            uvicorn.Config(
                self.app,
                http="h11",
                access_log=False,
                log_level="warning",
                server_header=False,
                lifespan="off",
            )
        )
