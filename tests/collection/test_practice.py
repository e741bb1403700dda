"""Practice mode: what is shown, by hand values; its routes; and bad folders in one line each."""

from __future__ import annotations

import numpy as np
import pytest

import bgs
from bgs._errors import BgsError, ConfigError, DataError
from bgs.api.practising import open_practice
from bgs.cli.main import main
from bgs.collection.practice import Shares, model_shares, people_shares, rounded_range, scales_of
from bgs.collection.settings import StudySettings
from bgs.judgments import Trials
from bgs.stimuli import StimulusSet
from collection.conftest import CLIPS, write_study
from collection.practice_folder import write_practice, write_trials

pytest.importorskip("fastapi")


@pytest.fixture
def folder(tmp_path):
    return write_practice(tmp_path / "folder")


@pytest.fixture
def page(tmp_path):
    """In place of a built page."""
    built = tmp_path / "page"
    (built / "assets").mkdir(parents=True)
    for name in ("practice.html", "index.html", "admin.html"):
        (built / name).write_text(f"<title>{name}</title>")
    return built


@pytest.fixture
def client(folder, page):
    from fastapi.testclient import TestClient

    from bgs.collection.study_folder import clip_files
    from bgs.collection.web.practice_routes import create_practice_app

    practice = open_practice(folder)
    with TestClient(create_practice_app(practice, clip_files(folder, practice.stimuli), page)) as made:
        yield made


def trials(rows, n=4):
    people, stimuli, odd = zip(*rows, strict=True)
    count = np.arange(len(rows))
    return Trials(
        np.array(people),
        np.array(["b"] * len(rows)),
        count,
        np.array(stimuli),
        np.array(odd),
        count * np.nan,
        n,
    )


def embeddings(folder):
    """Clips 0, 1 and 2 at angles of 0, 60 and 180 degrees; the others at 180."""
    angles = np.deg2rad([0, 60, 180, 180, 180, 180])
    values = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    path = folder.parent / "model.safetensors"
    bgs.Embeddings(values.astype(np.float32), CLIPS, "made up").save(path)
    return f"features:{path}"


# what is shown


def test_shares_count_people_in_whatever_order_the_clips_were_shown():
    found = people_shares(
        trials(
            [
                ("a", (0, 1, 2), 0),  # 0
                ("b", (2, 1, 0), 0),  # 2
                ("c", (1, 0, 2), 1),  # 0
                ("a", (0, 2, 1), 2),  # 1, but she has answered already
                ("a", (3, 1, 2), 0),  # 3
                ("b", (1, 1, 2), 2),  # an attention check
            ]
        )
    )
    assert found.triplets.tolist() == [[0, 1, 2], [1, 2, 3]]
    np.testing.assert_allclose(found.chosen, [[2 / 3, 0, 1 / 3], [0, 0, 1]])
    assert found.people.tolist() == [3, 1]


def test_the_folders_answers_are_counted(folder):
    shares = open_practice(folder).shares
    assert shares.people.tolist() == [9, 4, 1]
    np.testing.assert_allclose(shares.chosen, [[7 / 9, 2 / 9, 0], [0.5, 0, 0.5], [0, 0, 1]])


def test_most_people_come_first_and_equals_in_an_order_of_their_own():
    n = 40
    people = np.array([0] * 10 + [1] * 29 + [5])
    shares = Shares(np.arange(3 * n).reshape(n, 3), np.full((n, 3), 1 / 3), people)
    one, other = shares.order(1), shares.order(2)
    for order in (one, other):
        assert sorted(order.tolist()) == list(range(n))
        assert people[order].tolist() == sorted(people.tolist(), reverse=True)
    assert one.tolist() != other.tolist()
    assert one.tolist() == shares.order(1).tolist()


