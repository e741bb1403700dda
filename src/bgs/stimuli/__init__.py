"""Stimuli: ids, clips, captions, ratings and the frames of the clips."""

from bgs.stimuli.decoding import Decoder, decode
from bgs.stimuli.frame_cache import FrameCache, Frames
from bgs.stimuli.maps import ClipMaps
from bgs.stimuli.masks import RegionMasks, masks_of, read_masks, write_masks
from bgs.stimuli.sampling import Sampling
from bgs.stimuli.stimulus_set import StimulusSet
from bgs.stimuli.unreadable import UnreadableClip, UnreadableClips

__all__ = [
    "ClipMaps",
    "Decoder",
    "FrameCache",
    "Frames",
    "RegionMasks",
    "Sampling",
    "StimulusSet",
    "UnreadableClip",
    "UnreadableClips",
    "decode",
    "masks_of",
    "read_masks",
    "write_masks",
]
