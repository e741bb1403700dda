"""`bgs data link`, the drawing of clips by `bgs data fetch`, and `bgs cache`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from bgs._errors import BgsError, ConfigError
from bgs.cli import cache, data, main
from bgs.datasets import load_dataset
from bgs.stimuli import FrameCache, Sampling, StimulusSet, UnreadableClips
from bgs.stimuli.unreadable import Failure
from clips import write_clip

Run = Callable[..., str]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command with a cache of its own; returns what it printed, raises what it raised."""
    monkeypatch.setenv("BGS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "80")

    def _run(*arguments: object) -> str:
        group, *rest = [str(argument) for argument in arguments]
        result = CliRunner().invoke({"data": data.app, "cache": cache.app}[group], rest)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.stdout

    return _run


def test_cache_info_and_clear(run: Run, tmp_path: Path) -> None:
    assert "No frames are cached." in run("cache", "info")
    stimuli = StimulusSet(ids=("a",), videos=(write_clip(tmp_path / "a.mp4", 8),))
    FrameCache().open_frames(stimuli, Sampling(4, 32))
    assert "4x32-short32" in run("cache", "info")
    assert "freed" in run("cache", "clear")
    assert "No frames are cached." in run("cache", "info")


def test_absurd_sizes_are_refused_before_anything_is_fetched(run: Run, tmp_path: Path) -> None:
    for option, value in (("--size", 20_000), ("--fps", 10**9)):
        with pytest.raises(ConfigError, match=f"expected .*, got {value}"):
            run("data", "fetch", "phase-genset", "--mirror", tmp_path / "nowhere", option, value)


@pytest.mark.parametrize("command", ["info", "clear"])
def test_help_ends_with_an_example(run: Run, command: str) -> None:
    assert f"Example: bgs cache {command}" in run("cache", command, "--help")
    assert "Example: bgs data link" in run("data", "link", "--help")


@pytest.mark.real
def test_link(run: Run, mirror: Path, tmp_path: Path) -> None:
    names = load_dataset("garcia-isik-2025", mirror=mirror).stimuli.ids
    videos = tmp_path / "Moments" / "training"
    videos.mkdir(parents=True)
    clip = write_clip(videos / names[3], 90)
    (videos / names[5]).write_bytes(clip.read_bytes())
    write_clip(videos / names[8], 60)
    report = tmp_path / "report.json"
    text = run("data", "link", "garcia-isik-2025", "--videos", tmp_path, "--mirror", mirror, "--json", report)
    assert "2 of 250 clips found" in text
    assert "247 missing" in text
    assert "lasts 2.00 s, not 3 s" in " ".join(text.split())
    found = json.loads(report.read_text())
    assert list(found["found"]) == [names[3], names[5]]
    assert len(found["missing"]) == 247
    linked = load_dataset("garcia-isik-2025", mirror=mirror).stimuli.videos
    assert linked is not None
    assert linked[3] == clip
    with pytest.raises(BgsError, match="none of the clips is in this folder"):
        run("data", "link", "garcia-isik-2025", "--videos", mirror, "--mirror", mirror)
    assert load_dataset("garcia-isik-2025", mirror=mirror).stimuli.videos == linked


@pytest.fixture
def ratings(mirror: Path, tmp_path: Path) -> Path:
    """Votes of 20 raters a clip, made up: the n-th clip has n mod 20 friendly ones, the others are neutral."""
    names = load_dataset("phase-genset", mirror=mirror).stimuli.ids
    rows = [f'"{name}",{i % 20},{20 - i % 20},0' for i, name in enumerate(names)]
    path = tmp_path / "ratings.csv"
    path.write_text("\n".join(["clip,friendly,neutral,adversarial", *rows]) + "\n")
    return path


@pytest.mark.real
def test_fetched_animations_are_a_data_set(
    run: Run, mirror: Path, tmp_path: Path, ratings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawn small and at one frame a second; drawn again only where a clip is missing."""
    folder = tmp_path / "phase"
    arguments = [
        "data",
        "fetch",
        "phase-genset",
        "--mirror",
        mirror,
        "--size",
        32,
        "--fps",
        1,
        "--out",
        folder,
    ]
    assert "clips" in run(*arguments, "--ratings", ratings)
    own = load_dataset(folder)
    assert len(list(folder.glob("*.mp4"))) == len(own.stimuli) == 100
    assert own.stimuli.labels["relation"].count("friendly") == 37
    assert own.stimuli.ratings["friendly"][7] == pytest.approx(0.35)
    assert own.stimuli.ratings["n_raters"][7] == 20
    named = load_dataset("phase-genset", mirror=mirror).stimuli
    assert named.videos == own.stimuli.videos
    frames = FrameCache().open_frames(named, Sampling(4, 32), workers=1)
    assert frames.array.shape == (100, 4, 32, 32, 3)
    assert np.asarray(frames.array).reshape(100, -1).std(axis=1).min() > 10

    drawn: list[str] = []
    monkeypatch.setattr("bgs.api.clips.render_phase", lambda clip, *rest: drawn.append(clip.name))
    run(*arguments)
    assert drawn == []
    next(folder.glob("*.mp4")).unlink()
    run(*arguments)
    assert len(drawn) == 1
    assert "friendly" not in load_dataset(folder).stimuli.ratings, "stimuli.csv is written anew"


@pytest.mark.real
def test_fetch_without_clips(run: Run, mirror: Path, tmp_path: Path) -> None:
    assert "SHA-256 verified" in run("data", "fetch", "phase-genset", "--mirror", mirror, "--no-clips")
    assert load_dataset("phase-genset", mirror=mirror).stimuli.videos is None
    assert not (tmp_path / "cache" / "clips").exists()


def test_every_bad_clip_is_listed_and_the_exit_code_is_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failures = [Failure(f"clip {i}", "empty file") for i in range(5)]

    def refuse(**_: object) -> None:
        raise UnreadableClips(failures, 8)

    monkeypatch.setattr(main, "app", refuse)
    with pytest.raises(SystemExit) as left:
        main.main([])
    assert left.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[:5] == [f"  clip {i}: empty file" for i in range(5)]
    assert lines[5].startswith("bgs: 5 of 8 clips cannot be read: clip 0 (empty file), ")
    assert len(lines) == 6
