"""Practising in a real browser: both exercises, what others chose, and a score that outlives the page."""

from __future__ import annotations

import re

import pytest

import bgs
from bgs.api.practising import open_practice
from bgs.collection.serving import PAGE, StudyServer
from browser import needs_page
from collection.conftest import write_study
from collection.practice_folder import write_practice, write_trials
from collection.served_process import Running
from collection.test_study_page import ENABLED, Participant, chromium  # noqa: F401

pytestmark = needs_page(PAGE / "practice.html")


@pytest.fixture
def served(tmp_path):
    """Starts servers in this process: of practice alone, or of a study that offers it."""
    started = []

    def start(study: bool = False, **options) -> str:
        folder = tmp_path / f"folder-{len(started)}"
        if study:
            write_study(folder, blocks=1, trials=1, settings="codes: {completed: X}")
            write_trials(folder / "trials.csv")
            made = StudyServer(folder, port=0, practice=open_practice(folder))
            address = made.about.address
        else:
            made = bgs.Study(write_practice(folder, **options)).practice_server(port=0)
            address = made.address
        started.append(Running(made))
        return address

    yield start
    for running in started:
        running.stop()


def choose_odd(person: Participant) -> None:
    """Two trials, the first by key and the second by touch."""
    page = person.page
    person.page.get_by_role("button", name="Find the odd one out").click(timeout=20_000)
    page.locator(ENABLED).nth(2).wait_for(timeout=20_000)
    person.shoot("practice-trial")
    page.keyboard.press("2")
    page.get_by_role("heading", name="What others chose").wait_for()
    shares = page.locator(".practice-share").all_inner_texts()
    assert sorted(re.sub(r"\s+", " ", one) for one in shares) == [
        "0 of 9 people 0 %", "2 of 9 people 22 %", "7 of 9 people 78 %",
    ]  # fmt: skip
    assert page.locator(".practice-mine h2").inner_text().startswith("Clip 2")
    assert page.get_by_text("They seem to know each other.").count() == 3
    assert page.locator("dt", has_text="valence").count() == 3
    page.wait_for_function(
        "() => [...document.querySelectorAll('video')].every((v) => v.readyState >= 2 && v.muted)"
    )
    person.shoot("practice-shares")
    page.keyboard.press("Enter")
    page.locator(ENABLED).nth(2).wait_for(timeout=20_000)
    page.locator(ENABLED).first.click()
    page.get_by_text(re.compile("of 4")).first.wait_for()
    person.press("Finish")


def place(person: Participant) -> None:
    """One clip: by arrow keys and by a click; the other is left at its end."""
    page = person.page
    page.get_by_role("button", name="Place a clip on scales").click()
    show = page.get_by_role("button", name="Show the group")
    assert show.is_disabled()
    page.get_by_label("valence").press("Home")
    for slider in page.get_by_role("slider").all()[1:]:
        box = slider.bounding_box()
        slider.click(position={"x": box["width"] * 0.75, "y": box["height"] / 2})
    told = page.get_by_label("valence").get_attribute("aria-valuetext")
    assert told == "you: 1.0, from 1 unpleasant to 7 pleasant"
    page.wait_for_function("() => document.querySelector('video').readyState >= 2")
    person.shoot("practice-placing")
    show.click()
    page.get_by_role("heading", name="How the group sees it").wait_for()
    line = page.locator(".practice-told").first.inner_text()
    found = re.fullmatch(r"you: 1\.0 · group: (\d\.\d) ± 0\.5 · off by (\d\.\d)", line)
    assert found, line
    assert float(found[2]) == pytest.approx(float(found[1]) - 1)
    person.shoot("practice-group")
    person.press("Finish")


def score_row(person: Participant, name: str) -> list[str]:
    row = person.page.get_by_role("row", name=re.compile(f"^{name}"))
    return row.locator("td").all_inner_texts()


def test_both_exercises_and_the_score_on_a_phone(chromium, served):  # noqa: F811
    person = Participant(chromium, served(), "phone")
    person.page.get_by_role("heading", name="Practise").wait_for(timeout=20_000)
    person.shoot("practice-begin")
    assert person.page.get_by_text("SIMULATED").count() == 0
    choose_odd(person)
    place(person)
    before = score_row(person, "odd one out"), score_row(person, "valence")
    assert before[0][0] == "2 trials"
    assert before[0][2:] == ["64 %", "33 %"]  # (7/9 + 1/2) / 2
    assert before[1][0] == "1 clip"
    person.shoot("practice-score")
    person.page.reload()
    person.page.get_by_text("Your score").first.wait_for()
    assert (score_row(person, "odd one out"), score_row(person, "valence")) == before
    person.press("Clear my score")
    assert person.page.get_by_text("Your score").count() == 0
    person.page.reload()
    person.page.get_by_role("heading", name="Practise").wait_for()
    assert person.page.get_by_text("Your score").count() == 0
    assert person.said == []


def test_a_score_over_many_trials_is_drawn(chromium, served):  # noqa: F811
    person = Participant(chromium, served())
    person.page.get_by_role("heading", name="Practise").wait_for(timeout=20_000)
    person.page.evaluate(
        """async () => {
          const { key } = await (await fetch("api/practice/about")).json();
          const odd = [...Array(34).keys()].map((k) => ({ mine: [0.2, 0.6, 0.5, 0.8, 0.3][k % 5] * (0.7 + k / 100),
            best: 0.8, people: 9 }));
          const ratings = [...Array(14).keys()].map((k) => ({ valence: { error: 2 - k / 10, unwatched: 1.5 },
            arousal: { error: 0.3 - k / 60, unwatched: 0.2 } }));
          localStorage.setItem(`bgs-practice:${key}`, JSON.stringify({ seed: 1, odd, ratings }));
        }"""
    )
    person.page.reload()
    person.page.get_by_role("img", name=re.compile("of 34$")).wait_for()
    person.shoot("practice-progress")
    person.page.get_by_text("The same as a table").first.click()
    assert score_row(person, "31 to 34") == ["54 %", "80 %", "33 %"]
    assert person.said == []


def test_without_ratings_there_is_one_exercise(chromium, served):  # noqa: F811
    person = Participant(chromium, served(rated=False))
    person.page.get_by_role("button", name="Find the odd one out").wait_for(timeout=20_000)
    assert person.page.get_by_role("button").count() == 1
    assert person.said == []


def test_the_last_page_of_a_study_leads_to_practice(chromium, served):  # noqa: F811
    person = Participant(chromium, f"{served(study=True)}?preview=1")
    person.page.get_by_role("button", name="I agree", exact=True).click(timeout=20_000)
    person.press("Start")
    person.choose()
    with person.context.expect_page() as opened:
        person.page.get_by_role("link", name="Practise").click(timeout=20_000)
    opened.value.get_by_role("button", name="Find the odd one out").wait_for(timeout=20_000)
    assert opened.value.get_by_role("button").count() == 1  # no ratings
    assert person.said == []
