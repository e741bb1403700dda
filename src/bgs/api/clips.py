"""Renders the PHASE clips, which are published as trajectories, into a data set folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bgs._files import cache_folder, read_json, sha256_of, write_json
from bgs._progress import note, progress_bar
from bgs.datasets import Dataset, write_folder
from bgs.datasets.links import link_clips
from bgs.datasets.phase import PhaseClip, load_phase, read_clips
from bgs.datasets.registry import PHASE_GENSET
from bgs.simulation.phase_video import DRAWING, render_phase


def draw_phase_clips(
    source: Path, out: Path | None = None, ratings: Path | None = None, *, size: int = 256, fps: int = 12
) -> Path:
    """Render the PHASE clips and write a data set folder: clips, and ``stimuli.csv`` with labels and ratings.

    Existing clips that were rendered with the same settings are kept.

    Args:
        source: the published files (:func:`bgs.datasets.download.fetch`).
        out: the folder (default: one in the cache).
        ratings: see :func:`bgs.datasets.phase.load_phase`.
        size: see :func:`bgs.simulation.phase_video.render_phase`.
        fps: likewise.

    Returns:
        The folder. ``phase-genset`` uses the clips in it from now on.

    Raises:
        DataError: the published files or the ratings are invalid.
        ConfigError: size or frame rate is out of range.
    """
    card = PHASE_GENSET
    folder = (out or cache_folder() / "clips" / card.name).resolve()
    stimuli, notes = load_phase(source, ratings)
    note(*notes)
    _draw_missing(read_clips(source), folder, size, fps)
    stimuli = replace(stimuli, videos=tuple(folder / name for name in stimuli.ids))
    drawn = Dataset(  # not simulated: trajectories and judgments come from people
        stimuli, simulated=False, name=card.name, hashes=card.hashes, licence=card.licence, citation=card.citation
    )  # fmt: skip
    write_folder(drawn, folder)
    link_clips(card.name, {name: folder / name for name in stimuli.ids})
    return folder


def _draw_missing(clips: tuple[PhaseClip, ...], folder: Path, size: int, fps: int) -> None:
    """Render the missing clips; all of them, if the existing ones were rendered with other settings."""
    marker = folder / "drawing.json"
    source = sha256_of(*PHASE_GENSET.hashes.values())
    drawing = {"drawing": DRAWING, "size": size, "fps": fps, "source": source}
    same = marker.is_file() and read_json(marker, "delete it to render the clips again") == drawing
    if not same:
        marker.unlink(missing_ok=True)
    with progress_bar() as bar:
        for clip in bar.track(clips, description="drawing clips"):
            if not (same and (folder / clip.name).is_file()):
                render_phase(clip, folder / clip.name, size, fps)
    write_json(marker, drawing)
