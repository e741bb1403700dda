"""(f) Embedding from a warm frame cache beside the bare forward pass on ready pixels, and from files beside a plain loop.

Networks have random weights. Warm: both go through the same batches; what `embed` does beyond the forward pass is to read
frames, normalise pixels and collect embeddings. Cold: short SIMULATED clips, of which no frames are cached; the plain loop is
PyAV and transformers alone: it decodes a file, takes evenly spaced frames, resizes, normalises and encodes a batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import torch
import transformers

from bgs.backbones import VideoBackbone, VideoInputs, embed, load_backbone
from bgs.runs.opened_model import open_model
from bgs.runs.quiet import quiet_libraries
from parts.made_clips import distinct_copies, make_clip
from parts.rows import Row, Target
from parts.timing import in_turns, ratio_row, scratch

BASE: Mapping[str, int] = {}  # VideoMAE-B as published
SMALL = {
    "hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 512,
    "image_size": 64, "num_frames": 8,
}  # fmt: skip
TINY = {**SMALL, "hidden_size": 32, "num_hidden_layers": 1, "intermediate_size": 64}


@dataclass(frozen=True)
class Case:
    """A configuration of VideoMAE, clips, clips a batch, rounds."""

    changes: Mapping[str, int]
    clips: int
    batch: int
    repeats: int


@dataclass(frozen=True)
class Size:
    """Networks by name, warm; and the network, files and rounds of the cold run."""

    warm: dict[str, Case]
    cold: Case


SIZES = {
    "full": Size(
        {"VideoMAE-B 16×224²": Case(BASE, 2, 2, 21), "VideoMAE 128 wide, 8×64²": Case(SMALL, 256, 64, 61)},
        Case(SMALL, 64, 32, 5),
    ),
    "quick": Size({"VideoMAE 128 wide, 8×64²": Case(SMALL, 128, 64, 9)}, Case(SMALL, 16, 16, 2)),
    "smallest": Size({"VideoMAE 32 wide, 8×64²": Case(TINY, 4, 2, 1)}, Case(TINY, 2, 2, 1)),
}


def measure(size: str) -> list[Row]:
    """Rows of this part."""
    quiet_libraries()
    with scratch() as folder:
        rows = [warm(folder / f"{n}", *case) for n, case in enumerate(SIZES[size].warm.items())]
        return [*rows, cold(folder / "cold", SIZES[size].cold)]


def random_checkpoint(folder: Path, changes: Mapping[str, int]) -> str:
    """The reference of a VideoMAE with random weights."""
    transformers.VideoMAEModel(transformers.VideoMAEConfig(**changes)).save_pretrained(folder)
    return f"videomae:{folder}"


def warm(folder: Path, name: str, case: Case) -> Row:
    """From memory-mapped frames, as the cache holds them."""
    backbone = load_backbone(random_checkpoint(folder / "model", case.changes))
    assert isinstance(backbone, VideoBackbone)
    side, all_clips = backbone.spec.preprocessing.size, np.arange(case.clips)
    shape = (case.clips, backbone.spec.frames, side, side, 3)
    np.save(folder / "frames.npy", np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))
    inputs = VideoInputs(np.load(folder / "frames.npy", mmap_mode="r"), all_clips)
    ready = [backbone.pixels(inputs.batch(part)) for part in np.split(all_clips, case.clips // case.batch)]
    backbone.train(False)

    def bare() -> None:
        with torch.no_grad():
            for pixels in ready:
                backbone.module(pixels)

    ways = {"ours": lambda: embed(backbone, inputs, all_clips, case.batch), "bare": bare}
    spent = in_turns(ways, case.repeats)
    what = f"embedding from cached frames beside the bare forward pass, {name}"
    return ratio_row(
        f"f: warm, {name}",
        what,
        spent["ours"],
        spent["bare"],
        Target("≥", 0.95),
        scale=1e3 / case.clips,
        unit="ms",
    )


def cold(folder: Path, case: Case) -> Row:
    """From files, each time other ones to the cache."""
    model = open_model(random_checkpoint(folder / "model", case.changes), device="cpu")
    backbone = model.backbone
    assert isinstance(backbone, VideoBackbone)
    made = [make_clip(folder / f"{seed}.mp4", seed) for seed in range(min(case.clips, 8))]
    sets = iter(
        [
            distinct_copies(folder / f"set {k}", made, case.clips, k * case.clips)
            for k in range(2 * case.repeats + 2)
        ]
    )

    def ours() -> None:
        model.embed(next(sets), case.batch)

    def loop() -> None:
        paths = next(sets).videos or ()
        for begin in range(0, len(paths), case.batch):
            with torch.no_grad():
                backbone.module(
                    torch.stack([plain_pixels(path, backbone) for path in paths[begin : begin + case.batch]])
                )

    spent = in_turns({"ours": ours, "loop": loop}, case.repeats)
    what = f"embedding {case.clips} files of which nothing is cached beside a plain loop of PyAV and transformers"
    return ratio_row("f: cold", what, spent["ours"], spent["loop"], Target("≥", 1))


def plain_pixels(path: Path, backbone: VideoBackbone) -> torch.Tensor:
    """(T, 3, S, S) of evenly spaced frames, whose shorter side is resized to S, and the middle taken."""
    wanted = backbone.spec.preprocessing
    with av.open(str(path)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    places = np.linspace(0, len(pictures) - 1, backbone.spec.frames).round().astype(int)
    frames = torch.from_numpy(np.stack([pictures[k] for k in places])).permute(0, 3, 1, 2).float() / 255
    height, width = frames.shape[2:]
    shape = [round(side * wanted.size / min(height, width)) for side in (height, width)]
    frames = torch.nn.functional.interpolate(
        frames, shape, mode="bilinear", antialias=True, align_corners=False
    )
    top, left = ((side - wanted.size) // 2 for side in shape)
    frames = frames[:, :, top : top + wanted.size, left : left + wanted.size]
    mean, deviation = (torch.tensor(each).reshape(3, 1, 1) for each in (wanted.mean, wanted.std))
    return (frames - mean) / deviation
