"""Who a model is: by its weights, settings, adapter and centre, not by where it lies."""

import shutil

import pytest

from bgs._errors import DataError
from bgs.runs.opened_model import open_model
from bgs.runs.run_folder import RunFolder
from tiny_models import save_tiny_video


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return save_tiny_video("videomae", tmp_path_factory.mktemp("encoder"))


def test_a_moved_checkpoint_is_the_same_model(checkpoint, tmp_path):
    moved = shutil.copytree(checkpoint, tmp_path / "moved")
    assert open_model(f"videomae:{checkpoint}").identity == open_model(f"videomae:{moved}").identity


def test_other_settings_or_weights_are_another_model(checkpoint):
    references = [f"videomae:{checkpoint}{more}" for more in ("", "?layer=1", "?weights=random&seed=1")]
    assert len({open_model(reference).identity for reference in references}) == 3


def test_models_without_weights_are_known_by_their_names():
    assert open_model("pixels:").identity != open_model("motion:").identity


@pytest.mark.parametrize("centred", [True, False])
def test_a_centre_that_is_gone_is_not_done_without(tmp_path, centred):
    folder = RunFolder(tmp_path)
    folder.config.write_text(
        f"model: tiny-videomae\ndata: quickstart\nevaluation: {{center: {str(centred).lower()}}}\n"
    )
    if not centred:
        assert folder.read_center() is None
        return
    with pytest.raises(DataError, match=r"center.safetensors: the centre of this model is missing"):
        folder.read_center()
