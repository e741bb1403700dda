"""What the page of an index asks its server."""

import math
import os
import shutil
import socket
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from browsed_index import IDS, browsed_index
from small_index import small_index
from starlette.testclient import TestClient

import bgs
from bgs import BgsError
from bgs._errors import ConfigError, DataError
from bgs.embeddings import Embeddings
from bgs.evaluation.readout import Readout
from bgs.evaluation.readout.attributes import AttributeReadout, LinearProbe
from bgs.evaluation.readout.choice_rule import ChoiceRule
from bgs.evaluation.readout.familiarity import Density, Familiarity
from bgs.evaluation.readout.kept_together import KeptTogether
from bgs.library.browsing import serving
from bgs.library.browsing.app import create_app
from bgs.library.browsing.queries import Queries
from bgs.library.browsing.scene_map import open_map
from bgs.library.browsing.thumbnails import FOLDER
from bgs.runs.opened_model import OpenedModel, open_model
from bgs.serving.listening import AppServer, listen


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("browsing")
    (found / "page").mkdir()
    (found / "page/index.html").write_text("<!doctype html><title>Clips</title>")
    browsed_index(found)
    browsed_index(found, "second", seed=1)
    return found


class Model:
    """Embeds every file as the first clip of an index; sentences as the last."""

    reference, center, backbone, readout = "pixels:", None, None, None
    centred = OpenedModel.centred

    def __init__(self, index, identity=None):
        self.index, self.identity = index, identity or index.identity
        self.seen: list[Path] = []

    def embed(self, stimuli, skip_bad):
        self.seen += [path for path in stimuli.videos if path.read_bytes()]
        return Embeddings(self.index.vectors[:1] * 2, stimuli.ids, "m")


class Served:
    def __init__(self, folder, name="index", beside=None, identity=None, **more):
        index = bgs.library.open_index(folder / name)
        self.model = Model(index, identity)
        scenes = open_map(index, None if beside is None else bgs.library.open_index(folder / beside))
        self.queries = Queries(index, lambda _: self.model)
        self.app = create_app(scenes, self.queries, folder / "page", "secret", **more)
        self.client = TestClient(self.app, base_url="http://127.0.0.1")

    def get(self, path, **more):
        return self.client.get(f"/secret/{path}", **more)

    def drop(self, name, content):
        return self.client.post("/secret/api/file", params={"name": name}, content=content)


@pytest.fixture
def served(folder):
    return Served(folder)


def test_nothing_is_served_without_the_token(served):
    for path in ("/", "/api/map", "/wrong/api/map", "/secretx/api/map", "/docs", "/openapi.json"):
        response = served.client.get(path)
        assert response.status_code == 404
        assert "long.mp4" not in response.text
    assert served.get("").status_code == 200


def test_the_policy_forbids_what_is_inline_or_from_elsewhere(served):
    policy = served.get("").headers["content-security-policy"]
    assert "'unsafe-inline'" not in policy
    assert "http" not in policy
    assert "default-src 'none'" in policy
    assert served.get("api/map").headers["cache-control"] == "no-store"


def test_the_map_names_every_clip_and_its_place(served):
    shown = served.get("api/map").json()
    assert tuple(shown["ids"]) == tuple(sorted(IDS))
    assert shown["beside"] is None
    piece = shown["ids"].index("long.mp4#t=0.50,1.00")
    assert (shown["starts"][piece], shown["ends"][piece]) == (0.5, 1.0)
    assert shown["starts"][0] is None
    assert shown["urls"][piece] == shown["urls"][piece - 1]  # one file
    assert all(math.isfinite(value) for value in shown["x"] + shown["y"])


def test_a_clip_has_neighbours_attributes_and_exact_ranges(served):
    near = served.get("api/clips/0/nearest?count=4").json()["clips"]
    assert {one["clip"] for one in near} == {1, 2, 3, 4}  # the rest of its folder
    assert sorted(one["distance"] for one in near) == [one["distance"] for one in near]
    assert served.get("api/clips/0/attributes").json() == {}
    url = served.get("api/map").json()["urls"][0]
    part = served.get(url, headers={"range": "bytes=10-19"})
    assert (part.status_code, len(part.content)) == (206, 10)
    assert part.content == served.get(url).content[10:20]


