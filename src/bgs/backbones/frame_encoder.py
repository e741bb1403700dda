"""What the image encoders (CLIP, SigLIP, DINOv2, DINOv3) share: a clip is encoded frame by frame, then pooled."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from jaxtyping import Float
from torch import Tensor

from bgs._errors import ConfigError
from bgs.backbones.clips import Clips, Pixels
from bgs.backbones.mixing import Weights
from bgs.backbones.pooling import Pool, Time, over_patches, over_time
from bgs.backbones.pretrained import eager_attentions
from bgs.backbones.settings import VideoSettings
from bgs.backbones.video import Hidden, VideoBackbone

#: Frames of a clip unless the reference says otherwise: an image encoder has no number of its own.
FRAMES = 8


class FrameBackbone(VideoBackbone):
    """An image encoder on every frame of a clip, whose tokens are pooled over time and over space.

    Tokens are (B, T, n, w): of each frame a class token and registers, where the family has them, then its patches.
    ``?time=`` summarises each token over the frames, then ``?pool=`` the tokens of a clip; registers are never pooled.

    Attributes:
        published_pool: the spatial pooling of the published embedding; None where it is none of these, and
            :meth:`final` is overridden.
        layer_pool: the spatial pooling at ``?layer=k`` unless the reference says otherwise.
        pools: the spatial poolings that the family has.
    """

    published_pool: ClassVar[Pool | None] = "cls"
    layer_pool: ClassVar[Pool] = "cls"
    pools: ClassVar[tuple[Pool, ...]] = ("cls", "mean", "patch-std")

    @classmethod
    def pooling(cls, asked: VideoSettings, frames: int, where: str) -> tuple[Pool | None, Time]:
        if asked.pool is not None and asked.pool not in cls.pools:
            raise ConfigError(
                f"this family has no pool={asked.pool}", where=where,
                expected=f"one of {', '.join(cls.pools)}, or leave pool out for its published embedding", got=asked.pool,
            )  # fmt: skip
        time = asked.time or "mean"
        if time != "mean" and frames < 2:
            raise ConfigError(f"time={time}", where=where, expected="at least 2 frames", got=frames)
        usual = cls.published_pool if asked.layer is None else cls.layer_pool
        return None if asked.pool == usual else asked.pool, time

    @abstractmethod
    def embeddings(self, frames: Float[Tensor, "f 3 s s"]) -> Float[Tensor, "f n w"]:
        """Tokens of frames before the first block."""

    @abstractmethod
    def finish(self, tokens: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """What follows the last block, for each token separately: the last norm, and a projection where there is one."""

    @property
    def leading(self) -> int:
        """Tokens of a frame before its patches."""
        return 1

    def options(self) -> dict[str, Any]:
        """Arguments of the model's own forward pass besides pixels: whether to interpolate positions for another size."""
        config: Any = self.module.config
        return {"interpolate_pos_encoding": self.spec.preprocessing.size != config.image_size}

    def stem(self, pixels: Pixels) -> Hidden:
        hidden: Tensor = self.embeddings(pixels.flatten(0, 1)).unflatten(0, pixels.shape[:2])
        return hidden

    def block(self, number: int, hidden: Hidden) -> Hidden:
        result: Tensor = self.blocks[number](hidden.flatten(0, 1), None).unflatten(0, hidden.shape[:2])
        return result

    def summary(self, hidden: Hidden) -> Float[Tensor, "b w"]:
        return self._pooled(hidden, self.spec.pool or self.layer_pool, lambda tokens: tokens)

    def final(self, hidden: Hidden) -> Float[Tensor, "b d"]:
        return self._pooled(hidden, self.spec.pool or self.published_pool or self.layer_pool, self.finish)

    def _pooled(self, hidden: Hidden, pool: Pool, finish: Callable[[Tensor], Tensor]) -> Float[Tensor, "b d"]:
        if pool == "cls":
            return over_time(finish(hidden[:, :, 0]), self.spec.time)
        return over_patches(over_time(finish(hidden[:, :, self.leading :]), self.spec.time), pool)

    @property
    def weighs_tokens(self) -> bool:
        return self.spec.time == "mean" and self.spec.pool != "patch-std"

    def on_grid(self, weights: Weights) -> Float[Tensor, "b u h w"]:
        return super().on_grid(weights[:, :, self.leading :])

    def attention_maps(self, clips: Clips) -> tuple[Float[Tensor, "frames heads n n"], ...]:
        """Attention within frames, B·T rows."""
        frames = self.pixels(clips).flatten(0, 1)
        return eager_attentions(self.module, self.spec.depth, pixel_values=frames, **self.options())
