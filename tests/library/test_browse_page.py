"""The page of an index in a real browser. With BGS_BROWSE_SCREENSHOTS=FOLDER, the slow test keeps its pictures there."""

from __future__ import annotations

import json
import math
import os
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from browsed_index import IDS, browsed_index
from small_index import small_index

from bgs.library.browsing.serving import PAGE, BrowseServer
from browser import BROWSER, needs_page

playwright = pytest.importorskip(
    "playwright.sync_api", reason="no playwright (pip install 'bgs-video[browser]')"
)
pytestmark = needs_page(PAGE / "index.html")
SHOTS = os.environ.get("BGS_BROWSE_SCREENSHOTS")
#: Software draws the points where there is no graphics card: a small window is quicker.
SMALL = {"width": 900, "height": 560}
SIZES = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
MANY = 10_000
#: Milliseconds between frames while the map of MANY clips is dragged by its own camera.
FRAMES = """async () => {
  const canvas = document.querySelector("canvas");
  const box = canvas.getBoundingClientRect();
  const wheel = (deltaY) => canvas.dispatchEvent(new WheelEvent("wheel", {
    deltaY, clientX: box.left + box.width / 2, clientY: box.top + box.height / 2, bubbles: true, cancelable: true }));
  const times = [];
  let last = await new Promise(requestAnimationFrame);
  for (let k = 0; k < 60; k++) {
    wheel(k % 20 < 10 ? -8 : 8);
    const now = await new Promise(requestAnimationFrame);
    times.push(now - last);
    last = now;
  }
  return times;
}"""


@contextmanager
def served(*arguments, **more):
    """The address of a server in a thread."""
    made = BrowseServer(*arguments, port=0, **more)
    server = made.server()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [made.socket]})
    thread.start()
    try:
        yield made.address
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield browser
        browser.close()


class Window:
    """A browser window, and what it complained about."""

    def __init__(self, browser, address: str, size: str = "desktop") -> None:
        self.size = size
        self.page = browser.new_context(viewport=SIZES.get(size, SMALL), has_touch=size == "phone").new_page()
        self.said: list[str] = []
        self.page.on("console", lambda one: self.said.append(one.text) if one.type == "error" else None)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda one: self._outside(one.url, address))
        self.page.goto(address)
        self.page.wait_for_selector("body.drawn", timeout=30_000)

    def _outside(self, url: str, address: str) -> None:
        if not url.startswith((address, "blob:" + address.rpartition("/")[0][:20], "data:")):
            self.said.append(url)

    def press(self, name: str):
        self.page.get_by_role("button", name=name, exact=True).click()

    def lasso(self, share: float) -> None:
        """Around so much of the width and height of the map."""
        box = self.page.locator("canvas").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        right, down = share * box["width"] / 2, share * box["height"] / 2
        self.press("Lasso")
        self.page.mouse.move(x + right, y)
        self.page.mouse.down()
        for k in range(1, 13):
            angle = 2 * math.pi * k / 12
            self.page.mouse.move(x + right * math.cos(angle), y + down * math.sin(angle))
            self.page.wait_for_timeout(15)  # the lasso takes a point in so many milliseconds
        self.page.mouse.up()

    def finger(self, share: float) -> None:
        """:meth:`lasso` by touch."""
        box = self.page.locator("canvas").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        across, down = share * box["width"] / 2, share * box["height"] / 2
        touch = self.page.context.new_cdp_session(self.page)

        def send(kind: str, *places: tuple[float, float]) -> None:
            points = [{"x": a, "y": b} for a, b in places]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        self.page.get_by_role("button", name="Lasso", exact=True).tap()
        send("touchStart", (x + across, y))
        for k in range(1, 13):
            angle = 2 * math.pi * k / 12
            send("touchMove", (x + across * math.cos(angle), y + down * math.sin(angle)))
        send("touchEnd")

    def shoot(self, what: str) -> None:
        assert self.page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
        if SHOTS:
            Path(SHOTS).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=f"{SHOTS}/{what}-{self.size}.png")


def test_a_clip_is_found_watched_and_saved(chromium, tmp_path):
    browsed_index(tmp_path)
    browsed_index(tmp_path, "second", seed=1)
    (tmp_path / "clips/chasing/clip-1.mp4").unlink()  # gone since it was indexed
    with served(tmp_path / "index", tmp_path / "second") as address:
        window = Window(chromium, address, "small")
        page = window.page
        page.locator("canvas").focus()
        page.keyboard.press("ArrowRight")
        page.locator(".preview video").wait_for()
        assert page.evaluate("() => document.querySelector('.preview video').muted")
        page.keyboard.press("Enter")
        page.locator(".screen video").wait_for()
        page.locator("button.entry").nth(len(IDS) - 2).wait_for()
        page.locator("button.entry").first.focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.get_by_role("searchbox").fill("chasing 1")
        page.get_by_role("button", name="chasing/clip-1.mp4").click()
        page.get_by_text("The file is no longer there").wait_for()
        page.keyboard.press("Escape")
        page.get_by_text("What lies near is alike").wait_for()
        window.lasso(0.98)
        heading = page.get_by_role("heading", name="surrounded clips")
        heading.wait_for()
        surrounded = int(heading.inner_text().split()[0])
        assert 1 < surrounded <= len(IDS)
        with page.expect_download() as saved:
            window.press("CSV")
        lines = Path(saved.value.path()).read_text().splitlines()
        assert lines[0] == "stimulus_id,video,start,end,x,y,distance"
        assert len(lines) == surrounded + 1
        page.locator(".models label").nth(1).click()
        window.press("What changed most")
        page.get_by_role("heading", name="What changed most").wait_for()
        assert [line for line in window.said if "404" not in line] == []  # of the clip that has gone


