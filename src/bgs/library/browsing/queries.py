"""What needs the model of the index: vectors of a file or a sentence, and what its readout says."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bgs._errors import DataError
from bgs._typing import Float, Float64
from bgs.evaluation.readout import describe
from bgs.stimuli import StimulusSet

if TYPE_CHECKING:
    from bgs.backbones.text_side import TextSide
    from bgs.library import Clip, Index
    from bgs.runs.opened_model import OpenedModel


def _open(reference: str) -> OpenedModel:
    from bgs.runs.opened_model import open_model

    return open_model(reference)


class Queries:
    """The model of an index, loaded when it is first needed; one query at a time.

    Args:
        index: what is searched.
        open_model: loads a model by its reference.
    """

    def __init__(self, index: Index, open_model: Callable[[str], OpenedModel] = _open) -> None:
        self.index, self._open_model = index, open_model
        self._lock = threading.RLock()

    @cached_property
    def model(self) -> OpenedModel:
        """The model of the index.

        Raises:
            DataError: its reference now names another model than the one that made the index.
            BgsError: it cannot be loaded.
        """
        found = self._open_model(self.index.model_reference)
        if found.identity != self.index.identity:
            raise DataError(
                f"the index is of another model than {self.index.model_reference} now is", where=self.index.path,
                expected=self.index.identity[:12], got=found.identity[:12], hint="index the folder again",
            )  # fmt: skip
        return found

    @cached_property
    def _text_side(self) -> TextSide:
        from bgs.backbones.text_side import TextSide

        return TextSide(self.model.backbone)

    def of_file(self, path: Path, name: str) -> Float64[np.ndarray, " d"]:
        """The unit vector of a file.

        Args:
            path: the file.
            name: for error messages.

        Raises:
            DataError: it cannot be read, or the index is of another model.
        """
        with self._lock:
            return _unit(self.model.centred(self._embed(StimulusSet((name,), videos=(path,))))[0])

    def describe(self, clip: Clip) -> dict[str, Any]:
        """What the readout says of a clip, as JSON: ratings with intervals (null: too few clips), and whether it is far.

        Empty for a model without a readout, which is not opened for this.

        Raises:
            DataError: the clip is not what was indexed or cannot be read, or the index is of another model.
        """
        if self.index.readout is None:
            return {}
        with self._lock:
            stimuli = StimulusSet((clip.id,), videos=(clip.file(),), spans=(clip.piece.span,))
            (found,) = describe(self.index.readout, self._embed(stimuli), [clip.id])
        plain = asdict(found)
        for one in plain["attributes"]:
            one |= {key: _finite(one[key]) for key in ("low", "high", "r_squared")}
        return plain

    def _embed(self, stimuli: StimulusSet) -> Float[np.ndarray, "1 d"]:
        """One clip; if it cannot be read, no option is named that would leave it out."""
        return self.model.embed(stimuli, skip_bad=True).values

    def kept_together(self, distances: list[float]) -> list[float] | None:
        """Probabilities that people keep two clips together; None for a model that was not calibrated."""
        if self.index.readout is None or not distances:
            return None
        found: list[float] = self.index.readout.kept.probability(np.array(distances)).tolist()
        return found

    def of_sentence(self, sentence: str) -> Float64[np.ndarray, " d"]:
        """The unit vector of a sentence. The mean of clips is not subtracted: sentences have another one.

        Raises:
            ConfigError: the model has no text side.
        """
        with self._lock:
            return _unit(self._text_side.embed([sentence])[0])


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _unit(vector: Float64[np.ndarray, " d"]) -> Float64[np.ndarray, " d"]:
    length = float(np.linalg.norm(vector))
    if length == 0:
        raise DataError("its vector is zero: it is at no distance from any clip")
    return vector / length
