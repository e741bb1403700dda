"""The encoder of V-JEPA 2.1 (arXiv 2603.14482), with weights named as in the authors' checkpoints.

Unlike V-JEPA 2, it rotates queries and keys in pairs of adjacent channels, measures height and width on a
16 × 16 grid regardless of the patch grid, adds a learned vector to all tokens that distinguishes videos from images
(which have a separate patch embedding), and normalises the output of four of its blocks.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

#: Side in patches of the grid on which positions were learned.
_GRID = 16
Tokens = Float[Tensor, "b n d"]
#: sin and cos of the angle of every token and channel.
Rotary = tuple[Float[Tensor, "n c"], Float[Tensor, "n c"]]


@dataclass(frozen=True)
class VJEPA21Config:
    """Architecture of an encoder.

    Attributes:
        width: width of the tokens.
        depth: number of blocks.
        heads: number of attention heads, with ``width / heads`` channels each.
        mlp: hidden width of the MLP.
        normed: the four blocks (from 0) whose output is normalised, the last block last.
        patch: side of a patch in pixels.
        tubelet: frames that share a token.
        size: native width and height in pixels.
        frames: native frames per clip.
    """

    width: int
    depth: int
    heads: int
    mlp: int
    normed: tuple[int, ...]
    patch: int = 16
    tubelet: int = 2
    size: int = 384
    frames: int = 64

    def to_dict(self) -> dict[str, Any]:
        """As in config.json."""
        return {"model_type": "vjepa2_1", **asdict(self), "normed": list(self.normed)}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> VJEPA21Config:
        """From config.json."""
        known = {key: value for key, value in content.items() if key in cls.__dataclass_fields__}
        return cls(**known | {"normed": tuple(known["normed"])})


#: The four published sizes, by the name that follows ``vjepa2.1-``.
SIZES = {
    "b": VJEPA21Config(768, 12, 12, 3072, (2, 5, 8, 11)),
    "l": VJEPA21Config(1024, 24, 16, 4096, (5, 11, 17, 23)),
    "g": VJEPA21Config(1408, 40, 22, 6144, (9, 19, 29, 39)),
    "G": VJEPA21Config(1664, 48, 26, 8192, (11, 23, 37, 47)),
}


@lru_cache(maxsize=8)
def rotary(grid: tuple[int, int, int], channels: int, device: torch.device) -> Rotary:
    """Angles of all tokens of a (time, height, width) grid, for heads of ``channels``.

    A third of the channels (rounded down to pairs) is rotated for each axis; remaining channels are not rotated.
    """
    pairs = channels // 3 // 2
    frequency = 1.0 / 10000 ** (torch.arange(pairs, device=device) / pairs)
    time, height, width = (torch.arange(length, device=device, dtype=torch.float32) for length in grid)
    height, width = height * (_GRID - 1) / (grid[1] - 1), width * (_GRID - 1) / (grid[2] - 1)
    position = torch.cartesian_prod(time, height, width)
    angle = (position[:, :, None] * frequency).flatten(1).repeat_interleave(2, dim=1)
    angle = functional.pad(angle, (0, channels - angle.shape[1]))
    return angle.sin(), angle.cos()


def turn(x: Float[Tensor, "b h n c"], angles: Rotary) -> Float[Tensor, "b h n c"]:
    """Rotate each pair of adjacent channels by its angle."""
    sin, cos = angles
    first, second = x.unflatten(-1, (-1, 2)).unbind(-1)
    quarter = torch.stack((-second, first), dim=-1).flatten(-2)
    return (x * cos + quarter * sin).to(x.dtype)


class PatchEmbedding(nn.Module):
    """A linear map of each patch of ``tubelet`` frames."""

    def __init__(self, config: VJEPA21Config, tubelet: int) -> None:
        super().__init__()
        shape = (tubelet, config.patch, config.patch)
        self.proj = nn.Conv3d(3, config.width, kernel_size=shape, stride=shape)

    def forward(self, pixels: Float[Tensor, "b t 3 h w"]) -> Tokens:
        tokens: Tensor = self.proj(pixels.transpose(1, 2))
        return tokens.flatten(2).transpose(1, 2)


class Attention(nn.Module):
    """Multi-head attention with rotary position embeddings."""

    def __init__(self, config: VJEPA21Config) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.proj = nn.Linear(config.width, config.width)

    def forward(self, tokens: Tokens, angles: Rotary) -> Tokens:
        query, key, value = self._projected(tokens)
        mixed = functional.scaled_dot_product_attention(turn(query, angles), turn(key, angles), value)
        result: Tensor = self.proj(mixed.transpose(1, 2).flatten(2))
        return result

    def weights(self, tokens: Tokens, angles: Rotary) -> Float[Tensor, "b h n n"]:
        """Attention weights of each token (row) on every token."""
        query, key, _ = self._projected(tokens)
        scores = turn(query, angles) @ turn(key, angles).transpose(-2, -1)
        result: Tensor = (scores / query.shape[-1] ** 0.5).softmax(dim=-1)
        return result

    def _projected(self, tokens: Tokens) -> tuple[Tensor, ...]:
        parts: Tensor = self.qkv(tokens).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return parts.unbind(0)


class MLP(nn.Module):
    """Two linear layers with a GELU between them."""

    def __init__(self, config: VJEPA21Config) -> None:
        super().__init__()
        self.fc1 = nn.Linear(config.width, config.mlp)
        self.fc2 = nn.Linear(config.mlp, config.width)

    def forward(self, tokens: Tokens) -> Tokens:
        result: Tensor = self.fc2(functional.gelu(self.fc1(tokens)))
        return result


class Block(nn.Module):
    """A pre-norm transformer block: attention and MLP with residual connections."""

    def __init__(self, config: VJEPA21Config) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.width, eps=1e-6)
        self.attn = Attention(config)
        self.norm2 = nn.LayerNorm(config.width, eps=1e-6)
        self.mlp = MLP(config)

    def forward(self, tokens: Tokens, angles: Rotary) -> Tokens:
        tokens = tokens + self.attn(self.norm1(tokens), angles)
        result: Tensor = tokens + self.mlp(self.norm2(tokens))
        return result


class VJEPA21Encoder(nn.Module):
    """(B, T, 3, H, W) pixels to (B, tokens, width); T = 1 is an image, otherwise T must be even; H and W ≥ 2 patches."""

    def __init__(self, config: VJEPA21Config) -> None:
        super().__init__()
        self.config = config
        self.patch_embed = PatchEmbedding(config, config.tubelet)
        self.patch_embed_img = PatchEmbedding(config, 1)
        self.video_mod_embed = nn.Parameter(torch.zeros(1, 1, config.width))
        self.img_mod_embed = nn.Parameter(torch.zeros(1, 1, config.width))
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.norms_block = nn.ModuleList(nn.LayerNorm(config.width, eps=1e-6) for _ in config.normed)

    def stem(self, pixels: Float[Tensor, "b t 3 h w"]) -> Tokens:
        """Tokens before the first block."""
        if pixels.shape[1] == 1:
            tokens: Tensor = self.patch_embed_img(pixels) + self.img_mod_embed
        else:
            tokens = self.patch_embed(pixels) + self.video_mod_embed
        return tokens

    def angles(self, frames: int, height: int, width: int, device: torch.device) -> Rotary:
        """Angles of the tokens of a clip of this shape (in pixels)."""
        patch = self.config.patch
        time = 1 if frames == 1 else frames // self.config.tubelet
        return rotary((time, height // patch, width // patch), self.config.width // self.config.heads, device)

    def forward(self, pixels: Float[Tensor, "b t 3 h w"]) -> Tokens:
        """Tokens after the last block and norm."""
        return self.levels(pixels)[-1]

    def levels(self, pixels: Float[Tensor, "b t 3 h w"]) -> list[Tokens]:
        """Normalised tokens of the four blocks with a norm, the last block last."""
        frames, _, height, width = pixels.shape[1:]
        tokens, angles = self.stem(pixels), self.angles(frames, height, width, pixels.device)
        found: list[Tensor] = []
        for number, block in enumerate(self.blocks):
            tokens = block(tokens, angles)
            if number in self.config.normed:
                found.append(self.norms_block[len(found)](tokens))
        return found
