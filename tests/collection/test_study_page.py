"""A participant in a real browser: a whole study, with a reload in mid-trial and the server killed in between."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from bgs.collection.serving import PAGE
from browser import BROWSER, needs_page
from collection.conftest import CLIPS, N_TRIALS, SETTINGS, SHOTS, write_study
from collection.served_process import InThread, Process, export
from collection.small_disk import filled, small_disk

playwright = pytest.importorskip(
    "playwright.sync_api", reason="no playwright (pip install 'bgs-video[browser]')"
)
pytestmark = needs_page(PAGE / "index.html")
SIZES = {"desktop": {"width": 1100, "height": 720}, "phone": {"width": 390, "height": 844}}
ENABLED = ".odd-one-out-clip:enabled"


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def process(tmp_path):
    started = Process(write_study(tmp_path / "study"), None)
    yield started
    started.kill()


class Participant:
    """A browser window, and what it complained about."""

    def __init__(self, browser, address: str, size: str = "desktop") -> None:
        self.context = browser.new_context(viewport=SIZES[size])
        self.page, self.said = self.context.new_page(), []
        self.page.on(
            "console", lambda message: self.said.append(message.text) if message.type == "error" else None
        )
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on(
            "request",
            lambda request: (
                self.said.append(request.url)
                if "127.0.0.1" not in request.url and not request.url.startswith(("blob:", "data:"))
                else None
            ),
        )
        self.page.goto(address)

    def shoot(self, what: str, whole: bool = False) -> None:
        """At the width of a desktop and of a phone, where it must not be wider than the screen."""
        before = self.page.viewport_size
        for name, size in SIZES.items():
            self.page.set_viewport_size(size)
            assert self.page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
            if SHOTS:
                Path(SHOTS).mkdir(parents=True, exist_ok=True)
                self.page.screenshot(path=f"{SHOTS}/{what}-{name}.png", full_page=whole)
        self.page.set_viewport_size(before)

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).click()

    def choose(self, attentive: bool = True) -> None:
        """The clip that is shown once, where one is shown twice, or another one; else the first."""
        self.page.locator(ENABLED).nth(2).wait_for(timeout=20_000)
        shown = self.page.locator(ENABLED).first.element_handle()
        self.page.keyboard.press(str(1 + (self.odd() + (not attentive)) % 3))
        # this one: the next trial may be there already
        shown.wait_for_element_state("hidden", timeout=20_000)

    def odd(self) -> int:
        sizes = self.page.evaluate("() => [...document.querySelectorAll('video')].map((one) => one.duration)")
        return next((k for k in range(3) if sizes.count(sizes[k]) == 1 and len(set(sizes)) == 2), 0)

    def begin(self) -> None:
        self.page.get_by_role("button", name="I agree", exact=True).wait_for(timeout=20_000)
        self.shoot("consent")
        self.press("I agree")
        self.page.get_by_role("button", name="Practise", exact=True).wait_for()
        self.shoot("instructions")
        self.press("Practise")
        self.page.locator(ENABLED).nth(2).wait_for(timeout=20_000)
        assert self.page.get_by_text("Practice: this answer does not count").is_visible()
        self.shoot("trial-practice")
        self.choose()
        self.page.get_by_role("button", name="Start", exact=True).wait_for()
        self.shoot("after-practice")
        self.press("Start")


def test_a_whole_study_with_a_reload_and_a_killed_server(chromium, process, tmp_path):
    person = Participant(chromium, f"{process.address}?PROLIFIC_PID=anna&STUDY_ID=s&SESSION_ID=1")
    person.begin()
    person.choose()
    person.page.locator(ENABLED).nth(2).wait_for(timeout=20_000)
    assert person.page.get_by_text("Practice").count() == 0
    person.shoot("trial")
    person.page.reload()  # in mid-trial
    person.choose()
    process.kill()
    person.choose()  # its answer waits in the browser
    person.page.get_by_text("The connection is lost").wait_for(timeout=20_000)
    person.shoot("connection-lost")
    process.start()
    for _ in range(N_TRIALS - 3):
        person.choose()
    person.page.get_by_text("DONE-1").wait_for(timeout=30_000)
    person.shoot("end")
    assert (
        person.page.get_by_role("link", name="Finish").get_attribute("href")
        == "https://example.org/?cc=DONE-1"
    )
    rows = export(process, tmp_path / "export.csv")
    assert Counter(int(row["trial"]) for row in rows) == Counter(range(N_TRIALS))
    assert all(float(row["rt"]) > 0 for row in rows)
    unexpected = [line for line in person.said if "net::ERR_" not in line and "Failed to fetch" not in line]
    assert unexpected == []
    assert (
        person.page.evaluate("() => Object.keys(localStorage).filter((key) => localStorage[key] !== '[]')")
        == []
    )


@pytest.mark.slow  # the page itself waits
def test_a_full_disk_blocks_the_page_and_gives_no_code(chromium, tmp_path):
    waiting = 5  # answers that may wait before the page blocks
    with small_disk(tmp_path / "disk") as disk:
        server = InThread(write_study(disk / "study", blocks=1, trials=waiting + 3))
        try:
            person = Participant(chromium, f"{server.address}?participant=dana")
            person.begin()
            person.choose()
            person.page.wait_for_function("() => Object.values(localStorage).includes('[]')")  # it is stored
            with filled(disk):
                for _ in range(waiting + 1):
                    person.choose()
                person.page.get_by_role("heading", name="Waiting for the connection").wait_for()
                person.page.get_by_text("The connection is lost").wait_for()
                assert person.page.locator("video, button, output").count() == 0
                person.shoot("storage-full")
            person.choose()
            person.page.get_by_text("DONE-1").wait_for(timeout=30_000)
            rows = export(server, tmp_path / "export.csv")
        finally:
            server.stop()
    assert [int(row["trial"]) for row in rows] == list(range(waiting + 3))
    assert all("503" in line for line in person.said)


def test_on_a_phone_the_pages_fit_and_touch_chooses(chromium, process):
    person = Participant(chromium, f"{process.address}?participant=ben", "phone")
    person.begin()
    person.page.locator(ENABLED).nth(2).wait_for(timeout=20_000)
    clip = person.page.locator(ENABLED).first.bounding_box()
    assert clip["width"] >= 100
    person.page.locator(ENABLED).first.click()
    person.page.locator(ENABLED).first.wait_for(state="detached")
    assert person.said == []


def test_the_researcher_sees_how_far_it_is(chromium, process):
    from bgs.api.collecting import Study

    Study(process.study).simulate(process.address, 3)
    window = Participant(chromium, f"{process.address}admin")
    window.page.get_by_label("Admin token").fill("wrong")
    window.press("Show progress")
    window.page.get_by_text("This is not the token.").wait_for()
    window.page.get_by_label("Admin token").fill(process.admin)
    window.press("Show progress")
    window.page.get_by_text("3 of 4 (75 %)").wait_for()
    window.shoot("admin", whole=True)
    bars = window.page.locator("meter")
    assert all(bars.nth(k).bounding_box()["width"] > 100 for k in range(bars.count()))
    most = bars.evaluate_all("all => Math.max(...all.map((bar) => bar.value / bar.max))")
    assert most == 1
    matrix = window.page.locator("canvas")
    matrix.hover(position={"x": 1, "y": 100})
    assert " and clip 0: " in matrix.get_attribute("title")
    colours = "canvas => [...canvas.getContext('2d').getImageData(0, 0, 1, 1).data]"
    assert matrix.evaluate(colours) == [176, 176, 176, 255]  # a clip and itself is not a pair yet to be seen
    assert [line for line in window.said if "401" not in line] == []


def test_who_does_not_agree_gets_that_code(chromium, process):
    person = Participant(chromium, f"{process.address}?PROLIFIC_PID=cleo")
    person.page.get_by_role("button", name="I do not agree", exact=True).click(timeout=20_000)
    person.page.get_by_text("NO-2").wait_for()
    assert person.page.get_by_text("no answers are stored").is_visible()
    person.shoot("no-consent")


@pytest.mark.slow
def test_a_pause_a_failed_check_and_a_device_that_does_not_play(chromium, tmp_path):
    process = Process(write_study(tmp_path / "study", settings=SETTINGS + "breaks: {every: 2}\n"), None)
    try:
        person = Participant(chromium, f"{process.address}?PROLIFIC_PID=dana")
        person.begin()
        for trial in range(N_TRIALS):
            if trial in (2, 4):
                person.page.get_by_text(f"{trial} of {N_TRIALS} done").wait_for(timeout=20_000)
                person.shoot("pause")
                person.press("Go on")
            person.choose(attentive=trial < N_TRIALS - 1)
        person.page.get_by_text("FAIL-3").wait_for(timeout=20_000)
        person.shoot("failed-check")
        other = Participant(chromium, "about:blank")
        other.page.route("**/clips/*", lambda route: route.abort())
        other.page.goto(f"{process.address}?PROLIFIC_PID=emil")
        other.page.get_by_text("DEVICE-4").wait_for(timeout=40_000)
        other.shoot("incompatible")
    finally:
        process.kill()


@pytest.mark.slow
def test_a_full_study_says_so(chromium, tmp_path):
    process = Process(write_study(tmp_path / "small", blocks=1), None)
    try:
        Participant(chromium, f"{process.address}?participant=first").page.get_by_text("I agree").wait_for(
            timeout=20_000
        )
        late = Participant(chromium, f"{process.address}?participant=second")
        late.page.get_by_text("No places left").wait_for(timeout=20_000)
        late.shoot("full")
        preview = Participant(chromium, f"{process.address}?preview=1")
        preview.page.get_by_text("I agree").wait_for(timeout=20_000)
    finally:
        process.kill()


def test_bgs_train_takes_the_export(process, tmp_path):
    """From answers to a tuned encoder, unchanged."""
    import numpy as np

    import bgs
    from bgs.collection.simulating import simulate_participants

    geometry = bgs.Embeddings(np.random.default_rng(0).normal(size=(len(CLIPS), 3)), CLIPS, "made up")
    simulate_participants(process.address, geometry, 4)
    folder = tmp_path / "data"
    folder.mkdir()
    export(process, folder / "trials.csv")
    rows = [("stimulus_id", "split"), *((name, "train" if k < 5 else "test") for k, name in enumerate(CLIPS))]
    with (folder / "stimuli.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    geometry.save(tmp_path / "features.safetensors")
    run = bgs.train(
        f"features:{tmp_path / 'features.safetensors'}", bgs.load_dataset(folder), out=tmp_path / "run", epochs=2,
        transform={"pull": 0.1}, evaluation={"protocols": ["all"], "permutations": 20},
    )  # fmt: skip
    assert run.evaluation["all"].metrics["odd_one_out_3afc"].n == 16  # without the four checks
