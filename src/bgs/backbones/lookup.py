"""The behaviour-only reference: a free vector per stimulus, independent of content."""

from __future__ import annotations

import re

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from bgs._errors import BgsError, ConfigError
from bgs._rng import generator
from bgs._typing import Int
from bgs.backbones.backbone import Backbone, BackboneSpec, Inputs
from bgs.stimuli import StimulusSet


class LookupInputs(Inputs):
    """A unit is a stimulus; its content is its row in the table."""

    def __init__(self, rows: Int[np.ndarray, " n"]) -> None:
        self._rows = rows
        self.owner = np.arange(len(rows))
        self.cost = np.ones(len(rows), dtype=np.int64)

    def batch(self, units: Int[np.ndarray, " b"]) -> Int[Tensor, " b"]:
        return torch.as_tensor(self._rows[units])


class LookupTable(nn.Module):
    """Vectors by stimulus id. A new id gets a random vector that depends only on the id."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.vectors = nn.Parameter(torch.empty(0, dim))

    def rows(self, ids: tuple[str, ...]) -> Int[np.ndarray, " n"]:
        """Rows of ``ids``, adding rows for new ids."""
        known = set(self.ids)
        new = [name for name in ids if name not in known]
        if new:
            dim = self.vectors.shape[1]
            drawn = np.stack([generator(0, "lookup", name).standard_normal(dim) for name in new])
            added = torch.as_tensor(drawn, dtype=self.vectors.dtype, device=self.vectors.device)
            self.vectors = nn.Parameter(torch.cat([self.vectors.data, added]))
            self.ids += new
        place = {name: row for row, name in enumerate(self.ids)}
        return np.array([place[name] for name in ids], dtype=np.int64)


class LookupBackbone(Backbone):
    """``lookup:<dim>``: a table of free vectors; at chance on stimuli it was not trained on.

    Raises:
        ConfigError: ``dim`` is not an integer from 1 to 99,999.
    """

    trains_whole = True
    module: LookupTable

    def __init__(self, dim: str) -> None:
        if not re.fullmatch(r"[1-9][0-9]{0,4}", dim):
            raise ConfigError(
                "not a lookup table", where=f"lookup:{dim}",
                expected="lookup:<dimensions>, from 1 to 99999, e.g. lookup:32",
            )  # fmt: skip
        self.spec = BackboneSpec("lookup", f"lookup:{dim}", int(dim))
        self.module = LookupTable(int(dim))

    def prepare(self, stimuli: StimulusSet, *, skip_bad: bool = False) -> LookupInputs:
        return LookupInputs(self.module.rows(stimuli.ids))

    def features(self, batch: Int[Tensor, " b"]) -> Float[Tensor, "b d"]:
        return self.module.vectors[batch.to(self.device)]

    def lora_pattern(self, layers: str) -> str:
        raise BgsError("a lookup table has no layers to adapt", where=self.spec.source, hint="set lora: null")
