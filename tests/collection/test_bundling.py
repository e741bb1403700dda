"""Bundles on disk, and the way back of what they save; the page itself is tried in test_bundle.py."""

from __future__ import annotations

import csv
import errno
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bgs
from bgs._errors import BgsError, DataError
from bgs.cli.main import main
from clips import write_clip
from collection.conftest import CLIPS, CONTENT, N_BLOCKS, N_TRIALS, SETTINGS, write_study

pytest.importorskip("fastapi")
from bgs.api.collecting import Study
from bgs.collection import bundling
from bgs.collection.bundling import DataPipe
from bgs.collection.study_folder import open_study

HTML = """<html><head><script type="module" src="./assets/b.js"></script>
<link rel="stylesheet" href="./assets/c.css"></head></html>"""


@pytest.fixture(autouse=True)
def page(tmp_path, monkeypatch) -> Path:
    """A page that is built."""
    folder = tmp_path / "page"
    (folder / "assets").mkdir(parents=True)
    (folder / "bundle.html").write_text(HTML)
    for name in ("b.js", "c.css", "admin.js"):
        (folder / "assets" / name).write_text(name)
    monkeypatch.setattr(bundling, "PAGE", folder)
    return folder


def files_of(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_static_bundle_has_what_the_page_needs_and_nothing_else(study_path, tmp_path):
    out = tmp_path / "out"
    made = Study(study_path).bundle(out, "static", DataPipe("AbC123"))
    study = json.loads((out / "study.json").read_text())
    clips = {clip["url"]: clip["id"] for clip in study["clips"]}
    fixed = {"index.html", "README.txt", "study.json", "assets/b.js", "assets/c.css"}
    assert files_of(out) == fixed | set(clips)
    assert (made.blocks, made.clips) == (N_BLOCKS, len(clips))
    for url, name in clips.items():
        assert (out / url).read_bytes() == CONTENT[CLIPS.index(name)]
    index = (out / "index.html").read_text()
    assert "connect-src 'self' https://pipe.jspsych.org;" in index
    assert index.index("Content-Security-Policy") < index.index("<script")
    assert study["saving"]["experiment"] == "AbC123"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_the_study_file_says_what_the_server_would(study_path, serve):
    found = bundling.described(open_study(study_path), {"kind": "download"})
    session = serve(study_path).join().session()
    texts = open_study(study_path).settings.texts()
    assert texts.items() <= session.items()
    assert texts.items() <= found.items()
    ids = [clip["id"] for clip in found["clips"]]
    assert [[ids[k] for k in triplet] for triplet in found["practice"]] == [["clip 0", "clip 1", "clip 2"]]
    schedule = open_study(study_path).schedule.blocks
    assert [block["name"] for block in found["blocks"]] == list(schedule)
    for block in found["blocks"]:
        trials = [(tuple(ids[k] for k in places), kind) for *places, kind in block["trials"]]
        assert trials == [(trial.stimuli, trial.kind) for trial in schedule[block["name"]]]


def test_an_archive_for_jatos_keeps_the_code_from_participants(study_path, tmp_path):
    made = Study(study_path).bundle(tmp_path / "out", "jatos")
    (path,) = (tmp_path / "out").glob("*.jzip")
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        described = json.loads(archive.read(f"{path.stem}.jas"))
        assert {name.partition("/")[0] for name in names} == {path.stem, f"{path.stem}.jas"}
        inside = archive.read(f"{path.stem}/study.json").decode()
        index = archive.read(f"{path.stem}/index.html").decode()
    assert described["version"] == "3"
    data = described["data"]
    assert data["dirName"] == path.stem
    assert data["endRedirectUrl"] == "https://example.org/?cc=DONE-1"
    assert [part["htmlFilePath"] for part in data["componentList"]] == ["index.html"]
    assert data["componentList"][0]["reloadable"] is True
    assert "DONE-1" not in inside
    assert "NO-2" in inside
    assert '<script src="jatos.js"></script>' in index
    assert "no_consent, failed_attention, incompatible" in " ".join(made.notes)
    assert "completed" not in " ".join(made.notes)


def one_line(capsys, *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["collect", "bundle", *arguments])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_what_cannot_be_bundled_is_one_line(study_path, page, tmp_path, capsys):
    study, out = str(study_path), str(tmp_path / "out")
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    assert "is not empty" in one_line(capsys, study, "--for", "static", "--out", str(full))
    assert "static hosts" in one_line(capsys, study, "--for", "jatos", "--datapipe", "A1", "--out", out)
    assert "--datapipe, too" in one_line(capsys, study, "--for", "static", "--conditions", "--out", out)
    assert "letters and digits" in one_line(
        capsys, study, "--for", "static", "--datapipe", "a b", "--out", out
    )
    clip = study_path / "clips/0.mp4"
    write_clip(clip, frames=6, rate=25)  # its index comes last
    assert "browsers do not play 1 of 6 clips" in one_line(capsys, study, "--for", "static", "--out", out)
    clip.write_bytes(CONTENT[0])
    (study_path / "schedule.csv").write_text("block,trial,stim1,stim2,stim3,kind\nb,0,x,y,z,judgment\n")
    assert "schedule of other clips" in one_line(capsys, study, "--for", "static", "--out", out)
    shutil.rmtree(page)
    write_study(tmp_path / "other")
    assert "make web" in one_line(capsys, str(tmp_path / "other"), "--for", "jatos", "--out", out)
    assert not Path(out).exists()


def test_a_full_disk_leaves_nothing(study_path, tmp_path, monkeypatch):
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(bundling.shutil, "copyfile", full)
    before = files_of(tmp_path)
    with pytest.raises(BgsError, match="out: cannot write: No space left on device"):
        Study(study_path).bundle(tmp_path / "out", "static")
    assert files_of(tmp_path) == before
    assert not (tmp_path / "out").exists()


def test_the_command_says_what_is_different_without_a_server(study_path, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["collect", "bundle", str(study_path), "--for", "static", "--out", str(tmp_path / "out")])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "at random: two people may get the same one" in said
    assert "can read these codes: completed, no_consent, failed_attention, incompatible" in said


def saved(study: Path, participant: str, block: str) -> list[dict[str, Any]]:
    """A block's answers, as the page saves them."""
    trials = open_study(study).schedule.blocks[block]
    return [
        {
            "trial_type": "odd-one-out", "study": "0", "participant": participant, "block": block, "kind": trial.kind,
            "trial": trial.number, "stimuli": list(trial.stimuli), "odd": (trial.number + len(participant)) % 3,
            "rt": 1500, "playback_errors": [], "answer_id": f"{participant}-{block}-{trial.number}",
        }
        for trial in trials
    ]  # fmt: skip


def test_an_answer_that_was_sent_again_counts_once(study_path, tmp_path):
    answers = saved(study_path, "p-1", "block-0")
    for name, some in (("a", answers[:3]), ("b", answers), ("c", answers[1:2])):
        (tmp_path / f"{name}.json").write_text(json.dumps(some))
    files = [tmp_path / f"{name}.json" for name in "abc"]
    found = bgs.import_judgments(files, "jspsych", tmp_path / "out")
    assert found.trials.trial.tolist() == list(range(N_TRIALS))
    assert sum("sent again" in note for note in found.notes) == 2

    lines = [json.dumps(each) for each in answers]
    with zipfile.ZipFile(tmp_path / "r.jrzip", "w") as archive:
        archive.writestr("study_result_1/comp-result_1/data.txt", "\n".join(lines[:3]))
        archive.writestr("study_result_1/comp-result_2/data.txt", "\n".join(lines[2:]))
    found = bgs.import_judgments([tmp_path / "r.jrzip"], "jatos", tmp_path / "jatos")
    assert found.trials.trial.tolist() == list(range(N_TRIALS))

    other = {**answers[0], "odd": (answers[0]["odd"] + 1) % 3}
    (tmp_path / "d.json").write_text(json.dumps([other]))
    with pytest.raises(DataError, match=r"d.json.*'answer_id'.*two different answers have this id"):
        bgs.import_judgments([files[0], tmp_path / "d.json"], "jspsych", tmp_path / "never")


@pytest.mark.slow
def test_bgs_train_takes_what_is_imported(study_path, tmp_path):
    files = []
    for k in range(N_BLOCKS):
        files.append(tmp_path / f"{k}.json")
        files[-1].write_text(json.dumps(saved(study_path, f"p-{k}", f"block-{k}")))
    folder = tmp_path / "data"
    folder.mkdir()
    rows = [("stimulus_id", "split"), *((name, "train" if k < 5 else "test") for k, name in enumerate(CLIPS))]
    with (folder / "stimuli.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    bgs.import_judgments(files, "jspsych", folder)
    geometry = bgs.Embeddings(np.random.default_rng(0).normal(size=(len(CLIPS), 3)), CLIPS, "made up")
    geometry.save(tmp_path / "features.safetensors")
    run = bgs.train(
        f"features:{tmp_path / 'features.safetensors'}", bgs.load_dataset(folder), out=tmp_path / "run", epochs=2,
        transform={"pull": 0.1}, evaluation={"protocols": ["all"], "permutations": 20},
    )  # fmt: skip
    assert run.evaluation["all"].metrics["odd_one_out_3afc"].n == N_BLOCKS * (N_TRIALS - 1)


def test_one_block_each_is_said_where_more_were_wanted(tmp_path):
    path = write_study(tmp_path / "more", settings=SETTINGS + "blocks_per_participant: 2\n")
    made = Study(path).bundle(tmp_path / "out", "static", DataPipe("A1", conditions=True))
    assert "number of conditions to 4" in made.notes[0]
    assert "blocks_per_participant" in made.notes[-1]
