"""Random twins: same architecture, other weights, the same for the same seed, in every family."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bgs import BgsError
from bgs.backbones import LoraSettings, attach_lora, embed, load_backbone, save_adapter
from bgs.backbones.clips import VideoInputs
from bgs.stimuli import StimulusSet
from tiny_models import TINY_CLIPS, save_tiny_text, save_tiny_video, tiny_clips

TWIN = "?weights=random&seed=1"


@pytest.fixture(scope="module")
def text_folder(tmp_path_factory):
    return save_tiny_text(tmp_path_factory.mktemp("text"))


def shapes(backbone) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in backbone.module.state_dict().items()}


@pytest.mark.parametrize("family", TINY_CLIPS)
def test_a_twin_has_the_same_architecture_and_other_weights(family, tmp_path):
    folder = save_tiny_video(family, tmp_path)
    base, twin, again, other = (
        load_backbone(f"{family}:{folder}{query}")
        for query in ("", TWIN, TWIN, "?weights=random&seed=2")
    )  # fmt: skip
    assert shapes(twin) == shapes(base)
    assert twin.spec.revision == again.spec.revision
    assert len({base.spec.revision, twin.spec.revision, other.spec.revision}) == 3
    assert twin.spec.source == f"{family}:{folder}{TWIN}"
    weights = [
        name for name, value in base.module.named_parameters() if value.ndim > 1 and value.requires_grad
    ]
    trained, drawn = base.module.state_dict(), twin.module.state_dict()
    unchanged = [name for name in weights if torch.equal(trained[name], drawn[name])]
    assert not [name for name in unchanged if trained[name].any()]  # all but zeros in both


@pytest.mark.parametrize("family", TINY_CLIPS)
def test_a_twin_embeds_clips_of_the_asked_shape(family, tmp_path):
    size = "" if family == "videomae" else "&size=48"
    backbone = load_backbone(f"{family}:{save_tiny_video(family, tmp_path)}{TWIN}&frames=2{size}")
    clips = tiny_clips(3, 2, 32 if family == "videomae" else 48)
    values = embed(backbone, VideoInputs(clips, np.arange(3)), np.arange(3))
    assert np.isfinite(values).all()
    assert values.std(axis=0).max() > 0


def test_a_sentence_encoder_has_a_twin(text_folder):
    base, twin, again = (load_backbone(f"text:{text_folder}{query}") for query in ("", TWIN, TWIN))
    assert shapes(twin) == shapes(base)
    assert twin.spec.revision == again.spec.revision != base.spec.revision
    stimuli = StimulusSet(("a", "b"), captions=(("two men fight",), ("people talk",)))
    vectors = [embed(one, one.prepare(stimuli), np.arange(2)) for one in (base, twin, again)]
    np.testing.assert_array_equal(vectors[1], vectors[2])
    assert np.abs(vectors[0] - vectors[1]).max() > 0.01


def test_the_seed_is_0_unless_given_and_no_other_random_number_changes():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    unseeded = load_backbone("tiny-videomae?weights=random")
    assert torch.equal(torch.rand(1), expected)
    assert unseeded.spec.revision == load_backbone("tiny-videomae?weights=random&seed=0").spec.revision
    assert unseeded.spec.source == "tiny:videomae?weights=random"


def test_an_adapter_of_a_twin_belongs_to_its_weights(tmp_path):
    twin = load_backbone(f"tiny-videomae{TWIN}")
    settings = LoraSettings(rank=2)
    attach_lora(twin, settings)
    save_adapter(twin, settings, tmp_path / "run" / "adapter")
    assert load_backbone(f"run:{tmp_path / 'run'}").spec == twin.spec
    about = tmp_path / "run" / "adapter" / "bgs.json"
    about.write_text(about.read_text().replace("seed=1", "seed=2"))
    with pytest.raises(BgsError, match="this adapter was trained on other weights"):
        load_backbone(f"run:{tmp_path / 'run'}")


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("tiny-videomae?weights=trained", "setting 'weights'; expected random"),
        ("tiny-videomae?seed=1", "seed: of random weights only; expected weights=random&seed=N"),
        ("tiny-videomae?weights=random&seed=-1", "setting 'seed'; expected an integer ≥ 0"),
        ("text:minilm?size=64", "settings of a sentence encoder; expected weights and seed"),
        ("text:minilm?weights=none", "setting 'weights'; expected random"),
        ("pixels:grey?weights=random", "unknown baseline"),
    ],
)
def test_bad_settings_are_one_line(reference, message):
    with pytest.raises(BgsError, match=message) as caught:
        load_backbone(reference)
    assert "\n" not in str(caught.value)