def test_probabilities_of_a_model_are_the_softmax_of_the_pair_left():
    distances = np.array([[0, 0.5, 2], [0.5, 0, 1.5], [2, 1.5, 0]])
    found = model_shares(distances, 0.5)
    assert found.triplets.tolist() == [[0, 1, 2]]
    weights = np.exp([-1.5 / 0.5, -2 / 0.5, -0.5 / 0.5])  # of the pairs that are left when 0, 1 or 2 is odd
    np.testing.assert_allclose(found.chosen[0], weights / weights.sum())
    assert found.people.tolist() == [0]
    with pytest.raises(ConfigError, match="temperature"):
        model_shares(distances, 0.0)
    with pytest.raises(DataError, match="at least 3"):
        model_shares(distances[:2, :2], 0.1)


def test_a_model_answers_triplets_that_nobody_judged(folder):
    shares = open_practice(folder, model=embeddings(folder), temperature=0.5).shares
    assert len(shares) == 20  # of six clips, each once
    assert len({tuple(row) for row in shares.triplets.tolist()}) == 20
    assert shares.people.tolist() == [9, 4, 1, *[0] * 17]
    row = shares.triplets.tolist().index([0, 1, 3])
    weights = np.exp(-np.array([1.5, 2, 0.5]) / 0.5)  # cosine distances of 120, 180 and 60 degrees
    np.testing.assert_allclose(shares.chosen[row], weights / weights.sum(), rtol=1e-5)


def test_a_model_alone_is_enough(tmp_path):
    folder = write_practice(tmp_path / "folder", judged=False)
    assert set(open_practice(folder, model=embeddings(folder)).shares.people.tolist()) == {0}


def test_scales_are_those_of_the_configuration_or_the_affect_that_is_there(folder):
    valence, arousal = open_practice(folder).scales
    assert (valence.name, valence.low, valence.high, valence.high_label) == ("valence", 1, 7, "pleasant")
    assert valence.mean.tolist() == [1, 2, 3, 4, 5, 6]
    assert set(valence.spread.tolist()) == {0.5}
    assert (arousal.low_label, arousal.high_label) == ("calm", "excited")
    assert np.isnan(arousal.spread).all()
    (folder / "study.yaml").unlink()
    assert [(one.name, one.low, one.high) for one in open_practice(folder).scales] == [
        ("valence", 1, 6),
        ("arousal", 0, 0.4),
    ]


@pytest.mark.parametrize(
    ("values", "ends"),
    [([1.3, 6.8, np.nan], (1, 7)), ([0.13, 0.82], (0.1, 0.9)), ([-0.9, 0.8], (-1, 1)), ([0.1, 0.3], (0.1, 0.3)),
     ([12, 88], (10, 90)), ([2, 2], None)],
)  # fmt: skip
def test_ranges_are_rounded_outwards(values, ends):
    found = rounded_range(np.array(values, dtype=float))
    assert found == (None if ends is None else pytest.approx(ends))


@pytest.mark.parametrize("values", [[0.0, 5e-324], [-1e308, 1e308], [0.0, 1e305]])
def test_ratings_that_no_scale_can_show(values):
    ratings = StimulusSet(("a", "b"), ratings={"valence": np.array(values)})
    with pytest.raises(DataError, match=r"stimuli\.csv, column valence: .*no scale can show these ratings"):
        scales_of(ratings, StudySettings(), "stimuli.csv")


@pytest.mark.parametrize(
    ("scales", "message"),
    [({"warmth": {"low": 0, "high": 1}}, "warmth"), ({"valence": {"low": 2, "high": 7}}, "expected 2 to 7, got 1 for c0")],
)  # fmt: skip
def test_scales_that_do_not_fit_the_ratings(scales, message):
    stimuli = StimulusSet(("c0", "c1", "c2"), ratings={"valence": np.array([1.0, 2.0, 3.0])})
    settings = StudySettings.model_validate({"scales": scales})
    with pytest.raises(DataError, match=message):
        scales_of(stimuli, settings, "study.yaml")


