"""Cuts long videos into pieces: shots, found by PySceneDetect, or windows of equal length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from math import inf
from pathlib import Path

from bgs._errors import ConfigError
from bgs._optional import require
from bgs._threads import in_threads
from bgs.library.clip import Piece
from bgs.stimuli import StimulusSet
from bgs.stimuli.decoding import check_file
from bgs.stimuli.pyav_decoder import clip_seconds
from bgs.stimuli.unreadable import Failure, UnreadableClip, UnreadableClips

WAYS = ("shots", "windows", "none")
#: Seconds of a window, at least: times are kept to a hundredth, and a picture of a film lasts four.
_SHORTEST = 0.1
#: A file whose frames end this many seconds before its header says is damaged.
_TOLERANCE = 1.0


@dataclass(frozen=True)
class Cutting:
    """How long videos are cut.

    Attributes:
        by: ``shots`` (and shots that are too long into windows), ``windows``, or ``none``: every file is one clip.
        whole: files, and shots, of at most this many seconds stay whole.
        window: length of a window in seconds, about: windows of a file are equally long, so that none is a short rest.

    Raises:
        ConfigError: unknown way, ``whole`` not above 0, or ``window`` below .1 s.
    """

    by: str = "shots"
    whole: float | int = 10
    window: float | int = 3

    def __post_init__(self) -> None:
        if self.by not in WAYS:
            expected = " or ".join(WAYS)
            raise ConfigError("unknown way to cut videos", where="cut", expected=expected, got=self.by)
        if not 0 < self.whole < inf:
            raise ConfigError("whole", expected="a number of seconds above 0", got=self.whole)
        if not _SHORTEST <= self.window < inf:
            raise ConfigError("window", expected=f"at least {_SHORTEST} seconds", got=self.window)

    def as_json(self) -> dict[str, object]:
        """For the metadata of an index; lengths that make no difference are left out."""
        return {"by": "none"} if self.by == "none" else asdict(self)

    def pieces(self, path: Path) -> list[Piece]:
        """The pieces of a video, in order; a short one is a single piece, the whole.

        Raises:
            UnreadableClip: the file is not a video, or is damaged.
            MissingExtraError: PySceneDetect is not installed.
        """
        if self.by == "none" or (seconds := clip_seconds(path)) <= self.whole:
            return [Piece()]
        shots = _shots(path, seconds) if self.by == "shots" else [(0.0, seconds)]
        stretches = [window for shot in shots for window in self._windows(*shot)]
        return [Piece(round(start, 2), round(end, 2)) for start, end in stretches]

    def pieces_of_each(self, paths: Sequence[Path]) -> list[list[Piece] | str]:
        """The pieces of each video, or the reason why it has none. Files that are not cut are not looked at."""
        if self.by == "none":
            return [[Piece()] for _ in paths]
        return in_threads(self._pieces_or_reason, paths)

    def in_pieces(self, names: Sequence[str], paths: Sequence[Path]) -> StimulusSet:
        """Every piece of videos as a stimulus, in order: ``name``, or ``name#t=START,END`` of a video that is cut.

        Raises:
            UnreadableClips: videos cannot be read; all are named.
        """
        cut = self.pieces_of_each(paths)
        failures = [Failure(name, one) for name, one in zip(names, cut, strict=True) if isinstance(one, str)]
        if failures:
            raise UnreadableClips(failures, len(names))
        every = [(i, piece) for i, one in enumerate(cut) if not isinstance(one, str) for piece in one]
        return StimulusSet(
            tuple(piece.id_in(names[i]) for i, piece in every),
            videos=tuple(paths[i] for i, _ in every),
            spans=tuple(piece.span for _, piece in every),
        )

    def _pieces_or_reason(self, path: Path) -> list[Piece] | str:
        try:
            check_file(path)
            return self.pieces(path)
        except UnreadableClip as error:
            return error.reason

    def _windows(self, start: float, end: float) -> list[tuple[float, float]]:
        """A shot as it is, or, if it is too long, equal parts of it."""
        length = end - start
        parts = 1 if length <= self.whole and self.by == "shots" else max(1, round(length / self.window))
        edges = [start + length * part / parts for part in range(parts + 1)]
        return list(pairwise(edges))


def _shots(path: Path, seconds: float) -> list[tuple[float, float]]:
    """(start, end) of each shot in seconds after the first frame, found by changes of content (an adaptive threshold)."""
    scenedetect, av = require("scenedetect", "library"), require("av", "video")
    from scenedetect.detectors import AdaptiveDetector

    manager = scenedetect.SceneManager()
    manager.add_detector(AdaptiveDetector())
    try:
        manager.detect_scenes(scenedetect.open_video(str(path), backend="pyav"), show_progress=False)
    except (av.FFmpegError, scenedetect.VideoOpenFailure, OSError) as error:
        raise UnreadableClip(f"damaged or truncated: {error}", path) from error
    scenes = manager.get_scene_list(start_in_scene=True)
    first = scenes[0][0].seconds if scenes else 0.0
    shots = [(begin.seconds - first, end.seconds - first) for begin, end in scenes]
    reached = shots[-1][1] if shots else 0.0
    if reached < seconds - _TOLERANCE:
        raise UnreadableClip(f"truncated or damaged: only {reached:.2f} of {seconds:.2f} s are present", path)
    return shots
