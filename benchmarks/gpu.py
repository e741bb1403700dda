"""How much of a GPU real encoders use: clips a second, share of the peak, memory, and one full-geometry update.

    python benchmarks/gpu.py [--json FILE] [--device cuda] [--precision auto] [--encoders NAME …] [--peak TFLOPS]

Encoders have their published sizes and random weights, clips are noise, judgments are random; nothing is downloaded. They are
loaded, adapted by LoRA and trained as in `bgs train`, with its device, precision and measured micro-batches. FLOPs are those of
matrix products, attention in full. An update encodes every clip twice, so that all gradients fit in memory; its share of the
peak counts one forward and one backward pass, and the other forward pass as lost. The JSON is written again after each encoder.
"""

from __future__ import annotations

import argparse
import copy
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bgs._errors import BgsError
from bgs._files import require_output, write_json
from bgs.runs.quiet import quiet_libraries

#: Name in torch -> dense bf16 peak in TFLOP/s, from NVIDIA's data sheets; the first that is part of a device's name counts.
PEAKS = {
    "B200": 2250, "GH200": 989, "H200": 989, "H100 PCIe": 756, "H100 NVL": 835, "H100": 989, "H800": 989, "A100": 312,
    "A800": 312, "L40S": 362, "L40": 181, "L4": 121, "A10G": 70, "A10": 125, "A40": 150, "RTX 4090": 165, "RTX 3090": 71,
}  # fmt: skip
#: Frames of a clip, of every encoder.
FRAMES, SMALL_FRAMES = 16, 4
CLIPS, SMALL_CLIPS, TRIALS = 160, 12, 40_000
#: Seconds for which the forward pass is measured; those after which no further encoder is begun.
MEASURED, LIMIT = 5.0, 360.0
#: Changes to a published size that make it run anywhere in a second, by transformers' names.
SMALL = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64, "image_size": 32,
    "crop_size": 32, "patch_size": 8, "pred_hidden_size": 24, "pred_num_attention_heads": 2, "pred_num_hidden_layers": 1,
}  # fmt: skip
ENCODERS = {
    "VideoMAE-B": "videomae", "TimeSformer-B": "timesformer", "V-JEPA 2 L": "vjepa2", "V-JEPA 2.1 L": "vjepa2.1",
}  # fmt: skip


def checkpoint(family: str, folder: Path, tiny: bool) -> str:
    """Write an encoder with random weights; its reference."""
    import transformers

    from bgs._files import write_tensors
    from bgs.backbones.vjepa2_1 import WEIGHTS
    from bgs.backbones.vjepa2_1_network import SIZES, VJEPA21Config, VJEPA21Encoder

    frames = SMALL_FRAMES if tiny else FRAMES
    if family == "vjepa2.1":
        small = VJEPA21Config(32, 4, 2, 64, (0, 1, 2, 3), patch=8, size=32)
        encoder = VJEPA21Encoder(small if tiny else SIZES["l"])
        write_tensors(folder / WEIGHTS, encoder.state_dict(), {})
        write_json(folder / "config.json", encoder.config.to_dict())
    else:
        name = {"videomae": "VideoMAE", "timesformer": "Timesformer", "vjepa2": "VJEPA2"}[family]
        length = {"frames_per_clip" if family == "vjepa2" else "num_frames": frames}
        config = getattr(transformers, f"{name}Config")(**length, **(SMALL if tiny else {}))
        getattr(transformers, f"{name}Model")(config).save_pretrained(folder)
    return f"{family}:{folder}?frames={frames}"


