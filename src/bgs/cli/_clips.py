"""How a public data set comes by its clips: drawn from trajectories, or found in a folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bgs._errors import DataError
from bgs._files import cache_folder, read_json, sha256_of, write_json
from bgs._progress import note, progress_bar
from bgs.datasets import Dataset, write_folder
from bgs.datasets.links import ClipSearch, link_clips, search_clips
from bgs.datasets.phase import PhaseClip, load_phase, read_clips
from bgs.datasets.registry import PHASE_GENSET, DatasetCard
from bgs.simulation.phase_video import DRAWING, render_phase
from bgs.stimuli import StimulusSet
from bgs.views.console import console, table


def draw_clips(source: Path, out: Path | None, ratings: Path | None, size: int, fps: int) -> Path:
    """Draw the PHASE clips and write a folder that is a data set: clips, ``stimuli.csv`` with labels and ratings.

    Args:
        source: the published files.
        out: the folder; by default one in the cache.
        ratings: see :func:`bgs.datasets.phase.load_phase`.
        size, fps: see :func:`bgs.simulation.phase_video.render_phase`.

    Returns:
        The folder. The clips in it are remembered as those of ``phase-genset``.
    """
    folder = (out or cache_folder() / "clips" / PHASE_GENSET.name).resolve()
    stimuli, notes = load_phase(source, ratings)
    note(*notes)
    _draw_missing(read_clips(source), folder, size, fps)
    stimuli = replace(stimuli, videos=tuple(folder / name for name in stimuli.ids))
    card = PHASE_GENSET
    drawn = Dataset(
        stimuli,
        simulated=False,
        name=card.name,
        hashes=card.hashes,
        licence=card.licence,
        citation=card.citation,
    )
    write_folder(drawn, folder)  # trajectories and judgments are the authors': people's
    link_clips(card.name, {name: folder / name for name in stimuli.ids})
    return folder


def _draw_missing(clips: tuple[PhaseClip, ...], folder: Path, size: int, fps: int) -> None:
    """Draw what is not there yet; all of it, where what is there was drawn in another way."""
    marker = folder / "drawing.json"
    drawing = {
        "drawing": DRAWING,
        "size": size,
        "fps": fps,
        "source": sha256_of(*PHASE_GENSET.hashes.values()),
    }
    same = marker.is_file() and read_json(marker, "delete it: the clips are then drawn anew") == drawing
    if not same:
        marker.unlink(missing_ok=True)
    with progress_bar() as bar:
        for clip in bar.track(clips, description="drawing clips"):
            if not (same and (folder / clip.name).is_file()):
                render_phase(clip, folder / clip.name, size, fps)
    write_json(marker, drawing)


def find_clips(card: DatasetCard, stimuli: StimulusSet, folder: Path, report: Path | None) -> ClipSearch:
    """Search for the clips of a data set and remember those found.

    Raises:
        DataError: none was found; what was remembered before stays.
    """
    with progress_bar() as bar:
        task = bar.add_task("searching", total=len(stimuli))
        search = search_clips(folder, stimuli.ids, card.clip_seconds, lambda done: bar.advance(task, done))
    if report is not None:
        found = {name: str(path) for name, path in search.found.items()}
        write_json(report, {"found": found, "missing": search.missing, "refused": dict(search.refused)})
    if not search.found:
        refused = f", {len(search.refused)} refused: {search.refused[0]}" if search.refused else ""
        raise DataError(
            "none of the clips is here", where=folder,
            expected=f"files named like {stimuli.ids[0]}", got=f"{len(search.missing)} missing{refused}",
        )  # fmt: skip
    link_clips(card.name, search.found)
    return search


def print_search(card: DatasetCard, search: ClipSearch, folder: Path) -> None:
    """Print what was found, and name what was not."""
    out = console()
    total = len(search.found) + len(search.missing) + len(search.refused)
    out.print(f"{card.name}: {len(search.found)} of {total} clips found in {folder} and remembered.")
    if search.refused:
        out.print(table("Not taken", ("clip", "reason"), search.refused))
    if search.missing:
        out.print(table(f"{len(search.missing)} missing", ("clip",), [(name,) for name in search.missing]))
