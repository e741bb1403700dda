"""The held-out clips that a report shows, as judges, captions, base and tuned model see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from bgs._errors import MissingExtraError
from bgs._optional import require_all
from bgs._progress import note
from bgs._typing import Float, Int
from bgs.embeddings import Embeddings
from bgs.stimuli import Sampling
from bgs.stimuli.decoding import decode

if TYPE_CHECKING:
    from bgs.experiments.experiment import Experiment

#: Frames of a strip.
STRIP = 5
SIDE = 72  # pixels of a frame
_MAPPED = 60  # clips on the map and in the matrices, at most


@dataclass(frozen=True)
class Showcase:
    """The data behind the figures of clips: held-out clips, and one model before and after tuning.

    Attributes:
        positions: (m,) of the clips shown, in the stimulus set.
        rdms: title -> (m, m) dissimilarities: the judges' first, then base, tuned and, where there are any, captions.
        frames: (m, k, s, s, 3) strips; None where the clips are not on this machine.
    """

    positions: Int[np.ndarray, " m"]
    rdms: dict[str, Float[np.ndarray, "m m"]]
    frames: UInt8[np.ndarray, "m k s s 3"] | None

    @property
    def triptych(self) -> dict[str, Float[np.ndarray, "m m"]]:
        """The dissimilarities of judges, base and tuned model."""
        return {name: rdm for name, rdm in self.rdms.items() if name != "captions"}


def showcase(experiment: Experiment, model: str, judges: str) -> Showcase:
    """At most 60 held-out clips, with the dissimilarities of ``judges``, captions, base and tuned model."""
    positions = experiment.evaluated[:_MAPPED]
    rdms = {judges: experiment.human(positions)}
    models = {
        "captions": experiment.captions,
        "base": _first(experiment.base(model)),
        "tuned": _first(experiment.tuned(model)),
    }
    rdms |= {name: experiment.distances(made, positions) for name, made in models.items() if made is not None}
    return Showcase(positions, rdms, strips(experiment, positions))


def strips(
    experiment: Experiment, positions: Int[np.ndarray, " m"], frames: int = STRIP, size: int = SIDE
) -> UInt8[np.ndarray, "m k s s 3"] | None:
    """Frames of clips, evenly spaced over each clip.

    Args:
        experiment: whose clips they are.
        positions: (m,) of the clips, in the stimulus set.
        frames: k, of each clip.
        size: s, pixels a side.

    Returns:
        None where a clip is not on this machine, no clip is asked for, or the packages that read clips are not installed
        (a note says so).
    """
    videos = experiment.study.stimuli.videos or ()
    paths = [videos[i] for i in positions] if videos else []
    there = [path for path in paths if path is not None and path.is_file()]
    if not there or len(there) < len(positions):
        return None
    try:
        require_all("video", "video", "train")
    except MissingExtraError as error:
        note(f"The report has no frames of clips: {error}")
        return None
    return np.stack([decode(path, Sampling(frames=frames, size=size)) for path in there])


def thumbnails(experiment: Experiment, ids: Sequence[str]) -> UInt8[np.ndarray, "m s s 3"] | None:
    """(m, s, s, 3) middle frame of each clip; None where a clip is not on this machine."""
    found = strips(experiment, experiment.study.stimuli.positions(ids), frames=1)
    return None if found is None else found[:, 0]


def _first(found: Mapping[int, Embeddings]) -> Embeddings:
    return found[min(found)]
