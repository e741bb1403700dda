"""Tiny random checkpoints and a small study, made on the spot."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

KINDS = {"fight": "two men fight", "hug": "a woman hugs a child", "talk": "people talk"}
PLACES = ["park", "kitchen", "street", "room", "school"]
WORDS = sorted(
    {word for phrase in KINDS.values() for word in phrase.split()} | set(PLACES) | {"in", "the", "near"}
)


def save_tiny_text(folder: Path) -> Path:
    """Write a sentence-transformers folder with random weights."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=5 + len(WORDS), hidden_size=32, num_hidden_layers=3, num_attention_heads=4,
        intermediate_size=64, max_position_embeddings=64, hidden_dropout_prob=0.1, initializer_range=0.3,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder / "bert")
    BertTokenizerFast(vocab=str(vocabulary), model_max_length=64).save_pretrained(folder / "bert")
    transformer = Transformer(str(folder / "bert"))
    encoder = SentenceTransformer(modules=[transformer, Pooling(32), Normalize()], device="cpu")
    encoder.save(str(folder / "encoder"))
    return folder / "encoder"


def save_small_study(folder: Path) -> Path:
    """Write stimuli.csv and trials.csv."""
    random = np.random.default_rng(0)
    kinds = [list(KINDS)[i % 3] for i in range(30)]
    with (folder / "stimuli.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["stimulus_id", "captions", "split", "valence"])
        for i, kind in enumerate(kinds):
            captions = [f"{KINDS[kind]} in the {PLACES[(i + k) % 5]}" for k in range(3)]
            writer.writerow([f"clip{i:02d}", json.dumps(captions), "test" if i >= 20 else "train", i / 30])
    with (folder / "trials.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["participant", "block", "trial", "stim1", "stim2", "stim3", "odd", "rt"])
        for row in range(900):
            low, high = [(0, 20), (20, 30), (0, 30)][row % 3]
            trio = random.choice(np.arange(low, high), 3, replace=False)
            same = [
                kinds[trio[1]] == kinds[trio[2]],
                kinds[trio[0]] == kinds[trio[2]],
                kinds[trio[0]] == kinds[trio[1]],
            ]
            odd = int(np.argmax(np.array(same) + 0.9 * random.random(3)))
            names = [f"clip{s:02d}" for s in trio]
            writer.writerow([f"p{row % 9}", "b", row, *names, names[odd], 2.5])
    return folder


#: Clip shape (frames, pixels) that each tiny checkpoint was made for; width 32, 3 blocks, 4 heads, patch 8.
TINY_CLIPS = {
    "vjepa2": (4, 32),
    "vjepa2.1": (4, 32),
    "timesformer": (4, 32),
    "videomae": (4, 32),
    "clip": (8, 32),
    "siglip": (8, 32),
    "dinov2": (8, 32),
}
_PREPROCESSOR = {
    "do_resize": True, "size": {"shortest_edge": 36}, "resample": 2, "do_center_crop": True,
    "crop_size": {"height": 32, "width": 32}, "do_rescale": True, "rescale_factor": 1 / 255,
    "do_normalize": True, "image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.25, 0.3],
}  # fmt: skip


def tiny_video_model(family: str, **changes: object):
    """A random transformers model of a family; ``changes`` go into its configuration."""
    import torch
    import transformers as hf

    shared = {
        "hidden_size": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "patch_size": 8,
        "initializer_range": 0.3,
    }
    torch.manual_seed(0)
    if family == "vjepa2":
        small = {
            "crop_size": 32,
            "frames_per_clip": 4,
            "pred_hidden_size": 24,
            "pred_num_attention_heads": 2,
            "pred_num_hidden_layers": 1,
        }
        return hf.VJEPA2Model(hf.VJEPA2Config(**shared | small | changes))
    shared |= {"intermediate_size": 64, "image_size": 32}
    if family == "timesformer":
        model = hf.TimesformerModel(hf.TimesformerConfig(**shared | {"num_frames": 4} | changes))
        torch.nn.init.normal_(model.embeddings.time_embeddings, std=0.3)  # zero in a new model
        return model
    if family == "videomae":
        return hf.VideoMAEModel(hf.VideoMAEConfig(**shared | {"num_frames": 4} | changes))
    if family == "siglip":
        return hf.SiglipVisionModel(hf.SiglipVisionConfig(**shared | changes))
    if family == "dinov2":
        return hf.Dinov2Model(hf.Dinov2Config(**shared | {"mlp_ratio": 2} | changes))
    if family == "dinov2-registers":
        config = hf.Dinov2WithRegistersConfig(**shared | {"mlp_ratio": 2, "num_register_tokens": 2} | changes)
        return hf.Dinov2WithRegistersModel(config)
    if family == "dinov3":
        return hf.DINOv3ViTModel(hf.DINOv3ViTConfig(**shared | {"num_register_tokens": 2} | changes))
    assert family == "clip"
    return hf.CLIPVisionModelWithProjection(hf.CLIPVisionConfig(**shared | {"projection_dim": 24} | changes))


def tiny_vjepa2_1():
    """A random V-JEPA 2.1 encoder of 4 blocks, all of its parameters far from their initial zeros and ones."""
    import torch

    from bgs.backbones.vjepa2_1_network import VJEPA21Config, VJEPA21Encoder

    torch.manual_seed(0)
    encoder = VJEPA21Encoder(VJEPA21Config(32, 4, 2, 64, (0, 1, 2, 3), patch=8, size=32, frames=4))
    with torch.no_grad():
        for name, parameter in encoder.named_parameters():
            scale = 0.2 if parameter.ndim > 1 else 0.3
            parameter.copy_(("norm" in name and "weight" in name) + scale * torch.randn_like(parameter))
    return encoder.eval()


def save_tiny_video(family: str, folder: Path, preprocessor: bool = True, **changes: object) -> Path:
    """Write a checkpoint of a family with random weights."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    if family == "vjepa2.1":
        encoder = tiny_vjepa2_1()
        save_file(encoder.state_dict(), folder / "model.safetensors")
        (folder / "config.json").write_text(json.dumps(encoder.config.to_dict()))
    else:
        tiny_video_model(family, **changes).save_pretrained(folder)
    if preprocessor:
        (folder / "preprocessor_config.json").write_text(json.dumps(_PREPROCESSOR))
    return folder


def tiny_clips(n: int, frames: int, size: int, seed: int = 0) -> np.ndarray:
    """(n, frames, size, size, 3) uint8 clips with slow structure in space and time."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (n, -(-frames // 2), 4, 4, 3)).astype(np.uint8)
    fine = coarse.repeat(2, axis=1).repeat(-(-size // 4), axis=2).repeat(-(-size // 4), axis=3)
    return np.ascontiguousarray(fine[:, :frames, :size, :size])
