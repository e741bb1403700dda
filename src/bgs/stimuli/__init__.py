"""Stimuli: who they are, where their clips lie, what people wrote and rated about them, and the clips' frames."""

from bgs.stimuli.decoding import Decoder, decode
from bgs.stimuli.frame_cache import FrameCache, Frames
from bgs.stimuli.sampling import Sampling
from bgs.stimuli.stimulus_set import StimulusSet
from bgs.stimuli.unreadable import UnreadableClip, UnreadableClips

__all__ = [
    "Decoder",
    "FrameCache",
    "Frames",
    "Sampling",
    "StimulusSet",
    "UnreadableClip",
    "UnreadableClips",
    "decode",
]
