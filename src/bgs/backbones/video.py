"""Base class of video encoders: stem, blocks, and an embedding from the last or any layer."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from bgs._errors import ConfigError
from bgs.backbones.backbone import Inputs
from bgs.backbones.clip_reader import ClipReader
from bgs.backbones.clips import Clips, ColourClips, Normaliser, Pixels
from bgs.backbones.lora import block_linears, linear_pattern
from bgs.backbones.mixing import Mixing, TokenMixing, Weights, caught, eager
from bgs.backbones.pooling import Pool, Time, width_over_time
from bgs.backbones.preprocessing import Preprocessing, read_preprocessing
from bgs.backbones.pretrained import fingerprint, read_config
from bgs.backbones.random_twin import draw_weights
from bgs.backbones.settings import VideoSettings, parse_settings
from bgs.backbones.symmetry import Symmetry
from bgs.backbones.trunk import TrunkInputs, TrunkState, cache_hidden
from bgs.backbones.video_spec import Native, VideoSpec
from bgs.stimuli import Sampling

Hidden = Float[Tensor, "b ..."]


class VideoBackbone(ClipReader):
    """A vision transformer over clips: a stem (patches, positions), blocks, a final norm and pooling.

    Stages are called one by one, which enables embeddings from any layer, a cached frozen trunk and gradient
    checkpointing for every family in the same way; tests check equality with the model's own forward pass.

    Attributes:
        family: the name before the colon.
        blocks_name: name of the list of blocks in the network.
        attention_name: name of the attention module in a block.
        published: preprocessing of the family's authors, for checkpoints without a preprocessor file.
    """

    family: ClassVar[str]
    blocks_name: ClassVar[str]
    attention_name: ClassVar[str]
    published: ClassVar[Preprocessing]
    spec: VideoSpec

    def __init__(self, module: nn.Module, spec: VideoSpec, notes: Sequence[str] = ()) -> None:
        self.module, self.spec, self.notes = module, spec, tuple(notes)
        blocks = module.get_submodule(self.blocks_name)
        assert isinstance(blocks, nn.ModuleList)
        self.blocks = blocks
        self._checkpointing = False
        self._normaliser = Normaliser(spec)

    @classmethod
    def load(cls, reference: str) -> VideoBackbone:
        """Load ``<hub id or folder>[?frames=T&size=S&layer=k&symmetry=Y&pool=P&time=Q&weights=random&seed=N]``.

        Raises:
            BgsError: the checkpoint cannot be read, belongs to another family, or cannot run with these settings.
        """
        name, asked = parse_settings(reference)
        native = cls.native(name, read_config(cls.family, name))
        frames, size = asked.frames or native.frames, asked.size or native.size
        cls.check(native, frames, size, where=f"{cls.family}:{reference}")
        pool, time = cls.pooling(asked, frames, where=f"{cls.family}:{reference}")
        preprocessing, notes = cls._preprocessing(name, native, frames, asked.size)
        depth = native.depth if asked.layer is None else asked.layer
        if depth > native.depth:
            raise ConfigError("no such layer", where=reference, expected=f"0 to {native.depth}", got=depth)
        module = cls.load_module(name, frames, size)
        if asked.weights == "random":
            draw_weights(module, asked.seed or 0, cls.architecture(module, native))
        spec = VideoSpec(
            cls.family, f"{cls.family}:{name}{asked}",
            width_over_time(time, native.embedding if asked.layer is None else native.width),
            fingerprint(module), preprocessing=preprocessing, depth=depth, layer=asked.layer,
            symmetry=asked.symmetry or "none", pool=pool, time=time,
        )  # fmt: skip
        return cls(module, spec, notes)

    @classmethod
    def _preprocessing(
        cls, name: str, native: Native, frames: int, size: int | None
    ) -> tuple[Preprocessing, tuple[str, ...]]:
        found = read_preprocessing(name, cls.published)
        if found is None:
            values = cls.published.for_clips(frames, size or native.size)
            note = (
                f"{cls.family}:{name} has no preprocessor file: using the published values of its family "
                f"({values.size} px, mean {values.mean}, std {values.std})"
            )
            return values, (note,)
        if size is None and found.size != native.size:
            raise ConfigError(
                "the preprocessor file and config.json disagree on the frame size", where=name,
                expected=f"{native.size} px", got=f"{found.size} px", hint="choose with ?size=",
            )  # fmt: skip
        return found.for_clips(frames, size or native.size), ()

    @classmethod
    @abstractmethod
    def native(cls, name: str, config: dict[str, Any]) -> Native:
        """Native settings from config.json."""

    @classmethod
    @abstractmethod
    def load_module(cls, name: str, frames: int, size: int) -> nn.Module:
        """Load the network for clips of that shape."""

    @classmethod
    def architecture(cls, module: nn.Module, native: Native) -> Any:
        """The configuration from which a network with weights of the same shapes is built."""
        return module.config

    @classmethod
    def check(cls, native: Native, frames: int, size: int, where: str) -> None:
        """Refuse a clip shape with which the family would silently give wrong results.

        Raises:
            ConfigError: frames or pixels are not a multiple of the patch size, or violate other constraints of the family.
        """
        if frames % native.tubelet:
            # A convolution over time would silently drop the last frames.
            raise ConfigError("frames", where=where, expected=f"a multiple of {native.tubelet}", got=frames)
        if size % native.patch or size < 2 * native.patch:
            expected = f"a multiple of {native.patch} pixels, at least {2 * native.patch}"
            raise ConfigError("size", where=where, expected=expected, got=size)

    @classmethod
    def pooling(cls, asked: VideoSettings, frames: int, where: str) -> tuple[Pool | None, Time]:
        """How tokens are pooled over space (None: as published) and over time; only encoders of single frames have a choice.

        Raises:
            ConfigError: a choice that the family does not have.
        """
        if asked.pool is not None or asked.time is not None:
            raise ConfigError(
                "this family has no choice of pooling", where=where, expected="neither pool nor time",
                hint="clip:, siglip: and dinov2: have one",
            )  # fmt: skip
        return None, "mean"

    @abstractmethod
    def stem(self, pixels: Pixels) -> Hidden:
        """Tokens before the first block, one leading row per clip."""

    @abstractmethod
    def block(self, number: int, hidden: Hidden) -> Hidden:
        """Tokens after block ``number`` (from 0)."""

    @abstractmethod
    def summary(self, hidden: Hidden) -> Float[Tensor, "b w"]:
        """Pool tokens to one vector per clip: their mean, or the class token."""

    @abstractmethod
    def final(self, hidden: Hidden) -> Float[Tensor, "b d"]:
        """The checkpoint's native embedding from the tokens after the last block."""

    @abstractmethod
    def attention_maps(self, clips: Clips) -> tuple[Float[Tensor, "..."], ...]:
        """Attention weights of every block, rows summing to 1; the last axis is the attended token."""

    def attend(self, number: int, hidden: Hidden) -> tuple[Hidden, tuple[Mixing, ...]]:
        """Tokens after a block, and its attention steps, averaged over heads, in order."""
        attention = self.blocks[number].get_submodule(self.attention_name)
        with eager(self.module), caught(attention) as found:
            after = self.block(number, hidden)
        return after, (TokenMixing(found[0].reshape(*hidden.shape[:-1], hidden.shape[-2])),)

    @property
    def weighs_tokens(self) -> bool:
        """Whether the embedding is a weighted mean of tokens, so that attention can be traced back from it."""
        return True

    def readout(self, hidden: Hidden) -> Weights:
        """Weights of the embedding on the tokens after the last block: it is linear in them, so these are its gradient."""
        with torch.enable_grad():
            tokens = hidden.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(self.summary(tokens)[:, 0].sum(), tokens)
        return gradient[..., 0]

    @property
    def patch(self) -> int:
        """Side of a patch in pixels."""
        config: Any = self.module.config
        return int(config.patch_size)

    def on_grid(self, weights: Weights) -> Float[Tensor, "b u h w"]:
        """One number per token on the grid of patches (time first), without class tokens."""
        side = self.spec.preprocessing.size // self.patch
        return weights.reshape(len(weights), -1, side, side)

    def sampling(self) -> Sampling:
        return self.spec.preprocessing.sampling

    def symmetry(self) -> Symmetry:
        return self.spec.symmetry

    def pixels(self, clips: Clips) -> Pixels:
        """Normalised float32 pixels on the network's device."""
        return self._normaliser.new_pixels(clips, self.device)

    def features(self, batch: Clips | ColourClips | TrunkState) -> Float[Tensor, "b d"]:
        hidden, start = self._begin(batch)
        for number in range(start, self.spec.depth):
            hidden = self._run(number, hidden)
        return self.final(hidden) if self.spec.layer is None else self.summary(hidden)

    def layer_features(self, batch: Clips) -> Float[Tensor, "layers b w"]:
        """(depth + 1, B, W) embeddings from the tokens before the first block and after each, in one pass.

        Entry k is the embedding of a backbone loaded with ``?layer=k``.
        """
        with self.autocast():
            return torch.stack([self.summary(hidden) for hidden in self.layers(batch)]).float()

    def layers(self, batch: Clips) -> Iterator[Hidden]:
        """Tokens before the first block, then after each."""
        hidden, _ = self._begin(batch)
        yield hidden
        for number in range(self.spec.depth):
            hidden = self._run(number, hidden)
            yield hidden

    def _begin(self, batch: Clips | ColourClips | TrunkState) -> tuple[Hidden, int]:
        if isinstance(batch, TrunkState):
            return batch.hidden.to(self.device), batch.depth
        if isinstance(batch, ColourClips):
            pixels = self._normaliser.of_colours(batch, self.device)
        else:
            pixels = self._normaliser.buffered_pixels(batch, self.device)
        return self.stem(pixels).float(), 0  # even under autocast, the residual stream is float32

    def _run(self, number: int, hidden: Hidden) -> Hidden:
        if self._checkpointing and torch.is_grad_enabled() and self.module.training:
            result: Tensor = checkpoint(self.block, number, hidden, use_reentrant=False)
            return result
        return self.block(number, hidden)

    def checkpoint_gradients(self) -> None:
        self._checkpointing = True

    def lora_pattern(self, layers: str) -> str:
        """Attention and MLP of the blocks that are run, and no other layers (predictor, stem, head)."""
        prefix = f"{self.blocks_name}."
        used = [
            name
            for name in block_linears(self.module)
            if name.startswith(prefix) and int(name.removeprefix(prefix).partition(".")[0]) < self.spec.depth
        ]
        return linear_pattern(used, layers)

    def random_trunk(self) -> dict[str, float]:
        """Settings of the checkpoint that make its blocks random during training: dropout of any kind."""
        config: Any = self.module.config
        return {key: value for key, value in config.to_dict().items() if "drop" in key and value}

    def cache_trunk(
        self, inputs: Inputs, layers: str, micro_batch: int, progress: Callable[[int], None] | None = None
    ) -> Inputs:
        """Replace the clips by the output of the frozen blocks, if ``layers`` is ``last:k``.

        Clips are kept if blocks are random during training (dropout), since no single output is valid
        for all updates; a note in :attr:`notes` then says so.
        """
        frozen = 0 if layers == "all" else self.spec.depth - int(layers.removeprefix("last:"))
        if frozen <= 0:
            return inputs
        if self.random_trunk():
            self.notes += (f"the frozen blocks are rerun in each update: {self.random_trunk()}",)
            return inputs
        return TrunkInputs(cache_hidden(self._trunk(frozen), inputs, micro_batch, progress), frozen, inputs)

    def _trunk(self, frozen: int) -> Callable[[Clips], Hidden]:
        def run(batch: Clips) -> Hidden:
            self.train(False)
            with torch.no_grad(), self.autocast():
                hidden, _ = self._begin(batch)
                for number in range(frozen):
                    hidden = self.block(number, hidden)
                return hidden.float()

        return run
