"""Base class of models that read clips, through the frame cache."""

from __future__ import annotations

from abc import abstractmethod

from bgs._progress import progress_bar
from bgs.backbones.backbone import Backbone
from bgs.backbones.clips import VideoInputs
from bgs.backbones.symmetry import Symmetry
from bgs.stimuli import FrameCache, Sampling, StimulusSet
from bgs.stimuli.clip_files import require_files


class ClipReader(Backbone):
    """A backbone whose units are clips, as uint8 frames."""

    @abstractmethod
    def sampling(self) -> Sampling:
        """The frames to read and their size."""

    def symmetry(self) -> Symmetry:
        """Symmetries of a clip over which embeddings are averaged."""
        return "none"

    def require_readable(self, stimuli: StimulusSet) -> None:
        require_files(stimuli)

    def prepare(self, stimuli: StimulusSet, *, skip_bad: bool = False) -> VideoInputs:
        """Decode every stimulus's clip, through the frame cache.

        Raises:
            DataError: clips cannot be read (all are named), or the set has none.
        """
        with progress_bar() as bar:
            task = bar.add_task("reading clips", total=len(stimuli))
            frames = FrameCache().open_frames(
                stimuli, self.sampling(), progress=lambda done: bar.advance(task, done), skip_bad=skip_bad
            )
        self.notes = (*self.notes, *frames.notes)
        return VideoInputs(frames.array, frames.positions, frames.failures, self.symmetry())
