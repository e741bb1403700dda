"""V-JEPA 2.1's encoder once more: slow, in numpy and float64, loops where they are readable.

Written from the published differences to V-JEPA 2, not from the module it checks.
"""

from __future__ import annotations

import math

import numpy as np


def encode(weights: dict[str, np.ndarray], clip: np.ndarray, heads: int, patch: int, normed: tuple[int, ...]):
    """Normed tokens (N, width) of each normed block for one clip of (T, 3, H, W) normalised pixels."""
    image = len(clip) == 1
    tokens, grid = patches(weights, clip, patch, image)
    tokens = tokens + weights["img_mod_embed" if image else "video_mod_embed"][0, 0]
    depth = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("blocks."))
    levels = []
    for number in range(depth):
        part = {
            name.removeprefix(f"blocks.{number}."): value
            for name, value in weights.items()
            if name.startswith(f"blocks.{number}.")
        }
        tokens = tokens + attention(
            part, layer_norm(tokens, part["norm1.weight"], part["norm1.bias"]), grid, heads
        )
        inner = (
            layer_norm(tokens, part["norm2.weight"], part["norm2.bias"]) @ part["mlp.fc1.weight"].T
            + part["mlp.fc1.bias"]
        )
        inner = inner * 0.5 * (1 + np.vectorize(math.erf)(inner / math.sqrt(2)))
        tokens = tokens + inner @ part["mlp.fc2.weight"].T + part["mlp.fc2.bias"]
        if number in normed:
            level = normed.index(number)
            norm = f"norms_block.{level}."
            levels.append(layer_norm(tokens, weights[norm + "weight"], weights[norm + "bias"]))
    return levels


def patches(weights, clip, patch, image):
    """Each tubelet of pixels times the patch embedding; images have their own, one frame deep."""
    kernel, bias = (
        weights[f"patch_embed{'_img' if image else ''}.proj.{part}"] for part in ("weight", "bias")
    )
    deep = kernel.shape[2]
    frames, _, height, width = clip.shape
    grid = (frames // deep, height // patch, width // patch)
    tokens = []
    for t in range(grid[0]):
        for i in range(grid[1]):
            for j in range(grid[2]):
                tubelet = clip[
                    t * deep : (t + 1) * deep, :, i * patch : (i + 1) * patch, j * patch : (j + 1) * patch
                ]
                tokens.append((kernel * tubelet.transpose(1, 0, 2, 3)).sum(axis=(1, 2, 3, 4)) + bias)
    return np.stack(tokens), grid


def attention(part, tokens, grid, heads):
    width = tokens.shape[1]
    channels = width // heads
    projected = tokens @ part["attn.qkv.weight"].T + part["attn.qkv.bias"]
    query, key, value = projected[:, :width], projected[:, width : 2 * width], projected[:, 2 * width :]
    mixed = np.empty_like(tokens)
    for head in range(heads):
        own = slice(head * channels, (head + 1) * channels)
        turned_query, turned_key = rotate(query[:, own], grid), rotate(key[:, own], grid)
        scores = turned_query @ turned_key.T / math.sqrt(channels)
        probabilities = np.exp(scores - scores.max(axis=1, keepdims=True))
        mixed[:, own] = probabilities / probabilities.sum(axis=1, keepdims=True) @ value[:, own]
    return mixed @ part["attn.proj.weight"].T + part["attn.proj.bias"]


def rotate(vectors, grid):
    """Neighbouring channels are a point in the plane, turned by position × frequency; one third a axis."""
    result = vectors.copy()
    third = 2 * (vectors.shape[1] // 3 // 2)
    for token in range(len(vectors)):
        t, rest = divmod(token, grid[1] * grid[2])
        i, j = divmod(rest, grid[2])
        positions = (t, i * 15 / (grid[1] - 1), j * 15 / (grid[2] - 1))
        for axis, position in enumerate(positions):
            for pair in range(third // 2):
                angle = position / 10000 ** (pair / (third / 2))
                a = axis * third + 2 * pair
                x, y = vectors[token, a], vectors[token, a + 1]
                result[token, a] = x * math.cos(angle) - y * math.sin(angle)
                result[token, a + 1] = y * math.cos(angle) + x * math.sin(angle)
    return result


def layer_norm(tokens, weight, bias):
    centred = tokens - tokens.mean(axis=1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-6) * weight + bias
