"""Clips a second that `embed` gets from a warm frame cache, beside the network's bare forward pass on ready pixels.

    python benchmarks/embedding_throughput.py [--json OUT]

Networks have random weights. Both go through the same batches, alternately, so that whatever else the machine does
meets both; the ratio is the median over pairs. What `embed` does beyond the forward pass: reading frames,
normalising pixels, collecting embeddings.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import transformers

from bgs._files import write_json
from bgs.backbones import VideoBackbone, VideoInputs, embed, load_backbone

TARGET = 0.9
#: (name, configuration, clips, clips a batch): real sizes, and the size that is trained in minutes on two cores.
CASES = {
    "VideoMAE-B 16×224²": ({}, 4, 2),
    "VideoMAE 128 wide, 8×64²": (
        {
            "hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 512,
            "image_size": 64, "num_frames": 8,
        },
        256,
        64,
    ),
}  # fmt: skip


def random_checkpoint(folder: Path, changes: dict[str, int]) -> VideoBackbone:
    """A VideoMAE with random weights, loaded the usual way."""
    transformers.VideoMAEModel(transformers.VideoMAEConfig(**changes)).save_pretrained(folder)
    backbone = load_backbone(f"videomae:{folder}")
    assert isinstance(backbone, VideoBackbone)
    return backbone


def mapped_frames(folder: Path, backbone: VideoBackbone, clips: int) -> np.ndarray:
    """Random clips as the frame cache holds them: a memory-mapped uint8 file."""
    size = backbone.spec.preprocessing.size
    shape = (clips, backbone.spec.frames, size, size, 3)
    np.save(folder / "frames.npy", np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))
    return np.load(folder / "frames.npy", mmap_mode="r")


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def measure(changes: dict[str, int], clips: int, batch: int, pairs: int) -> dict[str, float]:
    """Clips a second of both, and the median of their ratios over ``pairs`` of runs."""
    with tempfile.TemporaryDirectory() as name:
        backbone = random_checkpoint(Path(name) / "model", changes)
        inputs = VideoInputs(mapped_frames(Path(name), backbone, clips), np.arange(clips))
        ready = [backbone.pixels(inputs.batch(part)) for part in np.split(np.arange(clips), clips // batch)]
        backbone.train(False)

        def bare() -> None:
            with torch.no_grad():
                for pixels in ready:
                    backbone.module(pixels)

        def ours() -> None:
            embed(backbone, inputs, np.arange(clips), batch)

        bare(), ours()  # warm up
        times = [(seconds(bare), seconds(ours)) for _ in range(pairs)]
    return {
        "bare": clips / statistics.median(first for first, _ in times),
        "embed": clips / statistics.median(second for _, second in times),
        "ratio": statistics.median(first / second for first, second in times),
        "pairs": pairs,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--pairs", type=int, default=9)
    options = parser.parse_args()
    transformers.utils.logging.disable_progress_bar()
    results = {name: measure(*case, options.pairs) for name, case in CASES.items()}
    for name, found in results.items():
        print(
            f"{name:<26} embed {found['embed']:7.2f} clips/s, bare forward {found['bare']:7.2f}, "
            f"ratio {found['ratio']:.3f} (target {TARGET})"
        )
    if options.json:
        write_json(options.json, results)


if __name__ == "__main__":
    main()
