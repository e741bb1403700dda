"""Make `tiny-videomae`: a masked autoencoder on simulated clips that are in no data set (`make pretrain`).

Writes the weights, their configuration, the log and the model card's figures into the package. About ten minutes on
two cores. Evaluation clips have seeds below 1,000; the clips seen here have the seed below.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import track

from bgs._files import write_json
from bgs._rng import generator, torch_seed
from bgs.backbones.preprocessing import IMAGENET_MEAN, IMAGENET_STD
from bgs.backbones.scratch import TINY
from bgs.backbones.symmetry import turned
from bgs.backbones.tiny import WEIGHTS
from bgs.simulation.beginning import episodes_of
from bgs.simulation.behaviours import BEHAVIOURS
from bgs.simulation.film import film
from bgs.simulation.looks import draw_look
from bgs.simulation.world import FRAMES

SEED = 1_000_003
DECODER = {
    "decoder_hidden_size": 96, "decoder_num_hidden_layers": 2,
    "decoder_num_attention_heads": 4, "decoder_intermediate_size": 384,
}  # fmt: skip
#: The middles of eight equal parts of the clip, as `bgs.stimuli.Sampling` takes them.
MOMENTS = ((np.arange(8) + 0.5) / 8 * FRAMES).astype(int)


def make_clips(count: int) -> np.ndarray:
    """(count, 8, 64, 64, 3) uint8: filmed at 128 pixels and halved, as decoding would."""
    clips = np.empty((count, 8, 64, 64, 3), dtype=np.uint8)
    names = list(BEHAVIOURS)
    for number, name in enumerate(track(names, description="filming")):
        rows = range(number, count, len(names))
        episodes = episodes_of(name, SEED, [f"pretraining-{row}" for row in rows])
        for index, row in enumerate(rows):
            key = f"pretraining-{row}"
            frames = film(episodes, index, draw_look("discs", SEED, key), 128, SEED, key, MOMENTS).frames
            clips[row] = frames.reshape(8, 64, 2, 64, 2, 3).mean(axis=(2, 4)).round()
    return clips


def batches(clips: np.ndarray, size: int, epoch: int) -> Any:
    """Random batches, each clip in one of the eight images of the square."""
    rng = generator(SEED, "epoch", str(epoch))
    order, images = rng.permutation(len(clips)), rng.integers(8, size=len(clips))
    mean, std = (torch.tensor(values).view(1, 1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    for first in range(0, len(clips) - size + 1, size):
        chosen = order[first : first + size]
        views = np.stack([turned(clips[i], int(images[i]), 8) for i in chosen])
        yield (torch.from_numpy(views).permute(0, 1, 4, 2, 3) / 255.0 - mean) / std


def random_masks(size: int, tokens: int, share: float, generator_: torch.Generator) -> torch.Tensor:
    """(size, tokens) the same number of masked tokens in every clip."""
    hidden = round(share * tokens)
    order = torch.rand(size, tokens, generator=generator_).argsort(dim=1)
    return order < hidden


def main() -> None:
    """Film, pretrain, write."""
    from transformers import VideoMAEConfig, VideoMAEForPreTraining

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=8000)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--out", type=Path, default=WEIGHTS / "videomae")
    settings = parser.parse_args()
    torch.manual_seed(torch_seed(SEED, "pretraining"))
    config = VideoMAEConfig(**TINY, **DECODER, norm_pix_loss=True, attn_implementation="sdpa")
    model = VideoMAEForPreTraining(config)
    clips, masks = make_clips(settings.clips), torch.Generator().manual_seed(torch_seed(SEED, "masks"))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05, betas=(0.9, 0.95))
    steps = settings.epochs * (settings.clips // settings.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.5e-3, steps, pct_start=0.08)
    log, begin = [], time.monotonic()
    for epoch in track(range(settings.epochs), description="pretraining"):
        losses = []
        for pixels in batches(clips, settings.batch, epoch):
            loss = model(pixels, bool_masked_pos=random_masks(len(pixels), 64, 0.75, masks)).loss
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
        log.append({"epoch": epoch, "loss": round(float(np.mean(losses)), 5)})
        print(log[-1], f"{time.monotonic() - begin:.0f} s", flush=True)
    settings.out.mkdir(parents=True, exist_ok=True)
    encoder = model.videomae
    encoder.config = VideoMAEConfig(**TINY)
    encoder.save_pretrained(settings.out)
    preprocessor = {
        "do_resize": True, "size": {"shortest_edge": 64}, "crop_size": {"height": 64, "width": 64},
        "image_mean": list(IMAGENET_MEAN), "image_std": list(IMAGENET_STD), "resample": 2,
    }  # fmt: skip
    write_json(settings.out / "preprocessor_config.json", preprocessor)
    about = {
        "seed": SEED,
        "clips": settings.clips,
        "epochs": settings.epochs,
        "batch": settings.batch,
        "masked": 0.75,
    }
    write_json(settings.out / "pretraining.json", {**about, "style": "discs", "loss": log})


if __name__ == "__main__":
    main()
