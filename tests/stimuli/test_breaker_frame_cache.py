"""What the file system does for a while is not remembered as what a clip is."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
from clips import write_clip

from bgs import BgsError
from bgs.stimuli import FrameCache, StimulusSet, pack_builder
from bgs.stimuli.sampling import Sampling
