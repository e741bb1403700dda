"""The jsPsych plugin in a real browser: its example, under a strict content security policy, with clips that are made here."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from browser import BROWSER

av = pytest.importorskip("av", reason="no av: clips cannot be made")
playwright = pytest.importorskip(
    "playwright.sync_api", reason="no playwright (pip install 'bgs-video[browser]')"
)

PLUGIN = Path(__file__).parents[2] / "web/plugin-odd-one-out"
BUILT = (PLUGIN / "dist/odd-one-out.iife.js", PLUGIN / "node_modules/jspsych/dist/index.browser.min.js")
pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine"),
    pytest.mark.skipif(
        not all(path.is_file() for path in BUILT),
        reason=f"not built (npm ci && npm run build in {PLUGIN.name})",
    ),
]

COLOURS = {"red": (220, 30, 30), "green": (30, 180, 30), "blue": (30, 30, 220)}
SECONDS = 0.8
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; media-src blob:; font-src data:; "
    "img-src 'self'; base-uri 'none'; form-action 'none'"
)
#: Counts the object URLs that are not revoked, and the largest number there was.
COUNT_URLS = """
window.urls = {live: new Set(), most: 0};
const make = URL.createObjectURL, revoke = URL.revokeObjectURL;
URL.createObjectURL = (blob) => {
  const url = make.call(URL, blob);
  urls.live.add(url);
  urls.most = Math.max(urls.most, urls.live.size);
  return url;
};
URL.revokeObjectURL = (url) => { urls.live.delete(url); revoke.call(URL, url); };
"""
#: The mean colour of each clip's present frame.
SEEN = """() => [...document.querySelectorAll("video")].map((video) => {
  const canvas = new OffscreenCanvas(1, 1), context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
})"""
#: As iOS does in low-power mode.
REFUSE_UNTIL_TAPPED = """
const play = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () {
  if (navigator.userActivation.hasBeenActive) return play.call(this);
  return Promise.reject(new DOMException("a tap is wanted", "NotAllowedError"));
};
"""
#: A function, not an expression: the policy forbids evaluating strings.
MOVING = "() => [...document.querySelectorAll('video')].every((clip) => clip.currentTime > 0.2)"
ENABLED = ".odd-one-out-clip:enabled"


class Server(ThreadingHTTPServer):
    """The plugin's folder, with clips from another one; what it is to refuse at first is set by path."""

    daemon_threads = True
    clips: Path
    refusals: dict[str, list[int]]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(SimpleHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        if self.path == "/favicon.ico":  # browsers ask by themselves
            self.send_response(204)
            self.end_headers()
            return
        if refusals := self.server.refusals.get(self.path):
            self.send_error(refusals.pop(0))
            return
        super().do_GET()

    def translate_path(self, path: str) -> str:
        folder, _, name = path.rpartition("/")
        return str(self.server.clips / name) if folder == "/example/clips" else super().translate_path(path)

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(("127.0.0.1", 0), lambda *a: Handler(*a, directory=str(PLUGIN))) as server:  # type: ignore[arg-type]
        server.clips, server.refusals = tmp_path_factory.mktemp("clips"), {}
        for name, colour in COLOURS.items():
            write_clip(server.clips / f"{name}.mp4", colour)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER)
        yield browser
        browser.close()


class Page:
    """A page of the example, with everything that it asked for and complained about."""

    def __init__(self, chromium: Any, server: Server, go: bool = True, **settings: Any) -> None:
        self.page = chromium.new_page(**settings)
        self.page.set_default_timeout(60_000)
        self.server = server
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console",
            lambda message: self.complaints.append(message.text) if message.type == "error" else None,
        )
        self.page.add_init_script(COUNT_URLS)
        if go:
            self.go()

    def go(self) -> None:
        self.page.goto(f"{self.server.url}/example/index.html")

    def enabled(self) -> None:
        self.page.wait_for_selector(ENABLED)

    def picture(self, folder: Path, name: str) -> None:
        """To look at: kept where BGS_SCREENSHOTS says."""
        self.page.screenshot(path=Path(os.environ.get("BGS_SCREENSHOTS", folder)) / f"odd-one-out-{name}.png")

    def clip(self, slot: int) -> Any:
        return self.page.locator(".odd-one-out-clip").nth(slot)

    def chosen(self) -> None:
        self.page.wait_for_function(f"() => document.querySelector('{ENABLED}') === null")

    def data(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.page.locator("#jspsych-data-display").inner_text())
        return found


@pytest.fixture
def open_page(chromium: Any, server: Server) -> Iterator[Any]:
    opened: list[Page] = []

    def _open(**settings: Any) -> Page:
        opened.append(Page(chromium, server, **settings))
        return opened[-1]

    yield _open
    for page in opened:
        page.page.close()
    server.refusals.clear()