@pytest.mark.parametrize(
    "path", ["api/clips/99", "api/clips/-1/nearest", "thumbnails/99.jpg", "clips/none.mp4"]
)
def test_what_is_not_there_is_not_found(served, path):
    assert served.get(path).status_code == 404


def test_a_thumbnail_is_made_once(served, folder):
    from PIL import Image

    response = served.get("thumbnails/3.jpg")
    assert response.headers["content-type"] == "image/jpeg"
    made = sorted((folder / "index" / FOLDER).glob("*.jpg"))
    times = [path.stat().st_mtime_ns for path in made]
    served.get("thumbnails/3.jpg")
    assert [path.stat().st_mtime_ns for path in made] == times
    with Image.open(made[0]) as picture:
        assert picture.size == (128, 96)  # not enlarged
    assert not list((folder / "index" / FOLDER).glob(".*"))


def test_pieces_of_a_video_have_their_own_thumbnails(served):
    first, second = (served.get(f"thumbnails/{IDS.index(IDS[-k])}.jpg").content for k in (1, 2))
    assert first != second


def test_a_clip_that_has_gone_is_said_to_be(tmp_path):
    index = browsed_index(tmp_path)
    (tmp_path / "page").mkdir()
    index.clips[0].path.unlink()
    served = Served(tmp_path)
    about = served.get("api/clips/0").json()
    assert about == {"id": index.ids[0], "path": str(index.clips[0].path), "there": False}
    assert served.get(served.get("api/map").json()["urls"][0]).status_code == 404
    assert served.get("thumbnails/0.jpg").status_code == 404
    assert served.get("api/clips/0/nearest").status_code == 200


def test_a_clip_of_other_content_is_not_shown_under_the_old_one(tmp_path):
    index = browsed_index(tmp_path)
    (tmp_path / "page").mkdir()
    first, second, third = (clip.path for clip in index.clips[:3])
    first.write_bytes(second.read_bytes())
    third.touch()
    served = Served(tmp_path)
    response = served.get("thumbnails/0.jpg")
    assert response.status_code == 404
    assert "changed since it was indexed" in response.json()["error"]
    with pytest.raises(DataError, match=r"changed since it was indexed \(run `bgs index` again\)"):
        index.clips[0].file()
    assert served.get("thumbnails/2.jpg").status_code == 200
    urls = served.get("api/map").json()["urls"]
    assert "changed since it was indexed" in served.get(urls[0]).json()["error"]
    assert [served.get(url).status_code for url in urls[:3]] == [404, 200, 200]
    assert [served.get(f"api/clips/{k}").json()["there"] for k in range(3)] == [False, True, True]
    second.write_bytes(first.read_bytes()[:-1])  # while it is served
    assert served.get(urls[1]).status_code == 404


def test_a_folder_whose_name_is_not_utf_8_is_browsed(tmp_path):
    (tmp_path / "page").mkdir()
    path = tmp_path / os.fsdecode(b"a\xff")
    path.mkdir()
    clips = browsed_index(tmp_path).folder.rename(path / "clips")
    small_index(tmp_path / "second", np.eye(len(IDS)), IDS, clips)
    served = Served(tmp_path, "second")
    shown = served.get("api/map").json()
    assert shown["folder"] == str(tmp_path / "a\ufffd/clips")
    assert served.get(shown["urls"][0]).status_code == 200
    about = served.get("api/clips/0").json()
    assert (about["there"], about["path"]) == (True, f"{shown['folder']}/{shown['ids'][0]}")


def test_an_index_whose_name_is_not_utf_8_is_one_line():
    for name in (b"s3://a\xff", b"/tmp/a\xff"):
        with pytest.raises(
            DataError, match=r"a\\udcff: not a place for an index; expected a path or URI in UTF-8"
        ):
            bgs.open_index(os.fsdecode(name))


def test_clips_given_as_arrays_are_no_files(tmp_path, monkeypatch):
    """Their ids may be names of files that are here by chance."""
    (tmp_path / "page").mkdir()
    monkeypatch.chdir(tmp_path)
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(b"not of this index")
    small_index(tmp_path / "index", np.eye(3), [str(secret), "secret.mp4", "../x"], folder=None)
    served = Served(tmp_path)
    for position, url in enumerate(served.get("api/map").json()["urls"]):
        assert served.get(url).status_code == 404
        assert served.get(f"thumbnails/{position}.jpg").status_code == 404
        assert served.get(f"api/clips/{position}").json()["there"] is False


