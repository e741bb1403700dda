"""Sharing to the hub and loading from it, with its own client and a small hub on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest

import bgs
from bgs._errors import ConfigError
from bgs.backbones.hub import download
from bgs.backbones.shared_reference import SharedReference, parse_shared
from fake_hub import TOKEN, FakeHub, running
from shared_models import cache_as_the_hub_does, train_video_run

NAME = "lab/model"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train_video_run(tmp_path_factory.mktemp("video"))


@pytest.fixture(scope="module")
def shared(run):
    return bgs.share(run, run.path.parent / "model")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub, an empty cache, and a token."""
    found, constants = FakeHub(), huggingface_hub.constants
    with running(found) as address:
        monkeypatch.setattr(constants, "ENDPOINT", address)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield found


def files_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_pushed_model_is_loaded_by_its_id_and_revision(run, tmp_path, hub):
    clips = sorted((run.path.parent / "study").glob("*.mp4"))[:3]
    hub.commit(NAME, {"head.safetensors": b"of an earlier model", "notes.txt": b"mine"})
    pushed = bgs.share(run, tmp_path / "model", push=NAME)
    oid, files = hub.at(NAME, "main")
    assert pushed.reference == f"hub:{NAME}@{oid}"
    assert files == files_of(pushed.path) | {"notes.txt": b"mine"}  # what is not ours stays
    hub.commit(NAME, {"adapter_model.safetensors": b"another"})
    for reference in (pushed.reference, f"{NAME}@{oid}"):
        found = bgs.load_model(reference)
        assert found.opened.identity == run.model.opened.identity
        np.testing.assert_array_equal(found.embed(clips).values, run.model.embed(clips).values)
    assert "notes.txt" not in " ".join(hub.asked)  # only what the manifest lists is downloaded
    with pytest.raises(bgs.BgsError, match="was changed"):
        bgs.load_model(f"hub:{NAME}")  # the main branch holds another adapter


def test_what_is_in_the_cache_needs_no_hub(shared, hub, tmp_path, monkeypatch):
    snapshot = cache_as_the_hub_does(shared.path, tmp_path / "cache", NAME)
    hub.down = True
    assert bgs.load_model(f"{NAME}@{'a' * 40}").backbone.spec.family == "videomae"
    assert not [asked for asked in hub.asked if NAME in asked]  # a commit does not change
    assert bgs.load_model(f"hub:{NAME}").center is not None  # the hub is asked, and is down
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    bgs.load_model(f"hub:{NAME}")
    (snapshot / "center.safetensors").unlink()
    with pytest.raises(bgs.BgsError, match="unset HF_HUB_OFFLINE") as caught:
        bgs.load_model(f"hub:{NAME}")
    assert "shared:FOLDER" in str(caught.value)


def test_failures_are_one_line_that_says_what_to_do(shared, hub, monkeypatch):
    hub.commit("lab/other", {"README.md": b""})
    hub.commit(NAME, {k: v for k, v in files_of(shared.path).items() if k != "bgs.json"})
    for reference, said in (
        ("hub:lab/nothing", "no such repository"),
        (f"{NAME}@v9", "no such revision"),
        ("hub:lab/other", "bgs_model.json"),
        (f"hub:{NAME}", "bgs.json"),
    ):
        with pytest.raises(bgs.BgsError, match=said):
            bgs.load_model(reference)
    monkeypatch.setattr(
        "huggingface_hub.utils._http.time.sleep", lambda seconds: None
    )  # its client tries again and again
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(
        huggingface_hub.constants,
        "HUGGINGFACE_CO_URL_TEMPLATE",
        "http://127.0.0.1:9/{repo_id}/resolve/{revision}/{filename}",
    )
    with pytest.raises(bgs.BgsError, match=r"cannot reach the hub at http://127\.0\.0\.1:9") as caught:
        bgs.load_model("hub:lab/unseen")
    assert "\n" not in str(caught.value)


def test_a_cache_that_cannot_be_written_is_not_called_a_network(shared, hub, tmp_path):
    hub.commit(NAME, files_of(shared.path))
    (tmp_path / "cache").write_text("a file where the cache should be")
    with pytest.raises(bgs.BgsError, match="HF_HOME"):
        bgs.load_model(f"hub:{NAME}")


def test_pushing_is_checked_before_anything_is_written(run, hub, tmp_path, monkeypatch):
    out = tmp_path / "model"
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)  # nor one in the user's home
    with pytest.raises(bgs.BgsError, match="hf auth login"):
        bgs.share(run, out, push=NAME)
    with pytest.raises(ConfigError, match="owner/name"):
        bgs.share(run, out, push="model")
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: "another")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(bgs.BgsError, match="unset HF_HUB_OFFLINE"):
        bgs.share(run, out, push=NAME)
    assert not out.exists()


def test_a_refused_upload_leaves_the_folder_whole(run, hub, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "another")
    with pytest.raises(bgs.BgsError, match=r"403.*rights to write.*the folder is whole"):
        bgs.share(run, tmp_path / "model", push=NAME)
    bgs.load_model(f"shared:{tmp_path / 'model'}")


def test_nothing_but_what_a_manifest_may_list_is_downloaded(hub):
    hub.commit(NAME, {"bgs_model.json": b'{"format": "bgs-model/9"}', "model.pkl": b"\x80"})
    with pytest.raises(bgs.BgsError, match="another format"):
        bgs.load_model(f"hub:{NAME}")
    assert not [asked for asked in hub.asked if NAME in asked and "model.json" not in asked]
    folder = download(NAME, None, "bgs_model.json", lambda manifest: [])
    assert [path.name for path in folder.iterdir()] == ["bgs_model.json"]


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("shared:a folder/x", SharedReference("folder", "a folder/x")),
        ("shared:x?base=/a b?c", SharedReference("folder", "x", base="/a b?c")),
        ("hub:lab/model", SharedReference("hub", "lab/model")),
        ("hub:lab/model@v1.0?base=x", SharedReference("hub", "lab/model", "v1.0", "x")),
        ("lab/model@refs/pr/1", SharedReference("hub", "lab/model", "refs/pr/1")),
        ("text:minilm", None), ("run:runs/x", None), ("videomae:lab/model?frames=8", None), ("tiny-videomae", None),
        ("me@home.org", None), ("lab/model", None), ("a sentence about x/y @ noon", None),
    ],
)  # fmt: skip
def test_references(reference, found):
    assert parse_shared(reference) == found
    if found is not None and found.base is None and not reference.startswith("lab"):
        assert str(found) == reference


@pytest.mark.parametrize(
    "reference", ["hub:model", "hub:", "hub:a/b@", "hub:a/b@x y", "hub:a/b?layer=2", "hub:../../x"]
)
def test_bad_references(reference):
    with pytest.raises(ConfigError):
        parse_shared(reference)


@pytest.mark.slow
def test_offline_in_a_process_of_its_own(shared, tmp_path):
    """As a user does it: a home of the hub that was filled elsewhere, and HF_HUB_OFFLINE=1."""
    cache_as_the_hub_does(shared.path, tmp_path / "home/hub", NAME)
    environment = os.environ | {"HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1"}
    code = f"import bgs; print(bgs.load_model('hub:{NAME}').opened.identity)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == bgs.load_model(shared.reference).opened.identity
    command = [sys.executable, "-m", "bgs.cli.main", "odd", "a", "b", "c", "--model", "hub:lab/unseen"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 2
    assert "unset HF_HUB_OFFLINE" in done.stderr
    assert len(done.stderr.splitlines()) == 1
