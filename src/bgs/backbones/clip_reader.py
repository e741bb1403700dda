"""Models that see clips: the frames of every stimulus, through the frame cache."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from bgs.backbones.backbone import Backbone
from bgs.backbones.clips import VideoInputs
from bgs.backbones.symmetry import Symmetry
from bgs.stimuli import FrameCache, Sampling, StimulusSet
from bgs.stimuli.clip_files import require_files


class ClipReader(Backbone):
    """A backbone whose units are clips, as uint8 frames."""

    @abstractmethod
    def sampling(self) -> Sampling:
        """Which frames are read, and at what size."""

    def symmetry(self) -> Symmetry:
        """Images of a clip whose embeddings are averaged."""
        return "none"

    def require_readable(self, stimuli: StimulusSet) -> None:
        require_files(stimuli)

    def prepare(
        self,
        stimuli: StimulusSet,
        *,
        workers: int | None = None,
        progress: Callable[[int], None] | None = None,
        skip_bad: bool = False,
    ) -> VideoInputs:
        """Decode every stimulus's clip, through the frame cache.

        Args:
            stimuli: a set with videos.
            workers: decoding threads; None is one for each core.
            progress: told of each clip that is done.
            skip_bad: leave clips that cannot be read out; they are in the result's ``failures``.

        Raises:
            DataError: clips that cannot be read, all named at once, or a set without any.
        """
        frames = FrameCache().open_frames(stimuli, self.sampling(), workers, progress, skip_bad)
        self.notes = (*self.notes, *frames.notes)
        return VideoInputs(frames.array, frames.positions, frames.failures, self.symmetry())