def test_an_index_does_not_reach_outside_its_folder(tmp_path):
    for name in ("/etc/passwd", "../../secret.mp4", "deep/../../secret.mp4"):
        with pytest.raises(DataError, match="a clip lies outside the indexed folder"):
            small_index(tmp_path / name.replace("/", "-"), np.eye(1), [name], folder=tmp_path)


def test_an_index_that_has_gone_is_not_begun_again_by_its_thumbnails(tmp_path):
    index = browsed_index(tmp_path)
    (tmp_path / "page").mkdir()
    served = Served(tmp_path)
    shutil.rmtree(index.path)
    assert "the index has gone" in served.get("thumbnails/0.jpg").json()["error"]
    assert not index.path.exists()


def test_a_dropped_file_finds_its_neighbours_and_is_removed(served):
    found = served.drop("mine.mp4", b"film" * 1000).json()
    assert found["clips"][0] == {"clip": 0, "distance": pytest.approx(0, abs=1e-6)}
    shown = served.get("api/map").json()
    assert found["place"]["x"] == pytest.approx(shown["x"][0], abs=1e-5)
    (path,) = served.model.seen
    assert not path.parent.exists()


def test_bad_files_and_other_models_are_one_line(folder):
    small = Served(folder, max_file=1000)
    assert "not a video file" in small.drop("notes.txt", b"a").json()["error"]
    response = small.drop("large.mp4", b"a" * 1001)
    assert (response.status_code, small.model.seen) == (422, [])
    assert "too large" in response.json()["error"]
    other = Served(folder, identity="f" * 64).drop("mine.mp4", b"a")
    assert other.status_code == 422
    assert "the index is of another model" in other.json()["error"]


def test_every_refusal_has_one_shape_without_what_was_sent(served):
    client = served.client
    for response, status, error in (
        (served.get("api/clips/99"), 404, "no such clip"),
        (served.get("api/clips/0/nearest?count=1000"), 422, "invalid"),
        (served.get("api/sentence"), 422, "invalid"),
        (client.post("/secret/api/file?count=1&name=" + "s" * 400), 422, "invalid"),
        (served.get("no-such-page"), 404, "Not Found"),
        (client.post("/secret/api/map"), 405, "Method Not Allowed"),
        (client.post("/elsewhere"), 405, "Method Not Allowed"),
    ):
        said = response.json()
        assert (response.status_code, said.pop("error")) == (status, error)
        assert said.keys() <= {"where"}
    assert served.get("api/clips/0/nearest?count=1000").json()["where"] == ["query.count"]


def test_a_file_that_cannot_be_read_names_no_option(served):
    opened = open_model("pixels:")
    served.queries.model = replace(opened, identity=served.model.identity)
    error = served.drop("mine.mp4", b"no film").json()["error"]
    assert "mine.mp4" in error
    assert "skip-bad" not in error


@pytest.mark.parametrize(
    "body",
    [
        b"content-length: 100000\r\n\r\nsome",
        b"transfer-encoding: chunked\r\n\r\n4\r\nsome\r\n4\r\n",
        b"transfer-encoding: chunked\r\n\r\n4\r\nsome\r\nzzz\r\n\r\n",
    ],
)
def test_an_upload_that_breaks_off_ends_quietly_and_leaves_nothing(
    served, body, capfd, tmp_path, monkeypatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    listening = AppServer()
    listening.socket, listening.app = listen("127.0.0.1", 0), served.app
    server = listening.server()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening.socket]})
    thread.start()
    address = listening.socket.getsockname()
    with socket.create_connection(address) as sent:
        sent.sendall(b"POST /secret/api/file?name=a.mp4 HTTP/1.1\r\nhost: a\r\n" + body)
        time.sleep(0.3)
    time.sleep(0.3)
    server.should_exit = True
    thread.join()
    assert list(tmp_path.iterdir()) == []
    assert served.model.seen == []
    assert "Traceback" not in capfd.readouterr().err


def test_other_bodies_are_limited(served):
    response = served.client.post("/secret/api/sentence", content=b"a" * 10_000)
    assert response.status_code == 413


