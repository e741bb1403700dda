"""The small pretrained model in the package."""

import json

import pytest
import torch

from bgs import BgsError
from bgs.backbones import load_backbone
from bgs.backbones.tiny import WEIGHTS

FOLDER = WEIGHTS / "videomae"


def test_it_is_small_and_has_its_papers():
    assert (FOLDER / "model.safetensors").stat().st_size <= 6e6
    assert (WEIGHTS / "README.md").is_file()
    about = json.loads((FOLDER / "pretraining.json").read_text())
    for task in ("pixels", "motion"):
        losses = [epoch[task] for epoch in about["losses"]]
        assert losses[-1] < 0.7 * losses[0]
    assert about["seed"] > 1000  # evaluation clips have smaller ones


def test_its_short_name_loads_it():
    backbone = load_backbone("tiny-videomae?symmetry=mirror")
    assert backbone.spec.source == "tiny:videomae?symmetry=mirror"
    assert 0.8e6 < sum(p.numel() for p in backbone.module.parameters()) < 1.3e6
    assert (backbone.spec.frames, backbone.spec.preprocessing.size) == (8, 64)
    again = load_backbone(backbone.spec.source)
    assert again.spec.revision == backbone.spec.revision


def test_its_weights_are_not_random():
    tiny, scratch = load_backbone("tiny-videomae"), load_backbone("scratch:videomae-tiny")
    name = "encoder.layer.0.attention.attention.query.weight"
    first, second = (dict(b.module.named_parameters())[name].std() for b in (tiny, scratch))
    assert not torch.isclose(first, second, rtol=0.2)


def test_an_unknown_one_is_refused():
    with pytest.raises(BgsError, match="no such model in the package"):
        load_backbone("tiny:gpt")
