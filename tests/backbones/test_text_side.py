"""Sentences in the space of clips, for CLIP and SigLIP checkpoints."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import transformers as hf

from bgs._errors import BgsError, ConfigError
from bgs.backbones import load_backbone
from bgs.backbones.text_side import TextSide
from tiny_models import save_tiny_video

WORDS = ("two", "people", "hug", "a", "dog", "runs")


def checkpoint(folder, family: str, tokenizer: bool = True):
    """A whole random model of a family, both halves, with a tokenizer of whole words."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    shared = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    vision = {**shared, "image_size": 32, "patch_size": 8}
    text = {
        **shared,
        "vocab_size": 16,
        "max_position_embeddings": 8,
        "eos_token_id": 1,
        "pad_token_id": 0,
        "bos_token_id": 2,
    }
    torch.manual_seed(0)
    if family == "clip":
        config = hf.CLIPConfig(text_config=text, vision_config=vision, projection_dim=24)
        model = hf.CLIPModel(config)
    else:
        config = hf.SiglipConfig(text_config={**text, "projection_size": 32}, vision_config=vision)
        model = hf.SiglipModel(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    if tokenizer:
        known = {"<pad>": 0, "<end>": 1, "<start>": 2, "<unk>": 3} | {
            word: 4 + k for k, word in enumerate(WORDS)
        }
        words = Tokenizer(models.WordLevel(known, unk_token="<unk>"))
        words.pre_tokenizer = pre_tokenizers.Whitespace()
        hf.PreTrainedTokenizerFast(
            tokenizer_object=words, pad_token="<pad>", eos_token="<end>", unk_token="<unk>"
        ).save_pretrained(folder)
    return model.eval()


@pytest.mark.parametrize("family", ["clip", "siglip"])
def test_sentences_are_embedded_as_the_whole_model_does(family, tmp_path):
    model = checkpoint(tmp_path, family)
    side = TextSide(load_backbone(f"{family}:{tmp_path}"))
    sentences = ["two people hug", "a dog runs a dog runs a dog runs"]
    found = side.embed(sentences)
    tokens = hf.AutoTokenizer.from_pretrained(tmp_path)(
        sentences, truncation=True, max_length=8, padding="max_length", return_tensors="pt"
    )
    mask = {} if family == "siglip" else {"attention_mask": tokens["attention_mask"]}
    with torch.inference_mode():
        expected = model.get_text_features(input_ids=tokens["input_ids"], **mask)
    values = getattr(expected, "pooler_output", expected).numpy()
    np.testing.assert_allclose(found, values / np.linalg.norm(values, axis=1, keepdims=True), atol=1e-5)
    assert found.shape[1] == load_backbone(f"{family}:{tmp_path}").spec.width


@pytest.mark.parametrize(
    "settings", ["?layer=1", "?pool=patch-std", "?time=mean%2Bstd", "?weights=random&seed=1"]
)
def test_another_space_has_no_sentences(settings, tmp_path):
    checkpoint(tmp_path, "clip")
    with pytest.raises(ConfigError, match="another space than sentences"):
        TextSide(load_backbone(f"clip:{tmp_path}{settings}"))


def test_a_checkpoint_of_images_alone_says_so(tmp_path):
    save_tiny_video("clip", tmp_path)
    with pytest.raises(ConfigError, match="no text side"):
        TextSide(load_backbone(f"clip:{tmp_path}"))


def test_a_missing_tokenizer_is_one_line(tmp_path):
    checkpoint(tmp_path, "siglip", tokenizer=False)
    with pytest.raises(BgsError, match="tokenizer"):
        TextSide(load_backbone(f"siglip:{tmp_path}"))
