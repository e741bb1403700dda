"""Writes simulated clips (videos, masks, trajectories, captions, latents) as an ordinary data set folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from bgs._errors import ConfigError, listed
from bgs._files import atomic_folder, require_new_folder, write_tensors, write_text
from bgs._optional import require
from bgs._rng import generator
from bgs._threads import usable_cores
from bgs.simulation.beginning import episodes_of
from bgs.simulation.behaviours import BEHAVIOURS
from bgs.simulation.film import MASK_NAMES, film
from bgs.simulation.latents import LATENTS, latents
from bgs.simulation.looks import STYLES, draw_look
from bgs.simulation.wordings import captions
from bgs.simulation.world import FPS, Episodes
from bgs.stimuli import StimulusSet
from bgs.stimuli.encoding import check_side, write_video
from bgs.stimuli.masks import RegionMasks, write_masks

_LEAST_TEST = 3  # a test trial needs three clips
#: Maximum frame size (masks of a whole clip are held in memory) and number of clips (months of rendering).
_LARGEST, _MOST_CLIPS = 1024, 1_000_000
_BATCH = 20  # clips of a behaviour that are simulated together
#: Fields of the episodes in ``trajectories.safetensors``.
_TRACKS = (
    "position", "velocity", "heading", "wish", "holder", "touch", "present", "radius", "pace", "goal",
)  # fmt: skip


@dataclass(frozen=True)
class ClipSettings:
    """Settings of simulated clips.

    Attributes:
        clips: number of clips, divided evenly among behaviours.
        style: one of :data:`bgs.simulation.looks.STYLES`.
        behaviours: names of behaviours; empty for all.
        test_share: proportion of clips held out.
        size: width and height in pixels, an even number ≥ 32.
        seed: random seed.

    Raises:
        ConfigError: a number is out of range, or a style or behaviour is unknown.
    """

    clips: int = 240
    style: str = "discs"
    behaviours: tuple[str, ...] = ()
    test_share: float = 0.25
    size: int = 128
    seed: int = 0

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise ConfigError("unknown style", expected=f"one of {', '.join(STYLES)}", got=self.style)
        unknown = [name for name in self.behaviours if name not in BEHAVIOURS]
        if unknown:
            raise ConfigError(
                f"unknown behaviour {listed(unknown)}", expected=f"one of {', '.join(BEHAVIOURS)}"
            )
        check_side(self.size, least=32, greatest=_LARGEST)
        if not 0 <= self.test_share < 1:
            raise ConfigError(
                "invalid proportion of test clips", expected="at least 0 and below 1", got=self.test_share
            )
        if not 6 <= self.clips <= _MOST_CLIPS:
            expected = f"6 to {_MOST_CLIPS:,} clips"
            raise ConfigError("invalid number of clips", expected=expected, got=self.clips)
        held_out = round(self.test_share * self.clips)
        if self.test_share and not _LEAST_TEST <= held_out <= self.clips - _LEAST_TEST:
            raise ConfigError(
                "too few clips for a split", expected=f"at least {_LEAST_TEST} test and {_LEAST_TEST} training clips",
                got=f"{held_out} of {self.clips} held out", hint="more clips, or --test-share 0",
            )  # fmt: skip

    def plan(self) -> list[tuple[str, str]]:
        """Behaviour and key of each clip, in random order; a shorter plan is not a prefix of a longer one."""
        names = self.behaviours or tuple(BEHAVIOURS)
        order = generator(self.seed, "plan", self.style, str(self.clips)).permutation(self.clips)
        return [(names[i % len(names)], f"{self.style}-{i}") for i in order.tolist()]


def write_clips(
    folder: str | Path,
    settings: ClipSettings,
    progress: Callable[[int], None] | None = None,
    workers: int | None = None,
) -> StimulusSet:
    """Render clips into a new folder: ``clips/*.mp4``, ``masks/*.safetensors``, ``trajectories.safetensors``.

    The folder appears only when complete. ``stimuli.csv`` is written by :func:`bgs.datasets.write_folder`.

    Args:
        folder: new, or empty.
        settings: settings of the clips.
        progress: called with the number of newly finished clips.
        workers: number of processes; None uses as many cores as worthwhile.

    Returns:
        The stimuli: split, captions, eight latents and nuisance variables as ratings, behaviour as label.

    Raises:
        DataError: the folder is not empty.
        MissingExtraError: PyAV is not installed.
    """
    folder = Path(folder)
    require_new_folder(folder)
    require("av", "video")
    with atomic_folder(folder) as half_done:
        for name in ("clips", "masks"):
            (half_done / name).mkdir()
        plan = settings.plan()
        filmed = _film_all(half_done, settings, plan, progress, workers)
        return _describe(half_done, folder, settings, plan, filmed)


def clip_name(position: int) -> str:
    """Id of the clip at a position; it does not reveal the behaviour."""
    return f"clip-{position:04d}"


def _film_all(
    folder: Path, settings: ClipSettings, plan: list[tuple[str, str]], progress: Callable[[int], None] | None,
    workers: int | None,
) -> list[tuple[list[int], Episodes]]:  # fmt: skip
    """Write videos and masks; returns positions of clips with their episodes."""
    tasks = _tasks([behaviour for behaviour, _ in plan])
    workers = min(usable_cores() if workers is None else workers, max(1, len(tasks) // 3))
    arguments = [(folder, settings, plan[task[0]][0], [(i, plan[i][1]) for i in task]) for task in tasks]
    with ExitStack() as stack:
        run: Callable[..., Iterable[Episodes]] = map
        if workers > 1:
            run = stack.enter_context(ProcessPoolExecutor(workers, mp_context=get_context("spawn"))).map
        filmed = []
        for task, episodes in zip(tasks, run(_film_some, *zip(*arguments, strict=True)), strict=True):
            filmed.append((task, episodes))
            if progress:
                progress(len(task))
    return filmed


def _tasks(behaviours: Sequence[str]) -> list[list[int]]:
    """Positions of clips by behaviour, in batches, since episodes are simulated in parallel."""
    tasks = []
    for name in sorted(set(behaviours)):
        positions = [i for i, behaviour in enumerate(behaviours) if behaviour == name]
        tasks += [positions[first : first + _BATCH] for first in range(0, len(positions), _BATCH)]
    return tasks


def _film_some(
    folder: Path, settings: ClipSettings, behaviour: str, clips: Sequence[tuple[int, str]]
) -> Episodes:
    episodes = episodes_of(behaviour, settings.seed, [key for _, key in clips])
    for number, (position, key) in enumerate(clips):
        look = draw_look(settings.style, settings.seed, key)
        made = film(episodes, number, look, settings.size, settings.seed, key)
        name = clip_name(position)
        write_video(
            folder / "clips" / f"{name}.mp4", made.frames, FPS, quality=20, preset="veryfast", threads=1
        )
        write_masks(folder / "masks" / f"{name}.safetensors", RegionMasks(made.mask, MASK_NAMES))
    return episodes  # returned so that the simulation (a tenth of the time) is not repeated


def _describe(
    written: Path, folder: Path, settings: ClipSettings, plan: list[tuple[str, str]],
    filmed: list[tuple[list[int], Episodes]],
) -> StimulusSet:  # fmt: skip
    """Write the trajectories of a plan and return its stimuli."""
    looks = [draw_look(settings.style, settings.seed, key) for _, key in plan]
    names = [behaviour for behaviour, _ in plan]
    values = np.empty((len(plan), len(LATENTS)))
    tracks: dict[str, np.ndarray] = {}
    for rows, episodes in filmed:
        values[rows] = latents(episodes)
        for field in _TRACKS:
            part = getattr(episodes, field)
            tracks.setdefault(field, np.empty((len(plan), *part.shape[1:]), part.dtype))[rows] = part
    tracks["camera"] = np.stack([look.corner for look in looks])
    tracks["view"] = np.array([look.view for look in looks])
    write_tensors(written / "trajectories.safetensors", tracks, {})
    write_text(written / "README.txt", "SIMULATED clips. Nobody filmed, and nobody was filmed.\n")
    nuisance = [look.numbers() for look in looks]
    ratings = {name: values[:, k] for k, name in enumerate(LATENTS)}
    ratings |= {name: np.array([row[name] for row in nuisance]) for name in nuisance[0]}
    ratings["nuisance_pace"] = tracks["pace"]
    return StimulusSet(
        ids=tuple(clip_name(i) for i in range(len(plan))),
        captions=tuple(
            captions(name, dict(zip(LATENTS, row, strict=True)), look, settings.seed, key)
            for (name, key), row, look in zip(plan, values.tolist(), looks, strict=True)
        ),
        videos=tuple(folder / "clips" / f"{clip_name(i)}.mp4" for i in range(len(plan))),
        split=_split(settings), ratings=ratings, labels={"behaviour": tuple(names)},
    )  # fmt: skip


def _split(settings: ClipSettings) -> tuple[str, ...] | None:
    if not settings.test_share:
        return None
    test = generator(settings.seed, "clip split").permutation(settings.clips)[
        : round(settings.test_share * settings.clips)
    ]
    return tuple("test" if i in set(test.tolist()) else "train" for i in range(settings.clips))