class Bench:
    """One encoder on its device, adapted as by `bgs train`."""

    def __init__(self, family: str, options: argparse.Namespace, clips: int) -> None:
        import numpy as np

        from bgs.backbones import VideoBackbone, VideoInputs
        from bgs.runs.trainer import new_backbone
        from bgs.training import TrainingConfig

        with tempfile.TemporaryDirectory() as folder:
            self.config = TrainingConfig(
                model=checkpoint(family, Path(folder), options.tiny), data="noise", epochs=1, device=options.device,
                precision=options.precision, validation={"fraction": 0}, optimizer={"warmup": 0},
            )  # fmt: skip
            self.backbone = new_backbone(self.config)
        assert isinstance(self.backbone, VideoBackbone)
        size = self.backbone.spec.preprocessing.size
        shape = (clips, self.backbone.spec.frames, size, size, 3)
        noise = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        self.inputs, self.clips = VideoInputs(noise, np.arange(clips)), np.arange(clips)

    def flops(self) -> dict[str, float]:
        """FLOPs of one clip: a forward pass, and one with its backward pass in training.

        Counted without computing, on torch's meta device: attention kernels are not all counted, or with what they do twice.
        """
        import torch
        from torch.nn.attention import SDPBackend, sdpa_kernel
        from torch.utils.flop_counter import FlopCounterMode

        found, shapes = {}, copy.deepcopy(self.backbone)
        shapes.to("meta")
        shapes.precision = "fp32"
        for name, train in ("forward", False), ("forward and backward", True):
            shapes.train(train)
            counter = FlopCounterMode(display=False)
            with sdpa_kernel(SDPBackend.MATH), counter, torch.set_grad_enabled(train):
                vectors = shapes.forward(self.inputs.batch(self.clips[:1]))
                if train:
                    vectors.sum().backward()
            found[name] = float(counter.get_total_flops())
        return found

    def micro_batch(self, given: int | None, train: bool) -> int:
        """That of `micro_batch: auto`, unless one is given."""
        from bgs.backbones.micro_batch import measured_micro_batch

        return given or measured_micro_batch(
            self.backbone, self.inputs, self.clips, len(self.clips), train=train
        )

    def forward(self, micro_batch: int, seconds: float) -> dict[str, Any]:
        """Clips a second of `bgs embed` from frames in memory."""
        from bgs.backbones import embed

        clips, spent, peak = 0, 0.0, None
        while spent < seconds:
            took, peak = self._timed(lambda: embed(self.backbone, self.inputs, self.clips, micro_batch))
            clips, spent = clips + len(self.clips), spent + took
        return {"micro_batch": micro_batch, "clips_per_second": clips / spent, "peak_bytes": peak}

    def update(self, micro_batch: int) -> dict[str, Any]:
        """One epoch of training: one update on all trials and pairs of all clips."""
        from parts.updates import random_target

        from bgs.objective import HybridObjective
        from bgs.training import FullGeometry, Trainer

        config = self.config.model_copy(update={"micro_batch": micro_batch})
        method = FullGeometry(
            self.backbone, self.inputs, self.clips, random_target(len(self.clips), TRIALS).to(self.backbone.device),
            HybridObjective(config.objective), config.views, micro_batch, config.keep_graphs, config.seed,
        )  # fmt: skip
        seconds, peak = self._timed(Trainer(config, self.backbone, self.inputs, method, None, None).run)
        return {"micro_batch": micro_batch, "seconds": seconds, "clips": len(self.clips), "peak_bytes": peak}

    def _timed(self, work: Callable[[], object]) -> tuple[float, int | None]:
        """Seconds, and on a GPU the most memory held."""
        import torch

        device = self.backbone.device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
            torch.cuda.synchronize(device)
        begin = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        peak = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None
        return time.perf_counter() - begin, peak


def measure(family: str, options: argparse.Namespace, peak: float | None) -> dict[str, Any]:
    """All figures of an encoder; ``peak`` in TFLOP/s."""
    bench = Bench(family, options, SMALL_CLIPS if options.tiny else CLIPS)
    flops = bench.flops()
    forward = bench.forward(
        bench.micro_batch(options.micro_batch, train=False), 0.1 if options.tiny else MEASURED
    )
    update = bench.update(bench.micro_batch(options.micro_batch, train=True))
    done = forward["clips_per_second"] * flops["forward"] / 1e12
    forward |= {"tflops": done, "mfu": None if peak is None else done / peak}
    done = update["clips"] / update["seconds"] * flops["forward and backward"] / 1e12
    update |= {"tflops": done, "mfu": None if peak is None else done / peak}
    return {"flops_per_clip": flops, "forward": forward, "update": update}


