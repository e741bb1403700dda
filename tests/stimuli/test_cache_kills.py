"""Ten kills while 300 clips are decoded: `python -m pytest -m slow -s tests/stimuli/test_cache_kills.py`."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from bgs.stimuli import FrameCache, Sampling, StimulusSet
from bgs.stimuli.content_hashes import file_hashes
from bgs.stimuli.frame_pack import FramePack
from clips import numbered, write_clip

CLIPS, KILLS, WORKERS = 300, 10, 2
SAMPLING = Sampling(4, 64, crop="none")

#: Writes the name of each clip that is decoded to a file, in one piece, before it is.
_BUILDER = """
import os, sys
from bgs.stimuli import FrameCache, Sampling, StimulusSet, decode_pool
folder, cache, names = sys.argv[1:]
log = os.open(names, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
decode = decode_pool.decode
def logged(path, *rest):
    os.write(log, f"{path.stem}\\n".encode())
    return decode(path, *rest)
decode_pool.decode = logged
stimuli = StimulusSet.from_folder(folder)
FrameCache(cache).open_frames(stimuli, Sampling(4, 64, crop="none"), workers=2)
"""


@pytest.mark.slow
def test_kills_cost_only_what_was_being_decoded(tmp_path: Path) -> None:
    clips, cache, names = tmp_path / "clips", tmp_path / "cache", tmp_path / "names"
    clips.mkdir()
    for i in range(CLIPS):
        write_clip(clips / f"{i:03}.mp4", [numbered((i + 7 * k * (1 + i // 256)) % 256) for k in range(24)])
    stimuli = StimulusSet.from_folder(clips)
    stems = [path.stem for path in stimuli.videos or () if path is not None]
    digests = file_hashes([clips / f"{stem}.mp4" for stem in stems], tmp_path / "hashes.json")
    assert len(set(digests)) == CLIPS
    whole = FrameCache(tmp_path / "unbroken").open_frames(stimuli, SAMPLING, workers=1).array

    random, lost, kept = np.random.default_rng(0), Counter[str](), set[str]()
    names.touch()
    for kill in range(KILLS):
        begun_before = len(names.read_text().split())
        enough = begun_before + (CLIPS - len(kept)) // (KILLS + 1 - kill)
        with subprocess.Popen(
            [sys.executable, "-c", _BUILDER, str(clips), str(cache), str(names)]
        ) as builder:
            while len(names.read_text().split()) < enough:
                assert builder.poll() is None, "it ended before it was killed"
                time.sleep(0.001)
            time.sleep(random.uniform(0, 0.01))
            how = (signal.SIGKILL, signal.SIGTERM)[kill % 2]
            builder.send_signal(how)
        assert builder.returncode == -how
        begun = set(names.read_text().split()[begun_before:])
        assert not begun & kept, "decoded although its frames were kept"
        (folder,) = (path.parent for path in cache.rglob("frames.u8"))
        records = FramePack.open(folder).records
        now = {stem for stem, digest in zip(stems, digests, strict=True) if digest in records}
        assert kept <= now
        in_flight = begun - now
        assert len(in_flight) <= 2 * WORKERS, "one being decoded and one being kept for each thread"
        lost.update(in_flight)
        kept = now
    subprocess.run([sys.executable, "-c", _BUILDER, str(clips), str(cache), str(names)], check=True)

    decoded = Counter(names.read_text().split())
    assert decoded == Counter(stems) + lost
    frames = FrameCache(cache).open_frames(stimuli, SAMPLING)
    assert frames.notes == ()
    assert np.asarray(frames.array).tobytes() == np.asarray(whole).tobytes()
    assert not list(cache.rglob("*.part"))
    print(
        f"\n{CLIPS} clips, {KILLS} kills: {decoded.total()} decodings, of which {lost.total()} were in flight when killed"
    )
