"""Make `tiny-videomae` on simulated clips that are in no data set (`make pretrain`): weights, log, configuration.

Two tasks take turns. A masked autoencoder fills in the pixels of hidden tokens. And from all tokens, pooled, a clip is
told, as encoders pretrained on named actions or on sentences can tell one: the scene (colours, texture, zoom, clutter),
the motion (`bgs.simulation.kinematics`) and the name of the behaviour. Nothing says which clips are alike, how they feel
or what matters to whom: no caption, latent or judgment takes part. `--start FOLDER` goes on from such weights,
with clips that they have not seen. 75 minutes on two cores, and 55 for going on. Evaluation clips have seeds below
1,000; the clips seen here have the seed below.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import track
from torch import nn

from bgs._files import write_json
from bgs._rng import generator, torch_seed
from bgs.backbones.preprocessing import IMAGENET_MEAN, IMAGENET_STD
from bgs.backbones.scratch import TINY
from bgs.backbones.symmetry import turned
from bgs.backbones.tiny import WEIGHTS
from bgs.evaluation.rsa import standardised
from bgs.simulation.beginning import episodes_of
from bgs.simulation.behaviours import BEHAVIOURS
from bgs.simulation.film import film
from bgs.simulation.kinematics import kinematics
from bgs.simulation.looks import HUES, TEXTURES, Look, draw_look
from bgs.simulation.world import FRAMES

SEED, STYLE = 1_000_003, "discs"
DECODER = {
    "decoder_hidden_size": 96, "decoder_num_hidden_layers": 2,
    "decoder_num_attention_heads": 4, "decoder_intermediate_size": 384,
}  # fmt: skip
#: The middles of eight equal parts of the clip, as `bgs.stimuli.Sampling` takes them.
MOMENTS = ((np.arange(8) + 0.5) / 8 * FRAMES).astype(int)
TOKENS, SEEN = 64, 16  # of which the autoencoder sees a quarter
NOISE = 0.3  # SD, of an embedding whose numbers have SD 1
BATCH, SHIFT = 64, 4  # clips a step; pixels by which a picture is moved at most
LOG = "pretraining.json"
_PART = 50  # clips that a process films at a time

#: Pictures (n, 8, 64, 64, 3) uint8, scene (n, j), motion (n, k), and behaviour (n,).
Clips = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def scene(look: Look, third: bool) -> list[float]:
    """What a clip looks like, whatever happens in it."""
    numbers = [*look.shades[0], look.view, len(look.clutter), third]
    hues = [hue in look.hues[:2] for hue in range(len(HUES))]
    return [float(value) for value in [*numbers, *hues, *(look.texture == name for name in TEXTURES[STYLE])]]


def film_part(name: str, rows: range) -> Clips:
    """Clips of one behaviour: filmed at 128 pixels and halved, as decoding would, with what can be told of them."""
    keys = [f"pretraining-{row}" for row in rows]
    episodes, looks = episodes_of(name, SEED, keys), [draw_look(STYLE, SEED, key) for key in keys]
    pictures = np.empty((len(keys), 8, 64, 64, 3), dtype=np.uint8)
    for index, (key, look) in enumerate(zip(keys, looks, strict=True)):
        frames = film(episodes, index, look, 128, SEED, key, MOMENTS).frames
        pictures[index] = frames.reshape(8, 64, 2, 64, 2, 3).mean(axis=(2, 4)).round()
    signals = kinematics(episodes, MOMENTS)
    scenes = np.array(
        [scene(look, bool(third)) for look, third in zip(looks, episodes.present[:, 2], strict=True)]
    )
    motion = np.concatenate([signals.reshape(len(keys), -1), signals.mean(axis=2)], axis=1)
    return pictures, scenes, motion, np.full(len(keys), list(BEHAVIOURS).index(name))


def make_clips(begin: int, count: int) -> Clips:
    """As many clips from number ``begin`` on, of every behaviour alike; scene and motion standardised."""
    names, end = list(BEHAVIOURS), begin + count
    tasks = [
        (name, range(first, min(first + _PART * len(names), end), len(names)))
        for number, name in enumerate(names)
        for first in range(begin + number, end, _PART * len(names))
    ]
    with ProcessPoolExecutor() as pool:
        parts = list(track(pool.map(film_part, *zip(*tasks, strict=True)), "filming", len(tasks)))
    pictures, scenes, motion, behaviour = (np.concatenate(part) for part in zip(*parts, strict=True))
    return pictures, standard(scenes), standard(motion), behaviour


def standard(values: np.ndarray) -> np.ndarray:
    """Columns with mean 0 and SD 1; 0 where a column is the same for every clip, as few clips may have it."""
    return np.stack([standardised(column) for column in values.T], axis=1).astype(np.float32)


def batches(clips: Clips, epoch: int) -> Iterator[tuple[torch.Tensor, ...]]:
    """Random batches: pixels, scene, motion, behaviour; each clip in an image of the square, moved by a few pixels."""
    rng = generator(SEED, "epoch", str(epoch))
    pictures, *told = clips
    order = rng.permutation(len(pictures))
    mean, std = (torch.tensor(values).view(1, 1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    for first in range(0, len(order) - BATCH + 1, BATCH):
        chosen = order[first : first + BATCH]
        views = np.stack([moved(turned(pictures[i], int(rng.integers(8)), 8), rng) for i in chosen])
        pixels = torch.from_numpy(views).permute(0, 1, 4, 2, 3) / 255.0
        yield (pixels - mean) / std, *(torch.from_numpy(part[chosen]) for part in told)


def moved(clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A clip shifted in the picture; its edge is repeated."""
    top, left = rng.integers(2 * SHIFT + 1, size=2)
    wide = np.pad(clip, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), mode="edge")
    return wide[:, top : top + 64, left : left + 64]


