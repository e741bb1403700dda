"""Checkpoints as they come: pixels from their own files, every weight there, another family named, one-line errors."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from bgs import BgsError
from bgs.backbones import load_backbone
from bgs.backbones.preprocessing import IMAGENET_MEAN, Preprocessing, of_pictures, read_preprocessing
from bgs.backbones.settings import VideoSettings, parse_settings
from bgs.backbones.siglip import SiglipBackbone
from bgs.backbones.videomae import VideoMAEBackbone
from bgs.stimuli import Sampling
from tiny_models import TINY_CLIPS, save_tiny_video, tiny_clips

MODERN = {
    "do_resize": True, "size": {"shortest_edge": 292}, "resample": 2, "do_center_crop": True,
    "crop_size": {"height": 256, "width": 256}, "do_rescale": True, "rescale_factor": 0.00392156862745098,
    "do_normalize": True, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225],
}  # fmt: skip
OLD_CLIP = {"do_resize": True, "size": 224, "resample": 3, "do_center_crop": True, "crop_size": 224, "do_normalize": True,
            "image_mean": [0.48, 0.46, 0.41], "image_std": [0.27, 0.26, 0.28]}  # fmt: skip


VIDEO, SIGLIP = VideoMAEBackbone.published, SiglipBackbone.published


def preprocessing(
    tmp_path, content: dict, name: str = "preprocessor_config.json", published: Preprocessing = VIDEO
) -> Preprocessing | None:
    (tmp_path / name).write_text(json.dumps(content))
    return read_preprocessing(str(tmp_path), published)


def test_both_generations_of_preprocessor_files(tmp_path):
    assert preprocessing(tmp_path, OLD_CLIP) == of_pictures(
        224, 224, (0.48, 0.46, 0.41), (0.27, 0.26, 0.28), "bicubic"
    )
    found = preprocessing(tmp_path, MODERN, "video_preprocessor_config.json")  # the more specific file wins
    assert found == of_pictures(256, 292, IMAGENET_MEAN, (0.229, 0.224, 0.225), "bilinear")
    assert found.for_clips(8, 128).sampling == Sampling(8, 128, resize=146)


def test_a_file_that_does_not_crop_squeezes(tmp_path):
    found = preprocessing(tmp_path, MODERN | {"do_center_crop": False, "size": {"height": 224, "width": 224}})
    assert found.sampling == Sampling(1, 224, crop="none")
    assert found.for_clips(1, 64).sampling == Sampling(1, 64, crop="none")


def test_a_file_silent_on_crop_and_interpolation_means_what_the_familys_own_preprocessor_does(tmp_path):
    """SigLIP's published file: naive reading crops the middle out of a frame that the authors squeeze whole."""
    file = {
        "do_normalize": True, "do_rescale": True, "do_resize": True, "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5], "rescale_factor": 1 / 255, "size": {"height": 224, "width": 224},
    }  # fmt: skip
    found = preprocessing(tmp_path, file, published=SIGLIP)
    assert found.sampling == Sampling(1, 224, crop="none", interpolation="bicubic")
    assert preprocessing(tmp_path, file).sampling == Sampling(1, 224, resize=224)


def test_no_normalisation_is_mean_zero_and_deviation_one(tmp_path):
    found = preprocessing(tmp_path, MODERN | {"do_normalize": False})
    assert (found.mean, found.std) == ((0, 0, 0), (1, 1, 1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"do_rescale": False}, "unsupported preprocessing"),
        ({"rescale_factor": 1 / 127.5}, "unsupported preprocessing"),
        ({"resample": 0}, "unsupported preprocessing"),
        ({"crop_size": {"height": 224, "width": 112}}, "crop_size: not a square"),
        ({"do_center_crop": False}, "frames would not be square"),
        ({"image_mean": [0.5]}, "image_mean: not three numbers"),
    ],
)
def test_preprocessor_files_that_cannot_be_followed_are_errors(tmp_path, change, message):
    with pytest.raises(BgsError, match=message):
        preprocessing(tmp_path, MODERN | change)


