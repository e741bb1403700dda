"""Verified download against a server of our own: ranges or none, cut transfers, wrong bytes, mirrors."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bgs._errors import DataError
from bgs.datasets.download import card_folder, fetch, is_fetched
from bgs.datasets.registry import GARCIA_ISIK, DatasetCard, RemoteFile

CONTENT = bytes(range(256)) * 1000
NAME = "data/table.csv"


@dataclass
class Server:
    """What the server does, and the path of each request it got."""

    content: bytes = CONTENT
    length_known: bool = True
    cut_after: int | None = None
    status: int = 200
    seen: list[str] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def server() -> Iterator[Server]:
    behaviour = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            behaviour.seen.append(self.path)
            if behaviour.status != 200:
                self.send_error(behaviour.status)
                return
            body = behaviour.content
            self.send_response(200)
            if behaviour.length_known:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: behaviour.cut_after])

        def log_message(self, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    behaviour.url = f"http://127.0.0.1:{http.server_port}"
    yield behaviour
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DatasetCard:
    """A card of one file, with an empty cache and no mirror."""
    monkeypatch.setenv("BGS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("BGS_DATA_MIRROR", raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    file = RemoteFile(NAME, hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
    return replace(GARCIA_ISIK, name="toy", owner="o", repo="r", commit="c", files=(file,))


def test_download_reports_progress_and_is_not_repeated(server: Server, card: DatasetCard) -> None:
    steps: list[tuple[str, int, int]] = []
    folder = fetch(card, progress=lambda *step: steps.append(step), host=server.url)
    assert (folder / NAME).read_bytes() == CONTENT
    assert steps[-1] == (NAME, len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in steps] == sorted(done for _, done, _ in steps)
    assert is_fetched(card)
    fetch(card, host=server.url)
    assert server.seen == [f"/{card.folder}/{NAME}"]
    assert [path.name for path in (folder / "data").iterdir()] == ["table.csv"]


@pytest.mark.parametrize(
    ("length_known", "message"),
    [
        (True, r"cannot download: .*IncompleteRead\(100000 bytes read, 156000 more expected\) \(try again"),
        (False, r"wrong SHA-256; .* \(100000 of 256000 bytes, discarded; try again\)"),
    ],
)
def test_after_a_cut_transfer_whole_files_stay_and_nothing_else(
    server: Server, card: DatasetCard, length_known: bool, message: str
) -> None:
    """Files are too small for resuming: the one that broke is fetched anew, those before it are not."""
    both = replace(card, files=(*card.files, replace(card.files[0], path="data/second.csv")))
    fetch(card, host=server.url)
    server.cut_after, server.length_known = 100_000, length_known
    with pytest.raises(DataError, match=rf"second\.csv: {message}"):
        fetch(both, host=server.url)
    assert [path.name for path in (card_folder(card) / "data").iterdir()] == ["table.csv"]
    server.cut_after = None
    assert (fetch(both, host=server.url) / "data/second.csv").read_bytes() == CONTENT
    assert server.seen == [f"/{card.folder}/{NAME}", *[f"/{card.folder}/data/second.csv"] * 2]


def test_names_with_spaces_are_quoted_in_addresses(server: Server, card: DatasetCard) -> None:
    named = replace(card, files=(replace(card.files[0], path="clips/5814_talk to #1.mp4"),))
    assert (fetch(named, host=server.url) / "clips/5814_talk to #1.mp4").read_bytes() == CONTENT
    assert server.seen == [f"/{card.folder}/clips/5814_talk%20to%20%231.mp4"]


def test_wrong_content_is_discarded(server: Server, card: DatasetCard) -> None:
    server.content = CONTENT[::-1]
    with pytest.raises(DataError, match=f"wrong SHA-256; expected {card.files[0].sha256}, got .*discarded"):
        fetch(card, host=server.url)
    assert not is_fetched(card)
    assert list((card_folder(card) / "data").iterdir()) == []


def test_an_endless_answer_is_not_swallowed(server: Server, card: DatasetCard) -> None:
    server.content = CONTENT * 10
    with pytest.raises(DataError, match="too many bytes; expected 256000"):
        fetch(card, host=server.url)
    assert list((card_folder(card) / "data").iterdir()) == []


def test_network_trouble_names_the_way_out(server: Server, card: DatasetCard) -> None:
    server.status = 404
    with pytest.raises(DataError, match=r"cannot download: HTTP 404 .*--mirror DIR or BGS_DATA_MIRROR"):
        fetch(card, host=server.url)
    with pytest.raises(
        DataError, match=r"cannot download: .*refused.*--mirror DIR or BGS_DATA_MIRROR"
    ) as caught:
        fetch(card, host="http://127.0.0.1:9")
    assert "Max retries" not in str(caught.value)  # the cause, not the layers around it


def test_a_changed_file_in_the_cache_is_an_error(server: Server, card: DatasetCard) -> None:
    path = fetch(card, host=server.url) / NAME
    path.write_bytes(b"changed")
    with pytest.raises(DataError, match=r"wrong SHA-256; expected .* got .*`bgs data fetch toy`") as caught:
        fetch(card, host=server.url)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("by_environment", [True, False])
def test_a_mirror_needs_no_network(
    card: DatasetCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_environment: bool
) -> None:
    original = tmp_path / "mirror" / card.folder / NAME
    original.parent.mkdir(parents=True)
    original.write_bytes(CONTENT)
    if by_environment:
        monkeypatch.setenv("BGS_DATA_MIRROR", str(tmp_path / "mirror"))
    mirror = None if by_environment else tmp_path / "mirror"
    assert (fetch(card, mirror, host="http://127.0.0.1:9") / NAME).read_bytes() == CONTENT


def test_a_mirror_that_lacks_or_changed_a_file(card: DatasetCard, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such mirror folder"):
        fetch(card, tmp_path / "nowhere")
    with pytest.raises(DataError, match="not in the mirror; expected a file of 256000 bytes"):
        fetch(card, tmp_path)
    original = tmp_path / card.folder / NAME
    original.parent.mkdir(parents=True)
    original.write_bytes(b"other")
    with pytest.raises(DataError, match=r"wrong SHA-256.*the mirror has a different version"):
        fetch(card, tmp_path)
    assert not is_fetched(card)


def test_an_unwritable_cache_is_one_line(
    server: Server, card: DatasetCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("BGS_CACHE", str(tmp_path / "file"))
    with pytest.raises(DataError, match="cannot write: Not a directory"):
        fetch(card, host=server.url)


def test_what_is_fetched_can_be_read_by_others_and_nothing_is_said_beside_the_progress(
    server: Server, card: DatasetCard, capfd: pytest.CaptureFixture[str]
) -> None:
    path = fetch(card, host=server.url) / NAME
    assert path.stat().st_mode & 0o777 == 0o644
    assert capfd.readouterr() == ("", "")
