"""Vectors of what is searched for: a file, or a sentence, by the model of the index."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bgs._errors import DataError
from bgs._typing import Float64
from bgs.stimuli import StimulusSet

if TYPE_CHECKING:
    from bgs.backbones.text_side import TextSide
    from bgs.library import Index
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
            embedded = self.model.embed(StimulusSet((name,), videos=(path,)))
            return _unit(self.model.centred(embedded.values)[0])

    def of_sentence(self, sentence: str) -> Float64[np.ndarray, " d"]:
        """The unit vector of a sentence. The mean of clips is not subtracted: sentences have another one.

        Raises:
            ConfigError: the model has no text side.
        """
        with self._lock:
            return _unit(self._text_side.embed([sentence])[0])


def _unit(vector: Float64[np.ndarray, " d"]) -> Float64[np.ndarray, " d"]:
    length = float(np.linalg.norm(vector))
    if length == 0:
        raise DataError("its vector is zero: it is at no distance from any clip")
    return vector / length