def test_a_model_without_a_text_side_says_so(folder):
    from bgs.backbones import load_backbone

    served = Served(folder)
    served.model.backbone = load_backbone("pixels:")
    response = served.get("api/sentence", params={"text": "a hug"})
    assert response.status_code == 422
    assert "this model has no text side" in response.json()["error"]


def readout() -> Readout:
    """Of a study with two ratings, one with too few clips for an interval; every clip is far from its clips."""
    probe = LinearProbe(np.ones(8), 0.5)
    attributes = (
        AttributeReadout("valence", probe, np.linspace(0, 1, 99), (-1.0, 1.0), 0.4),
        AttributeReadout("arousal", probe, np.array([0.1]), (0.0, 1.0), math.nan),
    )
    density = Density(np.full(8, 100.0), np.eye(8)[:2], np.ones(2), 1.0)
    familiarity = Familiarity(density, np.linspace(0.5, 1.5, 40))
    about = {"data": "films", "simulated": True}
    return Readout(KeptTogether(1.0, 2.0, 100), ChoiceRule(1.0, 100), attributes, familiarity, about)


def test_a_model_with_a_readout_says_how_sure_it_is(folder, monkeypatch):
    monkeypatch.setattr("bgs.library.index.read_readout", lambda *given: readout())
    served = Served(folder)
    found = served.get("api/clips/0/attributes").json()
    assert (found["far"], found["data"], found["level"]) == (True, "films", 0.9)
    valence, arousal = found["attributes"]
    assert valence["value"] == pytest.approx(0.5 + 2 * served.model.index.vectors[0].sum(), abs=1e-5)
    assert valence["low"] < valence["value"] < valence["high"]
    assert (arousal["low"], arousal["high"], arousal["r_squared"]) == (None, None, None)
    near = served.get("api/clips/0/nearest").json()["clips"]
    assert all(one["together"] == pytest.approx(1 / (1 + math.exp(2 * one["distance"] - 1))) for one in near)


def test_two_models_are_laid_on_each_other(folder):
    beside = Served(folder, beside="second").get("api/map").json()["beside"]
    assert beside["clips"] == list(range(len(IDS)))
    assert all(0 <= kept <= 1 for kept in beside["kept"])
    same = Served(folder, beside="index").get("api/map").json()
    assert same["beside"]["kept"] == [1] * len(IDS)
    np.testing.assert_allclose(same["beside"]["x"], same["x"], atol=1e-5)


def test_indexes_of_other_clips_cannot_be_compared(folder, tmp_path):
    from small_index import small_index

    small_index(tmp_path / "other", np.eye(8))
    with pytest.raises(DataError, match="share fewer than three clips"):
        bgs.library.browsing.scene_map.open_map(
            bgs.library.open_index(folder / "index"), bgs.library.open_index(tmp_path / "other")
        )


@pytest.fixture
def built(folder, monkeypatch):
    monkeypatch.setattr(serving, "PAGE", folder / "page")


def test_a_taken_port_and_a_missing_index_or_page_are_one_line(folder, built, monkeypatch, tmp_path):
    server = bgs.browse(folder / "index")
    assert server.address.startswith("http://127.0.0.1:")
    assert len(server.address.split("/")[3]) >= 32
    with pytest.raises(BgsError, match="cannot listen here"):
        bgs.browse(folder / "index", port=server.socket.getsockname()[1])
    server.socket.close()
    with pytest.raises(DataError):
        bgs.browse(tmp_path / "nothing")
    monkeypatch.setattr(serving, "PAGE", tmp_path)
    with pytest.raises(BgsError, match="make web"):
        bgs.browse(folder / "index")


def test_queries_of_files_use_the_models_centre(folder):
    index = bgs.library.open_index(folder / "index")
    model = Model(index)
    model.center = np.ones(8)
    path = folder / "page/index.html"
    found = Queries(index, lambda _: model).of_file(path, "a.mp4")
    expected = index.vectors[0] * 2.0 - 1
    np.testing.assert_allclose(found, expected / np.linalg.norm(expected), atol=1e-6)


def test_a_sentence_needs_a_text_side():
    from bgs.backbones import load_backbone
    from bgs.backbones.text_side import TextSide

    with pytest.raises(ConfigError, match="no text side"):
        TextSide(load_backbone("pixels:"))