def test_a_finger_surrounds_clips_and_the_keyboard_collects_them(chromium, tmp_path):
    browsed_index(tmp_path)
    with served(tmp_path / "index") as address:
        window = Window(chromium, address, "phone")
        page = window.page
        for _ in range(2):  # the same clips again, of which the plot says nothing
            window.finger(0.99)
            page.locator("button[aria-pressed=false]", has_text="Lasso").wait_for()
            heading = page.get_by_role("heading", name="surrounded clips")
            heading.wait_for()
            assert 1 < int(heading.inner_text().split()[0]) <= len(IDS)
        page.keyboard.press("Escape")
        page.locator("canvas").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Space")
        page.get_by_role("heading", name="1 collected clip").wait_for()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Space")
        page.get_by_role("heading", name="2 collected clips").wait_for()
        assert page.evaluate("() => document.activeElement.tagName") == "CANVAS"
        with page.expect_download() as saved:
            window.press("CSV")
        assert len(Path(saved.value.path()).read_text().splitlines()) == 3
        page.locator("canvas").focus()
        page.keyboard.press("Space")  # again: out of the list
        page.get_by_role("heading", name="1 collected clip").wait_for()
        page.keyboard.press("Escape")
        page.get_by_text("What lies near is alike").wait_for()
        assert window.said == []


def _simulated(folder: Path) -> None:
    """Three indexes of SIMULATED clips: by two encoders, and of MANY pieces."""
    from bgs.experiments.simulated import film_world
    from bgs.runs.opened_model import open_model
    from bgs.simulation.clip_folder import ClipSettings
    from bgs.stimuli import StimulusSet

    film_world(ClipSettings(clips=160, size=192), folder / "simulated-clips")
    stimuli = StimulusSet.from_folder(folder / "simulated-clips")
    for name, reference in (("first", "tiny-videomae"), ("second", "motion:")):
        model = open_model(reference, "cpu")
        values = model.centred(model.embed(stimuli).values)
        small_index(
            folder / name,
            values - values.mean(0),
            stimuli.ids,
            folder / "simulated-clips",
            reference,
            model.identity,
        )
    random = np.random.default_rng(0)
    centres = random.normal(size=(12, 64))
    vectors = centres[random.integers(0, 12, MANY)] + 0.6 * random.normal(size=(MANY, 64))
    ids = [f"{stimuli.ids[k % 160]}#t={k / 1e4:.4f},{1 + k / 1e4:.4f}" for k in range(MANY)]
    small_index(folder / "many", vectors, ids, folder / "simulated-clips", "tiny-videomae")


@pytest.mark.slow
def test_every_view_and_ten_thousand_clips(chromium, tmp_path, capsys):
    folder = Path(os.environ.get("BGS_BROWSE_INDEXES") or tmp_path)
    if not (folder / "many").exists():
        _simulated(folder)
    for size in SIZES:
        with served(folder / "first") as address:
            window = Window(chromium, address, size)
            page = window.page
            window.shoot("map")
            page.locator("canvas").focus()
            page.keyboard.press("ArrowRight")
            page.keyboard.press("ArrowRight")
            page.wait_for_timeout(800)
            window.shoot("hover")
            page.keyboard.press("Enter")
            page.locator("button.entry").nth(11).wait_for()
            page.wait_for_timeout(800)
            window.shoot("clip")
            if size == "phone":
                page.locator("button.entry").nth(5).scroll_into_view_if_needed()
                page.wait_for_timeout(500)
                window.shoot("nearest")
                page.evaluate("() => scrollTo(0, 0)")
            page.keyboard.press("Escape")
            window.lasso(0.35)
            page.get_by_text("surrounded clips").wait_for()
            page.wait_for_timeout(800)
            window.shoot("lasso")
            assert window.said == []
        with served(folder / "first", folder / "second") as address:
            window = Window(chromium, address, size)
            window.page.get_by_label("Show moves").check()
            window.page.wait_for_timeout(300)
            window.shoot("moves")
            window.page.locator(".models label").nth(1).click()
            window.press("What changed most")
            window.page.wait_for_timeout(1800)
            window.shoot("second-model")
    with served(folder / "many") as address:
        window = Window(chromium, address)
        drawn = window.page.evaluate("() => performance.now()")
        times = np.array(window.page.evaluate(FRAMES)[5:])
        window.page.wait_for_timeout(500)
        window.shoot("many")
    figures = {
        "clips": MANY, "ms from navigation to drawn, at most": round(drawn),
        "ms between frames, median": round(float(np.median(times)), 1), "ms, 95 %": round(float(np.quantile(times, 0.95)), 1),
    }  # fmt: skip
    with capsys.disabled():
        print(json.dumps(figures))