def test_a_negative_spread_is_an_error():
    ratings = {"valence": np.array([1.0, 2.0]), "valence_sd": np.array([1.0, -1.0])}
    with pytest.raises(DataError, match="negative standard deviation"):
        scales_of(StimulusSet(("a", "b"), ratings=ratings), StudySettings(), "study.yaml")


# where people's answers come from


def test_a_table_of_judgments_comes_before_that_of_the_folder(folder, tmp_path):
    table = tmp_path / "other.csv"
    table.write_text("participant,stim1,stim2,stim3,odd\nx,clip 0,clip 1,clip 5,clip 5\n")
    shares = open_practice(folder, table).shares
    assert shares.triplets.tolist() == [[0, 1, 5]]


def test_answers_of_the_database_are_shown_only_where_asked_for(tmp_path, serve):
    path = write_study(tmp_path / "study", settings="codes: {completed: X}")
    served = serve(path)
    with pytest.raises(DataError, match="nothing to compare with"):  # nobody has answered yet
        open_practice(path, collected=True)
    served.join().consent().answer(0)
    with pytest.raises(DataError, match="nothing to compare with"):
        open_practice(path)
    before = sorted(one.name for one in path.iterdir())
    shares = open_practice(path, collected=True).shares
    assert shares.people.tolist() == [1]
    assert sorted(one.name for one in path.iterdir()) == before  # nothing is stored
    write_trials(path / "trials.csv")
    assert open_practice(path, collected=True).shares.people.tolist() == [9, 4, 1]  # the published ones


# its routes


def test_the_page_gets_triplets_with_what_was_chosen(client):
    about = client.get("/api/practice/about").json()
    assert (about["title"], about["triplets"], about["rated"], about["simulated"]) == (
        "Six small clips",
        3,
        6,
        False,
    )
    assert about["scales"][0] == {
        "name": "valence", "low": 1, "high": 7, "low_label": "unpleasant", "high_label": "pleasant", "average": 3.5,
    }  # fmt: skip
    found = client.get("/api/practice/triplets?seed=7&start=0").json()
    assert [one["people"] for one in found] == [9, 4, 1]
    first = found[0]
    assert first["shares"] == pytest.approx([7 / 9, 2 / 9, 0])
    assert first["clips"][0]["captions"] == [
        "Two people greet each other, 0 times.",
        "They seem to know each other.",
    ]
    assert first["clips"][0]["ratings"] == {
        "valence": {"mean": 1, "spread": 0.5}, "arousal": {"mean": 0, "spread": None},
    }  # fmt: skip
    assert "clip 0" not in str(found)  # ids may say what a clip shows
    assert client.get(first["clips"][0]["url"], headers={"range": "bytes=0-1"}).status_code == 206
    later = client.get("/api/practice/triplets?seed=7&start=5&count=1").json()
    assert later == [found[2]]


def test_the_page_gets_clips_with_their_ratings_each_once_before_the_first_again(client):
    seen = [client.get(f"/api/practice/clips?seed=3&start={k}&count=1").json()[0]["url"] for k in range(7)]
    assert len(set(seen[:6])) == 6
    assert seen[6] == seen[0]
    last = [
        one
        for one in client.get("/api/practice/clips?seed=3&start=0&count=20").json()
        if len(one["ratings"]) == 1
    ]
    assert len(last) == 1  # one clip has no arousal


@pytest.mark.parametrize(
    "query", ["", "seed=-1&start=0", "seed=1&start=-1", "seed=1&start=0&count=1000", "seed=x&start=0", f"seed={2**31}&start=0"]
)  # fmt: skip
def test_other_questions_are_refused(client, query):
    response = client.get(f"/api/practice/triplets?{query}")
    assert response.status_code == 422
    assert response.json()["error"] == "invalid"


