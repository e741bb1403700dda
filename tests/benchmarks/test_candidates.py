"""Layers and poolings, all in one pass, are those of references that name them."""

from __future__ import annotations

import numpy as np
import pytest

from bgs import BgsError, Embeddings, StimulusSet
from bgs.backbones import embed, load_backbone
from bgs.backbones.clips import VideoInputs
from bgs.benchmarks.candidates import choose, embed_candidates
from bgs.evaluation import model_rdm
from tiny_models import TINY_CLIPS, save_tiny_video, tiny_clips

COUNTS = {"dinov2": 4 * 9 + 1, "siglip": 4 * 6 + 1, "videomae": 4 + 1}


@pytest.mark.parametrize("family", COUNTS)
def test_every_candidate_is_what_its_reference_gives(family, tmp_path):
    folder = save_tiny_video(family, tmp_path)
    inputs = VideoInputs(tiny_clips(4, *TINY_CLIPS[family]), np.arange(4))
    stimuli = StimulusSet(("a", "b", "c", "d"))
    backbone = load_backbone(f"{family}:{folder}")
    backbone.prepare = lambda stimuli, **_: inputs  # type: ignore[method-assign]
    found = embed_candidates(backbone, f"{family}:{folder}", stimuli, micro_batch=3)
    assert len(found) == COUNTS[family]
    assert backbone.spec == load_backbone(f"{family}:{folder}").spec
    for settings in [*list(found)[1::7], ""]:
        alone = load_backbone(f"{family}:{folder}{'?' if settings else ''}{settings}")
        np.testing.assert_allclose(
            found[settings].values, embed(alone, inputs, np.arange(4)), atol=1e-5, err_msg=settings
        )


def test_a_reference_that_names_layer_and_pooling_is_taken_at_its_word(tmp_path):
    folder = save_tiny_video("dinov2", tmp_path)
    inputs = VideoInputs(tiny_clips(3, *TINY_CLIPS["dinov2"]), np.arange(3))
    counts = {}
    for query in ("?layer=2", "?pool=patch-std&time=difference", "?time=mean%2Bstd"):
        backbone = load_backbone(f"dinov2:{folder}{query}")
        backbone.prepare = lambda stimuli, **_: inputs  # type: ignore[method-assign]
        counts[query] = len(embed_candidates(backbone, "x", StimulusSet(("a", "b", "c"))))
    assert list(counts.values()) == [1, 4 + 1, 4 * 3 + 1]


def test_the_best_on_training_clips_is_chosen_and_of_equals_the_published_one():
    random = np.random.default_rng(0)
    good, bad = random.normal(size=(8, 3)), random.normal(size=(8, 3))
    ids = tuple("abcdefgh")
    human = model_rdm(good - good.mean(axis=0), "cosine")
    human[0, 1] = human[1, 0] = np.nan
    named = {
        name: Embeddings(values, ids, name)
        for name, values in (("layer=0", bad), ("layer=1", good), ("", good))
    }
    choice = choose(named, human)
    assert choice.settings == ""
    assert [one.settings for one in choice.candidates] == ["layer=0", "layer=1", ""]
    assert choice.candidates[1].value == pytest.approx(1.0)
    assert choice.candidates[0].value < 0.9
    assert choice.candidates[0].n == 27
    with pytest.raises(BgsError, match="all training clips are alike"):
        choose({"": Embeddings(np.ones((8, 2)), ids, "flat")}, human)
