"""The common protocol of all encoders."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from bgs._errors import ConfigError
from bgs._typing import Int
from bgs.backbones.head import ProjectionHead
from bgs.backbones.transform import Transform
from bgs.stimuli import StimulusSet
from bgs.stimuli.unreadable import Failure


@dataclass(frozen=True)
class BackboneSpec:
    """Specification of an encoder.

    Attributes:
        family: ``text`` or ``lookup`` (video families have their own names).
        source: the reference that loads it, e.g. ``text:minilm``.
        width: dimensions of its embedding, before a projection head.
        revision: SHA-256 of its weights, or "" if it has no pretrained weights.
    """

    family: str
    source: str
    width: int
    revision: str = ""

    def settings(self) -> dict[str, Any]:
        """Settings other than weights that determine its embeddings; an adapter stores them and requires the same."""
        return {}


@dataclass(frozen=True)
class Features:
    """Precomputed embeddings of units, to which :meth:`Backbone.forward` only applies the head."""

    values: Float[Tensor, "b d"]


class Inputs(ABC):
    """The inputs of an encoder for a stimulus set, in units: a caption, a clip, a frame span.

    A stimulus's embedding is the mean of its units' embeddings.

    Attributes:
        owner: (u,) position of the stimulus each unit belongs to.
        cost: (u,) relative cost of encoding a unit; units of similar cost are batched together.
        failures: stimuli that could not be read and were skipped.
    """

    owner: Int[np.ndarray, " u"]
    cost: Int[np.ndarray, " u"]
    failures: tuple[Failure, ...] = ()

    @abstractmethod
    def batch(self, units: Int[np.ndarray, " b"]) -> Any:
        """The input of :meth:`Backbone.forward` for these units."""

    def draw(
        self, positions: Int[np.ndarray, " m"], views: int, generator: np.random.Generator | None
    ) -> Int[np.ndarray, " k"]:
        """Units of the stimuli at ``positions``: all, or ``views`` of each, drawn without replacement."""
        wanted = np.flatnonzero(np.isin(self.owner, positions))
        if not views or generator is None:
            return wanted
        shuffled = generator.permutation(wanted)
        shuffled = shuffled[np.argsort(self.owner[shuffled], kind="stable")]
        owners = self.owner[shuffled]
        first = np.searchsorted(owners, owners)  # index of the first unit of each stimulus
        drawn: Int[np.ndarray, " k"] = shuffled[np.arange(len(shuffled)) - first < views]
        return drawn

    def batches(self, units: Int[np.ndarray, " k"], size: int) -> list[Int[np.ndarray, " b"]]:
        """Micro-batches of at most ``size`` units of similar cost, most expensive first (so that memory runs out early).

        Raises:
            ConfigError: ``size`` is below 1.
        """
        if size < 1:
            raise ConfigError("out of range", where="micro_batch", expected="1 or more", got=size)
        order = units[np.argsort(-self.cost[units], kind="stable")]
        return [order[start : start + size] for start in range(0, len(order), size)]


class Backbone(ABC):
    """An encoder: prepares the units of a stimulus set and embeds batches of them.

    Attributes:
        spec: what it is.
        module: the network, as loaded; LoRA layers are inserted in place.
        head: an optional projection, trained with the adapter and saved beside it; or a transform, trained alone.
        trains_whole: True if there are no pretrained weights to preserve, so that every parameter is trained.
        precision: ``bf16`` computes products in bfloat16 (autocast; weights and sums remain float32), ``fp32``
            everything in float32, ``auto`` is bf16 on CUDA devices that support it and fp32 otherwise.
        notes: one-line notes on loading for the user; the command line prints them once.
        trained_on: data set -> ids of the stimuli that its adapter was trained on.
    """

    spec: BackboneSpec
    module: nn.Module
    head: ProjectionHead | Transform | None = None
    trains_whole: bool = False
    precision: Literal["auto", "fp32", "bf16"] = "fp32"
    notes: tuple[str, ...] = ()
    trained_on: Mapping[str, Sequence[str]] = MappingProxyType({})

    @abstractmethod
    def prepare(self, stimuli: StimulusSet, *, skip_bad: bool = False) -> Inputs:
        """Read the inputs of every stimulus, with a progress bar if that takes time.

        Args:
            stimuli: the stimulus set.
            skip_bad: skip clips that cannot be read and list them in ``failures``.

        Raises:
            DataError: stimuli cannot be read, or lack the input that the encoder needs.
        """

    def require_readable(self, stimuli: StimulusSet) -> None:  # noqa: B027 (one that reads only names needs nothing)
        """Check that every stimulus has the input that the encoder needs, without reading it; used for test stimuli.

        Raises:
            DataError: a stimulus has no caption or no file.
        """

    @abstractmethod
    def features(self, batch: Any) -> Float[Tensor, "b d"]:
        """(b, width) embeddings of a batch of units, before the head."""

    @abstractmethod
    def lora_pattern(self, layers: str) -> str:
        """Full-match pattern of the linear layers to adapt; ``layers`` is ``all`` or ``last:k``."""

    def forward(self, batch: Any) -> Float[Tensor, "b d"]:
        """(b, D) float32 embeddings of a batch of units."""
        features = self.headless(batch)
        return features if self.head is None else self.head(features)

    def headless(self, batch: Any) -> Float[Tensor, "b d"]:
        """(b, width) float32 embeddings of a batch of units, before the head."""
        if isinstance(batch, Features):
            return batch.values.to(self.device)
        with self.autocast():
            features = self.features(batch)
        return features.float().to(self.device)

    def autocast(self) -> AbstractContextManager[None]:
        """The autocast context in which the network runs, from :attr:`precision` and device."""
        wanted = self.precision == "bf16"
        if self.precision == "auto" and self.device.type == "cuda":
            wanted = torch.cuda.is_bf16_supported(including_emulation=False)
        if not wanted:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    def checkpoint_gradients(self) -> None:
        """Keep only the inputs of the blocks for the backward pass and recompute the rest: less memory, more time.

        Raises:
            ConfigError: the encoder has no blocks.
        """
        raise ConfigError("gradient_checkpointing: the model has no blocks", where=self.spec.source)

    def cache_trunk(
        self, inputs: Inputs, layers: str, micro_batch: int, progress: Callable[[int], None] | None = None
    ) -> Inputs:
        """Inputs with which training LoRA in ``layers`` gives the same results with less computation.

        By default, the inputs themselves; an encoder whose first blocks are frozen can substitute their output
        for the inputs.
        """
        return inputs

    def penalty(self) -> Float[Tensor, ""] | None:
        """Regularisation added to the loss: the pull of a transform towards the identity."""
        return self.head.penalty() if isinstance(self.head, Transform) else None

    @property
    def width(self) -> int:
        """D, the width of the output of :meth:`forward`."""
        return self.spec.width if self.head is None else self.head.dim

    @property
    def device(self) -> torch.device:
        """Device of the parameters; the CPU if there are none."""
        found = next((one for module in self.modules() for one in module.parameters()), None)
        return torch.device("cpu") if found is None else found.device

    def to(self, device: torch.device | str) -> None:
        """Move network and head to a device."""
        for module in self.modules():
            module.to(device)

    def modules(self) -> list[nn.Module]:
        """The network, and the head if there is one."""
        return [self.module] if self.head is None else [self.module, self.head]

    def train(self, mode: bool = True) -> None:
        """Switch network and head to training mode (dropout on) or evaluation mode."""
        for module in self.modules():
            module.train(mode)

    def trainable(self) -> dict[str, nn.Parameter]:
        """Every trained parameter under the name used when saving (peft's names for LoRA)."""
        prefix = "" if self.trains_whole else "base_model.model."
        named = {
            prefix + name.replace(".default.", "."): parameter
            for name, parameter in self.module.named_parameters()
            if parameter.requires_grad
        }
        if self.head is not None:
            named |= {f"head.{name}": parameter for name, parameter in self.head.named_parameters()}
        return dict(sorted(named.items()))