def test_nothing_but_practice_is_served_and_with_the_same_headers(client):
    page = client.get("/")
    assert "practice.html" in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"
    for path in (
        "/index.html",
        "/admin.html",
        "/api/session",
        "/api/admin/status",
        "/assets/../practice.html",
        "/stimuli.csv",
    ):
        assert client.get(path).status_code == 404, path
    assert client.post("/api/practice/about").status_code == 405


def test_more_than_people_ask_is_refused(client, monkeypatch):
    from bgs.collection.web import practice_routes

    monkeypatch.setattr(practice_routes, "_REQUESTS_PER_MINUTE", 2)
    answers = [client.get("/api/practice/about") for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert answers[2].json() == {"error": "busy"}


def test_a_study_offers_practice_without_its_own_answers(tmp_path, serve, page):
    from fastapi.testclient import TestClient

    from bgs.collection.web.app import create_app

    path = write_study(tmp_path / "study")
    served = serve(path)
    visitor = served.join().consent()
    visitor.answer(0)
    assert served.client.get("/api/practice/about").status_code == 404
    assert visitor.session()["practice_mode"] is False
    write_trials(path / "trials.csv")
    practice = open_practice(path)
    app = create_app(served.study, served.database, served.secrets, page, practice, served.clock)
    with TestClient(app) as client:
        assert client.get("/practice").text == "<title>practice.html</title>"
        assert (
            client.get("/api/practice/about").json()["triplets"] == 3
        )  # nine people's, not the one collected
        served.client = client
        assert visitor.session()["practice_mode"] is True


# bad input


def fails(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main([*map(str, arguments)])
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.fixture
def built(monkeypatch, page):
    monkeypatch.setattr("bgs.collection.serving.PAGE", page)


@pytest.mark.usefixtures("built")
def test_bad_folders_are_one_line(tmp_path, capsys):
    empty = write_practice(tmp_path / "empty", judged=False)
    assert "nothing to compare with" in fails(capsys, "practice", empty)
    table = tmp_path / "table.csv"
    table.write_text("participant,stim1,stim2,stim3,odd\nx,a,b,c,c\n")
    assert "table.csv, row 2" in fails(capsys, "practice", empty, "--judgments", table)
    table.write_text("participant,stim1,stim2,stim3,odd\nx,clip 0,clip 0,clip 1,clip 1\n")
    assert "no judgments of three clips" in fails(capsys, "practice", empty, "--judgments", table)
    assert "--temperature is of --model" in fails(capsys, "practice", empty, "--temperature", "1")
    assert "add --practice" in fails(capsys, "collect", "serve", empty, "--model", "x")
    (empty / "clips/3.mp4").unlink()
    assert "this clip is missing" in fails(capsys, "practice", empty)
    (empty / "study.yaml").write_text("scales: {valence: {low: 1, high: 1}}")
    write_practice(tmp_path / "yaml", settings="scales: {valence: {low: 1, high: 1}}")
    assert "low must be below high" in fails(capsys, "practice", tmp_path / "yaml")


def test_a_page_that_is_not_built_is_one_line(folder, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("bgs.collection.serving.PAGE", tmp_path)
    assert "make web" in fails(capsys, "practice", folder)


@pytest.mark.usefixtures("built")
def test_a_taken_port_is_one_line(folder, capsys):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "cannot listen here" in fails(capsys, "practice", folder, "--port", taken.getsockname()[1])


@pytest.mark.usefixtures("built")
def test_python_serves_on_this_machine(folder):
    server = bgs.Study(folder).practice_server(port=0)
    assert server.address.startswith("http://127.0.0.1:")
    server.socket.close()
    with pytest.raises(BgsError):
        bgs.Study(folder.parent / "nowhere").practice_server()


def test_without_ratings_there_is_nothing_to_place(tmp_path):
    practice = open_practice(write_practice(tmp_path / "folder", rated=False))
    assert practice.scales == ()
    assert len(practice.rated) == 0
    assert len(practice.order_of_rated(0)) == 0
