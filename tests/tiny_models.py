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