def write_clip(path: Path, colour: tuple[int, int, int]) -> None:
    """One colour, and a white square that moves from left to right."""
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for i in range(round(30 * SECONDS)):
            picture = np.full((240, 320, 3), colour, dtype=np.uint8)
            picture[100:140, 10 * i : 10 * i + 40] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def nearest(colour: list[int]) -> str:
    return min(COLOURS, key=lambda name: float(np.abs(np.subtract(COLOURS[name], colour)).sum()))


def test_three_trials_by_key_mouse_and_touch(open_page):
    opened = open_page(has_touch=True)
    page, seen = opened.page, []
    for act in (
        lambda: page.keyboard.press("2"),
        lambda: opened.clip(2).click(),
        lambda: opened.clip(0).tap(),
    ):
        opened.enabled()
        seen.append([nearest(colour) for colour in page.evaluate(SEEN)])
        act()
        opened.chosen()
    data = opened.data()
    assert [trial["odd_id"] for trial in data] == ["green", "green", "blue"]
    assert seen == [trial["stimuli"] for trial in data]
    assert seen[1] == ["red", "red", "green"]  # one clip twice: both play
    for trial in data:
        assert min(trial["plays"]) >= 1
        assert trial["enabled_after"] >= 1000 * SECONDS
        assert trial["rt"] >= 0
        assert trial["playback_errors"] == []
        assert trial["tapped_to_play"] is trial["reloaded"] is False
    assert opened.complaints == []
    assert all(url.startswith((f"{opened.server.url}/", "blob:")) for url in opened.asked)
    fetched = [url.rpartition("/")[2] for url in opened.asked if url.endswith(".mp4")]
    assert sorted(fetched) == ["blue.mp4", "green.mp4", "red.mp4"]
    assert page.evaluate("[urls.live.size, urls.most, document.querySelectorAll('video').length]") == [
        0,
        3,
        0,
    ]


@pytest.mark.slow
def test_a_clip_that_the_server_refuses_at_first_and_a_page_loaded_again(open_page, server):
    server.refusals["/example/clips/green.mp4"] = [503, 503]
    opened = open_page()
    opened.enabled()
    opened.page.reload()
    for _ in range(3):
        opened.enabled()
        opened.page.keyboard.press("1")
        opened.chosen()
    data = opened.data()
    assert [trial["reloaded"] for trial in data] == [True, False, False]
    assert server.refusals["/example/clips/green.mp4"] == []
    assert all("503" in complaint for complaint in opened.complaints)


WIDTHS = pytest.mark.parametrize(("width", "height"), [(1100, 800), (390, 844)])


@WIDTHS
def test_a_clip_that_cannot_be_played_does_not_hang_the_study(open_page, tmp_path, width, height):
    opened = open_page(viewport={"width": width, "height": height}, go=False)
    page = opened.page
    page.route("**/green.mp4", lambda route: route.fulfill(body="no clip", content_type="video/mp4"))
    opened.go()
    page.get_by_role("button", name="Try again").wait_for()
    opened.picture(tmp_path, f"failed-{width}")
    page.get_by_role("button", name="Go on without these clips").click()
    page.unroute("**/green.mp4")
    for _ in range(2):
        opened.enabled()
        page.keyboard.press("3")
        opened.chosen()
    first, *others = opened.data()
    assert first["odd"] is first["rt"] is first["enabled_after"] is None
    assert first["playback_errors"] == [{"slot": 1, "error": "unsupported", "count": 3}]
    assert [trial["odd"] for trial in others] == [2, 2]


def test_a_browser_that_wants_a_tap(open_page, tmp_path):
    opened = open_page(viewport={"width": 390, "height": 844}, has_touch=True, go=False)
    opened.page.add_init_script(REFUSE_UNTIL_TAPPED)
    opened.go()
    opened.page.get_by_role("button", name="Tap to play the clips").wait_for()
    opened.picture(tmp_path, "tap-390")
    opened.page.get_by_role("button", name="Tap to play the clips").tap()
    for slot in range(3):
        opened.enabled()
        opened.clip(slot).tap()
        opened.chosen()
    assert [trial["odd"] for trial in opened.data()] == [0, 1, 2]
    assert [trial["tapped_to_play"] for trial in opened.data()] == [True, False, False]
    assert opened.complaints == []


@WIDTHS
def test_the_three_clips_are_in_view(open_page, tmp_path, width, height):
    opened = open_page(viewport={"width": width, "height": height})
    opened.page.wait_for_function(MOVING)
    opened.picture(tmp_path, f"watch-{width}")
    opened.enabled()
    boxes = [opened.clip(slot).bounding_box() for slot in range(3)]
    for box in boxes:
        assert 0 <= box["x"] <= box["x"] + box["width"] <= width
        assert 0 <= box["y"] <= box["y"] + box["height"] <= height
        assert min(box["width"], box["height"]) >= 44  # large enough for a finger
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    along = "x" if width > height else "y"
    assert boxes[0][along] < boxes[1][along] < boxes[2][along]
    opened.picture(tmp_path, f"choose-{width}")