@pytest.mark.parametrize("family", TINY_CLIPS)
def test_without_a_preprocessor_file_the_published_values_are_used_and_said(tmp_path, family):
    backbone = load_backbone(f"{family}:{save_tiny_video(family, tmp_path, preprocessor=False)}")
    assert len(backbone.notes) == 1
    assert "no preprocessor file" in backbone.notes[0]
    assert str(backbone.spec.preprocessing.mean) in backbone.notes[0]
    assert "\n" not in backbone.notes[0]
    mean = {"timesformer": 0.45, "clip": 0.48145466, "siglip": 0.5}.get(family, 0.485)
    assert backbone.spec.preprocessing.mean[0] == mean
    assert backbone.spec.preprocessing.size == 32


def test_sampling_follows_the_checkpoint(tmp_path):
    sampling = load_backbone(f"videomae:{save_tiny_video('videomae', tmp_path)}").sampling()
    assert (sampling.frames, sampling.size, sampling.resize, sampling.crop) == (4, 32, 36, "center")
    assert sampling.interpolation == "bilinear"


def test_a_preprocessor_file_that_contradicts_the_configuration_is_an_error(tmp_path):
    folder = save_tiny_video("vjepa2", tmp_path)
    (folder / "preprocessor_config.json").write_text(json.dumps(MODERN))
    with pytest.raises(
        BgsError, match=r"disagree on the frame size; expected 32 px, got 256 px \(choose with \?size=\)"
    ):
        load_backbone(f"vjepa2:{folder}")
    pixels = load_backbone(f"vjepa2:{folder}?size=32").spec.preprocessing
    assert (pixels.size, pixels.sampling.resize) == (32, 36)


@pytest.mark.parametrize("family", TINY_CLIPS)
def test_a_checkpoint_of_another_family_is_named(tmp_path, family):
    other = {"vjepa2": "vjepa2.1", "vjepa2.1": "vjepa2"}.get(family, "vjepa2")
    folder = save_tiny_video(family, tmp_path)
    with pytest.raises(BgsError, match=f"another family; expected {other}, got {family} \\(use {family}:"):
        load_backbone(f"{other}:{folder}")


