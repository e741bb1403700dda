"""Hosts of bundles, on loopback: of files alone, with a fake of DataPipe, or with a fake of JATOS."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

FAKE = Path(__file__).with_name("fake_jatos.js")


class Files(SimpleHTTPRequestHandler):
    """Any host that serves files."""

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""

    def answer(self, status: int, body: Any) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def body(self) -> str:
        return self.rfile.read(int(self.headers["content-length"])).decode()


class Pipe(Files):
    """DataPipe: a file has a name that no other has; other sites may ask."""

    files: dict[str, str]
    #: Answers given before any file is saved.
    faults: list[tuple[int, str]]

    def end_headers(self) -> None:
        self.send_header("access-control-allow-origin", "*")
        self.send_header("access-control-allow-headers", "content-type")
        super().end_headers()

    def do_OPTIONS(self) -> None:
        self.answer(200, {})

    def do_POST(self) -> None:
        given = json.loads(self.body())
        assert (self.path, given["experimentID"]) == ("/api/data/", "AbC123")
        if self.faults:
            status, error = self.faults.pop(0)
            return self.answer(status, {"error": error})
        if given["filename"] in self.files:
            return self.answer(400, {"error": "OSF_FILE_EXISTS"})
        self.files[given["filename"]] = given["data"]
        return self.answer(201, {"message": "Success"})


class JatosRun(Files):
    """JATOS with one study run; results of a component that was loaded again are apart, as there."""

    state: dict[str, Any]

    def do_GET(self) -> None:
        state = self.state
        if self.path == "/jatos.js":
            text = FAKE.read_bytes()
            self.send_response(200)
            self.send_header("content-type", "text/javascript")
            self.end_headers()
            self.wfile.write(text)
        elif self.path == "/initData":
            state["results"].append("")
            self.answer(200, {key: state[key] for key in ("session", "batch", "version", "query")})
        elif self.path.startswith("/end"):
            state["ended"] = self.path
            self.answer(200, {})
        else:
            super().do_GET()

    def do_POST(self) -> None:
        state, text = self.state, self.body()
        if state["faults"]:
            state["faults"] -= 1
            return self.answer(503, {})
        if self.path == "/resultData":
            state["results"][-1] += text
        elif self.path == "/studySessionData":
            state["session"] = json.loads(text)
        elif self.path == "/batchSession":
            given = json.loads(text)
            if given["version"] != state["version"]:
                return self.answer(409, {"batch": state["batch"], "version": state["version"]})
            patch(state["batch"], given["patch"])
            state["version"] += 1
            return self.answer(200, {"batch": state["batch"], "version": state["version"]})
        return self.answer(200, {})


def patch(data: dict[str, Any], given: dict[str, Any]) -> None:
    """A JSON patch of one operation."""
    *above, name = given["path"][1:].split("/")
    for each in above:
        data = data[each]
    if given["op"] == "remove":
        del data[name]
    else:
        data[name] = given["value"]


@contextmanager
def host(kind: type[Files], folder: Path, **settings: Any) -> Iterator[tuple[str, type[Files]]]:
    """The address of a host, and its class, which holds what it was given."""
    made = type(kind.__name__, (kind,), settings)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(made, directory=str(folder)))  # type: ignore[arg-type]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