def device_name(device: str) -> str:
    """What torch calls a device; ``cpu`` for processors.

    Raises:
        ConfigError: there is no such device.
    """
    import torch

    from bgs.runs.embedder import resolve_device

    if torch.device(resolve_device(device)).type != "cuda":
        return resolve_device(device)
    return torch.cuda.get_device_name(device)


def known_peak(device: str) -> float | None:
    """Peak of a device in TFLOP/s by its name; None if it is not known."""
    return next((float(peak) for name, peak in PEAKS.items() if name in device), None)


def table(results: dict[str, Any]) -> str:
    """Results as Markdown."""
    rows = ["| encoder | forward | of peak | memory | one update | of peak | memory |", "|---" * 7 + "|"]
    for name, found in results.items():
        if "failed" in found:
            rows.append(f"| {name} | {found['failed']} | | | | | |")
            continue
        forward, update = found["forward"], found["update"]
        shares = [f"{part['mfu']:.0%}" if part["mfu"] is not None else "–" for part in (forward, update)]
        held = [
            f"{part['peak_bytes'] / 1e9:.1f} GB" if part["peak_bytes"] else "–" for part in (forward, update)
        ]
        rows.append(
            f"| {name} | {forward['clips_per_second']:.3g} clips/s | {shares[0]} | {held[0]} "
            f"| {update['seconds']:.3g} s | {shares[1]} | {held[1]} |"
        )
    return "\n".join(rows)


def run(options: argparse.Namespace) -> bool:
    """Measure each encoder, print the table; whether all were measured.

    Raises:
        BgsError: there is no such device, or the output cannot be written.
    """
    import torch

    if options.json:
        require_output(options.json)
    device = device_name(options.device)
    peak = options.peak or known_peak(device)
    if peak is None:
        print(f"note: the bf16 peak of {device} is not known; --peak gives it in TFLOP/s", file=sys.stderr)
    about = {
        "device": device, "peak_tflops": peak, "precision": options.precision,
        "frames": SMALL_FRAMES if options.tiny else FRAMES, "clips": SMALL_CLIPS if options.tiny else CLIPS,
        "tiny": options.tiny, "torch": torch.__version__, "date": time.strftime("%Y-%m-%d"), "simulated": True,
    }  # fmt: skip
    begin, results = time.perf_counter(), {}
    for name in options.encoders:
        results[name] = measured_in_time(name, options, peak, begin)
        about["seconds"] = time.perf_counter() - begin
        if options.json:
            write_json(options.json, {**about, "encoders": results})
    print(
        f"{device}, precision {options.precision}, {about['clips']} clips of {about['frames']} frames an update, "
        f"{about['seconds']:.0f} s in all\n"
    )
    print(table(results))
    return not any("failed" in found for found in results.values())


def measured_in_time(
    name: str, options: argparse.Namespace, peak: float | None, begin: float
) -> dict[str, Any]:
    """All figures of an encoder, or why there are none."""
    import torch

    if time.perf_counter() - begin > LIMIT:
        return {"failed": f"not begun: {LIMIT:.0f} s were over"}
    try:
        return measure(ENCODERS[name], options, peak)
    except (BgsError, torch.OutOfMemoryError) as error:
        failed = str(error).splitlines()[0]
    torch.cuda.empty_cache()  # what the frames of the error held
    return {"failed": failed}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--precision", default="auto", choices=["auto", "fp32", "bf16"])
    parser.add_argument(
        "--encoders", nargs="+", default=list(ENCODERS), choices=list(ENCODERS), metavar="NAME"
    )
    parser.add_argument("--peak", type=float, help="bf16 peak of the device in TFLOP/s, if it is not known")
    parser.add_argument("--micro-batch", type=int, help="clips per forward pass; by default it is measured")
    parser.add_argument("--tiny", action="store_true", help="tiny encoders, to try this script anywhere")
    options = parser.parse_args()
    quiet_libraries()
    try:
        complete = run(options)
    except BgsError as error:
        print(f"gpu.py: {error}", file=sys.stderr)
        sys.exit(2)
    sys.exit(0 if complete else 1)


if __name__ == "__main__":
    main()