class Pretraining(nn.Module):
    """The encoder with what is only needed to train it."""

    def __init__(self, scenes: int, motions: int) -> None:
        from transformers import VideoMAEConfig, VideoMAEForPreTraining

        super().__init__()
        # On a processor, the backward pass of fused attention takes twice as long for so few tokens.
        config = VideoMAEConfig(**TINY, **DECODER, norm_pix_loss=False, attn_implementation="eager")
        self.autoencoder = VideoMAEForPreTraining(config)
        width = TINY["hidden_size"]
        self.scene, self.motion = nn.Linear(width, scenes), nn.Linear(width, motions)
        self.behaviour = nn.Linear(width, len(BEHAVIOURS))

    def pixel_loss(self, pixels: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
        """Mean squared error over the pixels of hidden tokens (pixels as normalised for the network)."""
        hidden = torch.rand(len(pixels), TOKENS, generator=draw).argsort(dim=1).argsort(dim=1) >= SEEN
        guess = self.autoencoder(pixels, bool_masked_pos=hidden).logits
        patches = (
            pixels.view(len(pixels), 4, 2, 3, 4, 16, 4, 16)
            .permute(0, 1, 4, 6, 2, 5, 7, 3)
            .reshape(len(pixels), TOKENS, -1)
        )
        return (guess.float() - patches[hidden].view_as(guess)).square().mean()

    def telling_losses(
        self, pixels: torch.Tensor, scene: torch.Tensor, motion: torch.Tensor, behaviour: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Mean squared errors of standardised scene and motion, and cross-entropy of behaviours (nats)."""
        pooled = self.autoencoder.videomae(pixels).last_hidden_state.float().mean(dim=1)
        pooled = nn.functional.layer_norm(pooled, pooled.shape[1:])
        pooled = pooled + NOISE * torch.randn(pooled.shape)  # what is to be told must be there in strength
        told = (self.scene(pooled) - scene).square().mean(), (self.motion(pooled) - motion).square().mean()
        return *told, nn.functional.cross_entropy(self.behaviour(pooled).float(), behaviour)


#: What a loss counts.
WEIGHTS_OF = {"pixels": 1.0, "scene": 2.0, "motion": 1.0, "behaviour": 0.5}


def train(model: Pretraining, clips: Clips, epochs: range, rate: float) -> list[dict[str, Any]]:
    """A step of telling each batch, with pixels to fill in every second time; the losses of every epoch."""
    steps = len(epochs) * (len(clips[0]) // BATCH)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, steps, pct_start=0.08)
    draw, log, begin = torch.Generator().manual_seed(torch_seed(SEED, "masks")), [], time.monotonic()
    for epoch in epochs:
        losses: dict[str, list[float]] = {name: [] for name in WEIGHTS_OF}
        for number, (pixels, *told) in enumerate(batches(clips, epoch)):
            with torch.autocast("cpu", torch.bfloat16):
                parts = dict(
                    zip(("scene", "motion", "behaviour"), model.telling_losses(pixels, *told), strict=True)
                )
                if number % 2 == 0:
                    parts["pixels"] = model.pixel_loss(pixels, draw)
            optimizer.zero_grad()
            sum(WEIGHTS_OF[name] * part for name, part in parts.items()).backward()  # type: ignore[union-attr]
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            for name, part in parts.items():
                losses[name].append(float(part.detach()))
        log.append(
            {"epoch": epoch} | {name: round(float(np.mean(values)), 5) for name, values in losses.items()}
        )
        print(log[-1], f"{time.monotonic() - begin:.0f} s", flush=True)
    return log


def save(model: Pretraining, folder: Path) -> None:
    """The encoder alone, as transformers loads it, and how pixels are prepared."""
    from transformers import VideoMAEConfig

    folder.mkdir(parents=True, exist_ok=True)
    encoder = model.autoencoder.videomae
    encoder.config = VideoMAEConfig(**TINY)
    encoder.save_pretrained(folder)
    write_json(folder / "preprocessor_config.json", {
        "do_resize": True, "size": {"shortest_edge": 64}, "crop_size": {"height": 64, "width": 64},
        "image_mean": list(IMAGENET_MEAN), "image_std": list(IMAGENET_STD), "resample": 2,
    })  # fmt: skip


def main() -> None:
    """Film, pretrain, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--start", type=Path, help="weights to go on from")
    parser.add_argument("--clips", type=int, default=40_000)
    parser.add_argument("--epochs", type=int, default=54)
    parser.add_argument("--rate", type=float, default=1.2e-3, help="highest learning rate")
    parser.add_argument("--out", type=Path, default=WEIGHTS / "videomae")
    settings = parser.parse_args()
    torch.manual_seed(torch_seed(SEED, "pretraining"))
    before: dict[str, Any] = {"stages": [], "losses": []}
    if settings.start:
        before = json.loads((settings.start / LOG).read_text())
    clips = make_clips(sum(stage["clips"] for stage in before["stages"]), settings.clips)
    model = Pretraining(clips[1].shape[1], clips[2].shape[1])
    if settings.start:
        encoder = model.autoencoder.videomae
        encoder.load_state_dict(type(encoder).from_pretrained(settings.start).state_dict())
    done = len(before["losses"])
    log = train(model, clips, range(done, done + settings.epochs), settings.rate)
    save(model, settings.out)
    stage = {name: getattr(settings, name) for name in ("clips", "epochs", "rate")}
    about = {"seed": SEED, "style": STYLE, "batch": BATCH, "seen": SEEN / TOKENS}
    write_json(
        settings.out / LOG,
        {**about, "stages": [*before["stages"], stage], "losses": [*before["losses"], *log]},
    )


if __name__ == "__main__":
    main()
