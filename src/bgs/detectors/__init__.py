"""Region masks of clips: faces and bodies, objects, and the triangles of animations after Heider & Simmel."""

from bgs.detectors.detector import Detector, open_detector

__all__ = ["Detector", "open_detector"]