def test_unknown_kinds_and_broken_files_are_one_line_errors(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(BgsError, match=r"no checkpoint here; expected .*config.json"):
        load_backbone(f"clip:{tmp_path}")
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(BgsError, match="another family; expected clip, got model_type 'bert'"):
        load_backbone(f"clip:{tmp_path}")
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(BgsError, match=r"config\.json: not JSON"):
        load_backbone(f"clip:{tmp_path}")
    with pytest.raises(BgsError, match="nobody/no-such-model: no checkpoint here") as caught:
        load_backbone("clip:nobody/no-such-model")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("family", TINY_CLIPS)
def test_a_missing_weight_is_an_error_not_a_random_weight(tmp_path, family):
    folder = save_tiny_video(family, tmp_path)
    weights = load_file(folder / "model.safetensors")
    last = max(name for name in weights if "norm" in name)
    save_file(
        {name: value for name, value in weights.items() if name != last},
        folder / "model.safetensors",
        {"format": "pt"},
    )
    with pytest.raises(BgsError, match=f"1 missing weights: .*{last.split('.', 1)[-1]}"):
        load_backbone(f"{family}:{folder}")
    (folder / "model.safetensors").write_bytes(b"x" * 100)
    with pytest.raises(BgsError) as caught:
        load_backbone(f"{family}:{folder}")
    assert "\n" not in str(caught.value)


def rewrite(folder, change) -> None:
    """Rewrite a checkpoint's weights, one (name, tensor) to one or none."""
    weights = load_file(folder / "model.safetensors")
    save_file(dict(change(weights)), folder / "model.safetensors", {"format": "pt"})


@pytest.mark.parametrize(
    ("family", "prefix"), [("timesformer", "timesformer."), ("videomae", "videomae."), ("vjepa2", "vjepa2.")]
)
def test_weights_beyond_the_encoder_are_left_unread(tmp_path, family, prefix):
    """Published classifiers hold the encoder under a prefix, and a head."""
    folder = save_tiny_video(family, tmp_path)
    plain = load_backbone(f"{family}:{folder}")
    rewrite(
        folder,
        lambda weights: (
            {prefix + k: v for k, v in weights.items()} | {"classifier.weight": torch.ones(2, 32)}
        ),
    )
    assert load_backbone(f"{family}:{folder}").spec == plain.spec  # and so are their fingerprints


def test_videomae_as_published_with_biases_of_their_own(tmp_path):
    folder = save_tiny_video("videomae", tmp_path)
    plain = load_backbone(f"videomae:{folder}")

    def old(weights):
        for name, value in weights.items():
            name = name.replace("attention.query.bias", "attention.q_bias").replace(
                "attention.value.bias", "attention.v_bias"
            )
            yield f"videomae.{name}", value

    rewrite(folder, old)
    assert any(name.endswith("q_bias") for name in load_file(folder / "model.safetensors"))
    assert load_backbone(f"videomae:{folder}").spec == plain.spec


@pytest.mark.parametrize("said_by_the_image_half", [24, 512, None])
def test_the_image_half_of_a_whole_clip(tmp_path, said_by_the_image_half):
    """The width of its projection stands at top level, and there alone in some checkpoints."""
    from transformers import CLIPConfig, CLIPModel

    torch.manual_seed(0)
    shape = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64}
    vision = shape | {"image_size": 32, "patch_size": 8, "projection_dim": 24}
    model = CLIPModel(
        CLIPConfig(text_config=shape | {"vocab_size": 50}, vision_config=vision, projection_dim=24)
    ).eval()
    model.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["vision_config"]["projection_dim"] = said_by_the_image_half
    if said_by_the_image_half is None:
        del config["vision_config"]["projection_dim"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    backbone = load_backbone(f"clip:{tmp_path}?frames=2")
    assert backbone.spec.width == 24
    clips = torch.from_numpy(tiny_clips(3, 2, 32))
    with torch.no_grad():
        pixels = backbone.pixels(clips).flatten(0, 1)
        expected = model.get_image_features(pixels).pooler_output.unflatten(0, (3, 2)).mean(dim=1)
        torch.testing.assert_close(backbone.forward(clips), expected, atol=1e-6, rtol=0)


def test_half_precision_checkpoints_are_run_in_float32(tmp_path):
    folder = save_tiny_video("videomae", tmp_path)
    weights = load_file(folder / "model.safetensors")
    save_file(
        {name: value.half() for name, value in weights.items()},
        folder / "model.safetensors",
        {"format": "pt"},
    )
    backbone = load_backbone(f"videomae:{folder}")
    assert {parameter.dtype for parameter in backbone.module.parameters()} == {torch.float32}


def test_settings_are_read_and_written_the_same(tmp_path):
    assert parse_settings("a/b?layer=0&frames=8") == ("a/b", VideoSettings(frames=8, layer=0))
    assert str(VideoSettings(frames=8, layer=0)) == "?frames=8&layer=0"
    assert str(VideoSettings()) == ""
    for wrong, message in (
        ("m?frame=8", "unknown setting 'frame'; expected one of frames, size, layer"),
        ("m?frames=0", "setting 'frames'; expected an integer ≥ 1 with at most 9 digits, got 0"),
        ("m?size=x", "setting 'size'; expected an integer"),
        ("m?size=²", "setting 'size'"),
        ("m?frames=" + "9" * 5000, "at most 9 digits"),
        ("m?layer=", "setting 'layer'"),
    ):
        with pytest.raises(BgsError, match=message):
            parse_settings(wrong)


@pytest.mark.parametrize("asked", ["frames=999999998", "size=20000", "frames=4000&size=1024"])
def test_absurd_clips_are_refused_before_weights_are_read(tmp_path, asked):
    folder = save_tiny_video("clip", tmp_path / "m")
    (folder / "model.safetensors").unlink()
    with pytest.raises(BgsError, match="a clip would need too much memory; expected at most 1 GiB, got"):
        load_backbone(f"clip:{folder}?{asked}")


def test_a_folder_given_relatively_is_found_again_from_anywhere(tmp_path, monkeypatch):
    save_tiny_video("clip", tmp_path / "m")
    monkeypatch.chdir(tmp_path)
    source = load_backbone("clip:m?frames=2").spec.source
    assert source == f"clip:{tmp_path / 'm'}?frames=2"
    monkeypatch.chdir("/")
    assert load_backbone(source).spec.source == source
    shutil.rmtree(tmp_path / "m")
