"""Masks from a detector: a tiny random YOLOS whose boxes are set by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bgs import BgsError
from bgs.detectors.objects import ObjectDetector
from tiny_models import save_tiny_video


@pytest.fixture(scope="module")
def yolos(tmp_path_factory):
    """Finds a person in the left half, whatever it sees: weights of its last layers are zero, biases say so."""
    import transformers as hf

    names = {0: "person", 1: "chair"}
    torch.manual_seed(0)
    config = hf.YolosConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, image_size=[32, 48],
        patch_size=8, num_detection_tokens=3, id2label=names, label2id={v: k for k, v in names.items()},
    )  # fmt: skip
    model = hf.YolosForObjectDetection(config)
    with torch.no_grad():
        for predictor, bias in (
            (model.class_labels_classifier, [3.0, 0.0, 0.0]),
            (model.bbox_predictor, torch.logit(torch.tensor([0.25, 0.5, 0.5, 0.999])).tolist()),
        ):
            predictor.layers[-1].weight.zero_()
            predictor.layers[-1].bias.copy_(torch.tensor(bias))
    folder = tmp_path_factory.mktemp("yolos")
    model.save_pretrained(folder)
    return str(folder)


FRAMES = np.random.default_rng(0).integers(0, 256, (3, 40, 60, 3), dtype=np.uint8)


def test_what_is_found_becomes_a_region(yolos):
    found = ObjectDetector(yolos, shorter_side=32, micro_batch=2)(FRAMES)
    assert found.names == ("background", "agent", "object")
    expected = np.zeros((3, 40, 60), np.uint8)
    expected[:, :, :30] = 1
    np.testing.assert_array_equal(found.labels, expected)


def test_regions_and_threshold_are_ours(yolos):
    found = ObjectDetector(yolos, {"chair": "furniture"}, shorter_side=32)(FRAMES[:1])
    assert found.names == ("background", "furniture", "object")
    assert set(np.unique(found.labels)) == {0, 2}
    assert not ObjectDetector(yolos, threshold=0.95, shorter_side=32)(FRAMES[:1]).labels.any()


def test_other_models_are_refused(tmp_path):
    folder = save_tiny_video("videomae", tmp_path / "model")
    with pytest.raises(
        BgsError, match=r"unsupported detector; expected .* detr or yolos model, got videomae"
    ):
        ObjectDetector(str(folder))
