"""A small Hugging Face hub on this machine: repositories, commits, files and their revisions, as its client speaks to it."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "hf_fake"  # accepted for writing


class FakeHub:
    """Repositories by id: commit -> file -> bytes, and branch or tag -> commit; ``asked`` are the requests that came."""

    def __init__(self) -> None:
        self.commits: dict[str, dict[str, dict[str, bytes]]] = {}
        self.refs: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.down = False

    def commit(self, name: str, files: dict[str, bytes], deleted: set[str] = frozenset()) -> str:
        """Add a commit to the main branch."""
        known = self.commits.setdefault(name, {})
        refs = self.refs.setdefault(name, {})
        now = {k: v for k, v in known.get(refs.get("main", ""), {}).items() if k not in deleted} | files
        oid = hashlib.sha1(f"{len(known)}{sorted(now)}".encode()).hexdigest()
        known[oid], refs["main"] = now, oid
        return oid

    def at(self, name: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        """Commit and files of a revision."""
        oid = self.refs[name].get(revision, revision)
        return (oid, self.commits[name][oid]) if oid in self.commits[name] else None


def _handler(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

        def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
            self.send_response(status)
            for key, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(key.replace("_", "-"), value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def json(self, value: object, status: int = 200, **headers: str) -> None:
            self.answer(status, json.dumps(value).encode(), Content_Type="application/json", **headers)

        def refuse(self, status: int, code: str, said: str) -> None:
            self.json({"error": said}, status, X_Error_Code=code, X_Error_Message=said)

        def do_GET(self) -> None:
            hub.asked.append(f"{self.command} {self.path}")
            if hub.down:
                return self.refuse(503, "", "down for maintenance")
            parts = self.path.partition("?")[0].strip("/").split("/")
            if parts[:2] == ["api", "models"]:
                return self.listing("/".join(parts[2:4]), parts[5] if len(parts) > 5 else "main")
            name, revision, file = "/".join(parts[:2]), parts[3], "/".join(parts[4:])
            if name not in hub.commits:
                return self.refuse(401, "RepoNotFound", "Repository not found")
            found = hub.at(name, revision)
            if found is None:
                return self.refuse(404, "RevisionNotFound", "Invalid rev id")
            oid, files = found
            if file not in files:
                return self.refuse(404, "EntryNotFound", "Entry not found")
            etag = hashlib.sha256(files[file]).hexdigest()
            return self.answer(200, files[file], X_Repo_Commit=oid, ETag=f'"{etag}"')

        do_HEAD = do_GET

        def listing(self, name: str, revision: str) -> None:
            if name not in hub.commits:
                return self.refuse(404, "RepoNotFound", "Repository not found")
            found = hub.at(name, revision) or ("", {})
            rows = [
                {"type": "file", "path": k, "size": len(v), "oid": hashlib.sha1(v).hexdigest()}
                for k, v in found[1].items()
            ]
            return self.json(rows)

        def do_POST(self) -> None:
            hub.asked.append(f"POST {self.path}")
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/api/validate-yaml":
                return self.json({"errors": [], "warnings": []})
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                return self.refuse(403, "", "You don't have the rights to write here")
            if self.path == "/api/repos/create":
                asked = json.loads(body)
                name = f"{asked['organization']}/{asked['name']}"
                hub.commits.setdefault(name, {})
                hub.refs.setdefault(name, {})
                return self.json({"url": f"http://{self.headers['Host']}/{name}", "name": name})
            name = "/".join(self.path.split("/")[3:5])
            if "/preupload/" in self.path:
                files = [file["path"] for file in json.loads(body)["files"]]
                rows = [{"path": one, "uploadMode": "regular", "shouldIgnore": False} for one in files]
                return self.json({"files": rows})
            rows = [json.loads(line) for line in body.splitlines()]
            added = {
                row["value"]["path"]: base64.b64decode(row["value"]["content"])
                for row in rows
                if row["key"] == "file"
            }
            deleted = {row["value"]["path"] for row in rows if row["key"] == "deletedFile"}
            oid = hub.commit(name, added, deleted)
            return self.json(
                {"commitOid": oid, "commitUrl": f"http://{self.headers['Host']}/{name}/commit/{oid}"}
            )

    return Handler


@contextmanager
def running(hub: FakeHub) -> Iterator[str]:
    """Serve it on a free port; yields its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
