"""`bgs select`: study folders that `bgs design` takes, and one line for everything that cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from test_matching import confounded

import bgs
from bgs._errors import BgsError, DataError
from bgs._files import sha256
from bgs.datasets import Dataset, load_dataset, write_folder
from bgs.embeddings import Embeddings
from bgs.library.about import About
from bgs.library.index import write_index
from bgs.library.selecting.low_level import contrast, luminance, motion_energy
from bgs.stimuli import StimulusSet
from clips import write_clip
from library.small_index import row
from program import fails, runs

N = 80


@pytest.fixture(scope="module")
def pool(tmp_path_factory) -> Path:
    """Files that nobody decodes, with ratings and embeddings."""
    folder = tmp_path_factory.mktemp("pool")
    (folder / "clips").mkdir()
    ids = tuple(f"scene {i:02d}" for i in range(N))
    videos = tuple(folder / "clips" / f"{name}.mp4" for name in ids)
    for path in videos:
        path.write_bytes(path.name.encode())
    valence, motion, space = confounded(N)
    ratings = {"valence": valence.values[:, 0], "pace": motion.values[:, 0], "partly": np.arange(float(N))}
    ratings["partly"][:3] = np.nan
    stimuli = StimulusSet(
        ids,
        videos=videos,
        ratings=ratings,
        labels={"kind": ("a", "b") * (N // 2)},
        split=("train", "test") * (N // 2),
    )
    write_folder(Dataset(stimuli, simulated=True, citation="us", name="pool"), folder)
    Embeddings(space.values, ids, "made").save(folder / "space.safetensors")
    return folder


def test_matched_sets_become_a_study_folder(pool, tmp_path, capsys):
    out = tmp_path / "study"
    options = ("--data", pool, "--out", out, "-k", 20, "--differ", "valence", "--match", "pace")
    said = json.loads(runs(capsys, "select", *options, "--json", "-"))
    assert said == json.loads((out / "selection.json").read_text())
    study = load_dataset(out)
    labels = study.stimuli.labels
    assert study.simulated
    assert study.citation == "us"
    assert study.stimuli.split is None
    assert sorted(labels["set"]) == ["high"] * 10 + ["low"] * 10
    assert sorted(labels["pair"]) == sorted([f"pair-{i:02d}" for i in range(1, 11)] * 2)
    for name, path in zip(study.stimuli.ids, study.stimuli.videos, strict=True):
        assert path.parent == out / "clips"
        assert not path.is_symlink()
        assert path.read_bytes() == f"{name}.mp4".encode()
    assert said["pool"] == N
    assert said["sets"]["high"] == list(bgs.select(pool, 20, differ="valence", match="pace").sets["high"])
    assert [row["name"] for row in said["balance"]] == ["pace"]
    valence = dict(zip(study.stimuli.ids, study.stimuli.ratings["valence"], strict=True))
    high, low = (np.mean([valence[name] for name in said["sets"][side]]) for side in ("high", "low"))
    assert said["difference"]["value"] == pytest.approx(high - low)
    assert bgs.design(out, trials=30, studies=0).coverage is not None


def test_a_covering_in_an_index_or_in_embeddings_is_the_same(pool, tmp_path, capsys):
    stimuli = load_dataset(pool).stimuli
    stored = Embeddings.load(pool / "space.safetensors")
    rows = [
        row(f"clips/{name}.mp4")._replace(sha256=sha256(path))
        for name, path in zip(stimuli.ids, stimuli.videos, strict=True)
    ]
    index = tmp_path / "index"
    write_index(index, About("tiny:test", "0" * 64, 6, str(pool)), rows, stored.values.astype(np.float32))
    out, linked = tmp_path / "study", tmp_path / "linked"
    shown = runs(
        capsys,
        "select",
        "--data",
        pool,
        "--out",
        out,
        "-k",
        12,
        "--cover",
        "--embeddings",
        pool / "space.safetensors",
    )
    assert "random choices" in shown
    runs(capsys, "select", "--out", linked, "-k", 12, "--cover", "--index", index, "--link")
    first, second = load_dataset(out).stimuli, load_dataset(linked).stimuli
    assert first.ids == second.ids
    assert set(first.labels["set"]) == {"cover"}
    assert all(path.is_symlink() and path.is_file() for path in second.videos)
    found = json.loads((out / "selection.json").read_text())["covering"]
    assert found["radius"] < found["random_radius"]
    assert "space of tiny:test" not in shown

    other = tmp_path / "other"
    write_index(other, About("tiny:test", "0" * 64, 6, "/elsewhere"), rows, stored.values.astype(np.float32))
    where = ("--data", pool, "--out", tmp_path / "x", "-k", 12, "--cover", "--index")
    assert "an index of another folder" in fails(capsys, "select", *where, other)
    stale = tmp_path / "stale"
    changed = [rows[0]._replace(sha256="0" * 64), *rows[1:]]
    write_index(stale, About("tiny:test", "0" * 64, 6, str(pool)), changed, stored.values.astype(np.float32))
    assert "have changed since they were indexed: scene 00" in fails(capsys, "select", *where, stale)
    assert not (tmp_path / "x").exists()


def test_the_social_space_can_differ_or_be_matched(pool):
    space = pool / "space.safetensors"
    apart = bgs.select(pool, 12, differ="social", match=["pace"], embeddings=space)
    assert set(apart.sets) == {"A", "B"}
    assert apart.found.distance.value > apart.found.distance.pool
    assert "social axis" in apart.dataset.stimuli.ratings
    same = bgs.select(pool, 12, differ="pace", match="social", embeddings=space)
    assert same.found.distance.value < same.found.distance.pool
    assert "Distance within pairs" in str(same)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("-k", 20, "--differ", "valance", "--match", "pace"), "unknown attribute; expected one of valence, pace"),
        (("-k", 20, "--differ", "kind", "--match", "pace"), "kind: a label, not a rating"),
        (("-k", 21, "--differ", "valence", "--match", "pace"), "an even number, got 21"),
        (("-k", 2, "--differ", "valence", "--match", "pace"), "4 or more"),
        (("-k", 90, "--differ", "valence", "--match", "pace"), "at most 80, got 90"),
        (("-k", 20, "--differ", "partly", "--match", "pace"), "3 of 80 clips have no partly: scene 00"),
        (("-k", 20, "--differ", "valence", "--match", "valence"), "differ and be matched in the same"),
        (("-k", 20, "--differ", "valence", "--match", "social"), "--model, --embeddings or --index"),
        (("-k", 20, "--differ", "motion"), "say what the sets are to be matched in"),
        (("-k", 20, "--differ", "pixels", "--match", "valence"), "luminance or contrast"),
        (("-k", 70, "--differ", "valence", "--match", "pace"), "possible: -k "),
        (("-k", 20), "--cover or --differ, got neither"),
        (("-k", 20, "--cover"), "--model, --embeddings or --index"),
        (("-k", 20, "--cover", "--match", "pace"), "--match applies to --differ"),
        (("-k", 20, "--cover", "--model", "a", "--index", "b"), "one of --model, --embeddings and --index"),
        (("-k", 20, "--differ", "valence", "--match", "pace", "--gap", "-1"), "gap: out of range"),
        (("-k", 20, "--cover", "--embeddings", "none.safetensors"), "no such embedding file"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_line_and_no_folder(pool, tmp_path, capsys, options, said):
    assert said in fails(capsys, "select", "--data", pool, "--out", tmp_path / "study", *options)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_empty_and_no_clips(pool, tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    asked = ("-k", 20, "--differ", "valence", "--match", "pace")
    assert "is not empty" in fails(capsys, "select", "--data", pool, "--out", tmp_path, *asked)
    assert "a data set, or the index of a folder" in fails(
        capsys, "select", "--out", tmp_path / "study", *asked
    )
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_copies_and_vanished_clips_are_named_or_left_out(pool, tmp_path):
    data = load_dataset(pool)
    videos = list(data.stimuli.videos)
    twin = tmp_path / "twin.mp4"
    twin.write_bytes(videos[0].read_bytes())
    doubled = bgs.Dataset(_with(data.stimuli, videos, 5, twin), simulated=True)
    with pytest.raises(
        DataError, match="1 clips are copies of others: 'scene 05' has the content of 'scene 00'"
    ):
        bgs.select(doubled, 10, differ="valence", match="pace")
    gone = bgs.Dataset(_with(data.stimuli, videos, 7, tmp_path / "gone.mp4"), simulated=True)
    with pytest.raises(DataError, match="1 of 80 clips are missing: scene 07"):
        bgs.select(gone, 10, differ="valence", match="pace")
    both = bgs.Dataset(
        _with(_with(data.stimuli, videos, 5, twin), videos, 7, tmp_path / "gone.mp4"), simulated=True
    )
    found = bgs.select(both, 10, differ="partly", match="pace", skip_bad=True)
    assert {"scene 00", "scene 01", "scene 02", "scene 05", "scene 07"} == set(found.found.left_out)
    assert found.to_json()["left_out"]["scene 05"] == "a copy of scene 00"
    assert not set(found.dataset.stimuli.ids) & set(found.found.left_out)


def _with(stimuli: StimulusSet, videos: list[Path], place: int, path: Path) -> StimulusSet:
    videos[place] = path
    return StimulusSet(stimuli.ids, videos=tuple(videos), ratings=stimuli.ratings, labels=stimuli.labels)


def test_a_disk_that_fails_leaves_nothing(pool, tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bgs.library.selecting.selection.shutil.copyfile", full)
    with pytest.raises(BgsError, match="No space left"):
        bgs.select(pool, 10, differ="valence", match="pace", out=tmp_path / "study")
    assert list(tmp_path.iterdir()) == []


def test_motion_and_pixels_are_measured(tmp_path):
    """Bars that drift at different speeds before different greys: what is measured is what was drawn."""
    greys, speeds = (40, 90, 140, 190), (0.0, 2.0)
    x = np.arange(64)
    ids = []
    for i, (grey, speed) in enumerate((g, s) for s in speeds for g in greys):
        waves = [grey + 30 * np.sin(2 * np.pi * (x - speed * t) / 16) for t in range(32)]
        frames = [
            np.repeat(np.tile(wave.round().astype(np.uint8), (64, 1))[..., None], 3, axis=2) for wave in waves
        ]
        ids.append(f"{i}.mp4")
        write_clip(tmp_path / ids[-1], frames, codec_options={"crf": "4"})
    stimuli = StimulusSet(
        tuple(ids),
        videos=tuple(tmp_path / name for name in ids),
        ratings={"closeness": np.array([0.0, 1] * 4)},
    )
    found = bgs.select(
        Dataset(stimuli, simulated=True), 4, differ="closeness", match=["motion", "pixels"], caliper=9.0
    )
    assert [row.name for row in found.found.balance] == [
        "motion (profile)", "motion_energy", "pixels (profile)", "luminance", "contrast",
    ]  # fmt: skip
    for i, name in enumerate(found.dataset.stimuli.ids):
        measured = {
            key: found.dataset.stimuli.ratings[key][i] for key in ("luminance", "contrast", "motion_energy")
        }
        number = int(Path(name).stem)
        assert measured["luminance"] == pytest.approx(greys[number % 4] / 255, abs=0.02)
        assert measured["contrast"] == pytest.approx(30 / np.sqrt(2) / 255, abs=0.015)
        assert (measured["motion_energy"] > 1) == (number >= 4)


def test_numbers_of_the_picture_are_read_from_the_embeddings():
    cells = np.zeros((2, 16, 4))
    cells[0, :, :3], cells[1, :8, :3] = 0.5, 1.0
    cells[:, :, 3] = 0.1
    pixels = np.concatenate([cells[..., :3].reshape(2, -1), cells[..., 3]], axis=1)
    np.testing.assert_allclose(luminance(pixels), [0.5, 0.5])
    np.testing.assert_allclose(contrast(pixels), [0.1, np.sqrt(0.01 + 0.25)])
    np.testing.assert_allclose(motion_energy(np.array([[3.0, 4.0], [0, 0]])), [500, 0])
