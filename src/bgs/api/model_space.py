"""Where the space of a model comes from: the model itself, embeddings, or an index."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bgs._errors import ConfigError
from bgs._typing import Float
from bgs.datasets import Dataset
from bgs.embeddings import Embeddings
from bgs.library.selecting.pool import vectors_of

if TYPE_CHECKING:
    from bgs.library.index import Index


@dataclass(frozen=True)
class ModelSpace:
    """Where the space of a model comes from: a model, embeddings, or an index."""

    model: str | None
    stored: Embeddings | str | Path | None
    indexed: Index | str | Path | None

    def __post_init__(self) -> None:
        given = [one for one in (self.model, self.stored, self.indexed) if one is not None]
        if len(given) > 1:
            raise ConfigError(
                "which space?", expected="one of --model, --embeddings and --index", got=len(given)
            )

    @property
    def given(self) -> bool:
        """Whether there is any."""
        return self.name is not None

    @cached_property
    def index(self) -> Index | None:
        """The index, opened."""
        from bgs.library import open_index

        return open_index(self.indexed) if isinstance(self.indexed, str | Path) else self.indexed

    @cached_property
    def embeddings(self) -> Embeddings | None:
        """The embeddings, read."""
        return Embeddings.load(self.stored) if isinstance(self.stored, str | Path) else self.stored

    @property
    def name(self) -> str | None:
        """Reference of the model; None without any."""
        if self.index is not None:
            return self.index.model_reference
        return self.model if self.embeddings is None else self.embeddings.source

    def vectors(
        self, data: Dataset, skip_bad: bool, device: str
    ) -> tuple[Float[np.ndarray, "n d"], tuple[str, ...]]:
        """Vectors of the clips, centred as the model is, and the ids of those that have one."""
        if self.index is not None:
            return vectors_of(self.index, data.stimuli), data.stimuli.ids
        if self.embeddings is not None:
            return self.embeddings.select(data.stimuli.ids).values, data.stimuli.ids
        return embedded(str(self.model), data, skip_bad, device)


def embedded(
    model: str, data: Dataset, skip_bad: bool, device: str
) -> tuple[Float[np.ndarray, "n d"], tuple[str, ...]]:
    """Vectors by a model, centred as it is, and the ids of the clips that have one."""
    from bgs.runs.opened_model import open_model

    opened = open_model(model, device)
    found = opened.embed(data.stimuli, skip_bad=skip_bad)
    return opened.centred(found.values), found.stimulus_ids
