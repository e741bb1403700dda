"""What a report shows of an experiment: held-out clips through the eyes of those who judged, captions, base and tuned model."""

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
_SIDE = 72  # pixels of a frame
_MAPPED = 60  # clips on the map and in the matrices, at most


@dataclass(frozen=True)
class Showcase:
    """What the figures of a page are made of: the held-out clips and one model before and after.

    Attributes:
        positions: (m,) of the clips shown, in the stimulus set.
        rdms: title -> (m, m) dissimilarities: those who judged first, base, tuned, and captions where there are any.
        frames: (m, k, s, s, 3) strips; None where there are no clips on this machine.
    """

    positions: Int[np.ndarray, " m"]
    rdms: dict[str, Float[np.ndarray, "m m"]]
    frames: UInt8[np.ndarray, "m k s s 3"] | None

    @property
    def triptych(self) -> dict[str, Float[np.ndarray, "m m"]]:
        """Those who judged, base and tuned."""
        return {name: rdm for name, rdm in self.rdms.items() if name != "captions"}


def showcase(experiment: Experiment, model: str, judges: str) -> Showcase:
    """The held-out clips (at most 60 of them) as ``judges``, captions, base and tuned model have them."""
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
    experiment: Experiment, positions: Int[np.ndarray, " m"], frames: int = STRIP
) -> UInt8[np.ndarray, "m k s s 3"] | None:
    """Frames of clips, evenly spread over each; None where one of them is not on this machine, none is asked for, or
    nothing is installed that reads clips (which is said)."""
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
    return np.stack([decode(path, Sampling(frames=frames, size=_SIDE)) for path in there])


def thumbnails(experiment: Experiment, ids: Sequence[str]) -> UInt8[np.ndarray, "m s s 3"] | None:
    """The middle frame of each clip; None where one of them is not on this machine."""
    found = strips(experiment, experiment.study.stimuli.positions(ids), frames=1)
    return None if found is None else found[:, 0]


def _first(found: Mapping[int, Embeddings]) -> Embeddings:
    return found[min(found)]
