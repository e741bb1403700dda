"""Faces and bodies: the geometry of boxes and squares by hand, and the models on a portrait in the public domain."""

from __future__ import annotations

import sys
import zipfile
from importlib.util import find_spec

import numpy as np
import pytest

from bgs._errors import BgsError
from bgs._optional import MissingExtraError
from bgs.detectors import open_detector, tflite
from bgs.detectors.faces_and_bodies import FacesAndBodies, _Square
from bgs.detectors.single_shot import Detection, SingleShotDetector
from bgs.stimuli.decoding import whole_frames
from clips import write_clip


class Fixed(tflite.TfliteModel):
    """A network that puts one box, of a tenth of the picture, around the centre of the given cells of a 4 × 4 grid."""

    side = 40

    def __init__(self, *cells: int, logit: float = 3.0) -> None:
        self.boxes = np.tile(np.array([0, 0, 4, 4, 2, -2], np.float32), (16, 1))
        self.logits = np.full((16, 1), -9, np.float32)
        for rank, cell in enumerate(cells):
            self.logits[cell] = logit - rank
        self.seen: np.ndarray | None = None

    def __call__(self, picture: np.ndarray) -> dict[str, np.ndarray]:
        self.seen = picture
        return {"boxes": self.boxes, "scores": self.logits}


def test_boxes_are_in_pixels_of_the_frame():
    """A frame of 60 × 80 is halved and has five rows of black above and below."""
    network = Fixed(6)
    (found,) = SingleShotDetector(network, [(4, 1)], ("boxes", "scores"))(np.full((60, 80, 3), 255, np.uint8))
    assert network.seen is not None
    assert network.seen.shape == (40, 40, 3)
    assert (network.seen[:5].max(), network.seen[5:35].min(), network.seen[35:].max()) == (-1, 1, -1)
    np.testing.assert_allclose(
        (found.low, found.high), [(46, 16), (54, 24)]
    )  # row 1, column 2: (25, 15) of 40
    np.testing.assert_allclose(found.keypoints, [(54, 16)])
    assert found.score == pytest.approx(1 / (1 + np.exp(-3)))


def test_of_boxes_in_one_place_the_best_is_kept():
    network = Fixed(6, 9, 5)
    network.boxes[5] = [10, 0, 4, 4, 2, -2]  # onto that of cell 6
    detector = SingleShotDetector(network, [(4, 1)], ("boxes", "scores"))
    found = detector(np.zeros((40, 40, 3), np.uint8))
    np.testing.assert_allclose([each.low + 2 for each in found], [(25, 15), (15, 25)])
    assert not SingleShotDetector(Fixed(6, logit=-1), [(4, 1)], ("boxes", "scores"))(
        np.zeros((40, 40, 3), np.uint8)
    )


@pytest.mark.parametrize("turn", [0.0, 0.7, -2.0])
def test_a_square_is_cut_out_and_put_back(turn):
    """A person whose head points in any direction is upright in the square, and lands where it was."""
    up, centre = np.array([np.sin(turn), -np.cos(turn)]), np.array([50.0, 60.0])
    y, x = np.indices((120, 100)) + 0.5
    head = np.hypot(x - (centre + 15 * up)[0], y - (centre + 15 * up)[1]) < 6
    frame = np.repeat(np.uint8(255 * head)[..., None], 3, axis=2)
    square = _Square(Detection(1.0, centre, centre, np.stack([centre, centre + 20 * up])), 128)
    cut = square.cut(frame)
    rows, columns = np.nonzero(cut[..., 0] > 0.5)
    assert columns.mean() + 0.5 == pytest.approx(64, abs=1)
    assert rows.mean() + 0.5 == pytest.approx(64 - 15 * 128 / 50, abs=1)
    back = square.put_back(cut[..., 0].astype(np.float64), head.shape)
    assert ((back > 0.5) == head).mean() > 0.995


def test_models_that_are_not_there_say_what_to_do(tmp_path, monkeypatch):
    download = r"\(`pip download --no-deps .*mediapipe==0\.10\.21`, then `--models <the \.whl file>`\)$"
    with pytest.raises(
        BgsError, match=rf"no such file or folder; expected the wheel of mediapipe .*{download}"
    ):
        FacesAndBodies(tmp_path / "mediapipe.whl")
    with pytest.raises(BgsError, match=f"no model mediapipe/modules/face_detection/.* in it; .*{download}"):
        FacesAndBodies(tmp_path)
    (tmp_path / "torn.whl").write_bytes(b"PK")
    with pytest.raises(BgsError, match=f"torn.whl: no model .*{download}"):
        FacesAndBodies(tmp_path / "torn.whl")
    with zipfile.ZipFile(tmp_path / "other.whl", "w") as wheel:
        for name in tflite.MODELS:
            wheel.writestr(f"mediapipe/modules/{name}", b"another model")
    with pytest.raises(
        BgsError, match=f"damaged or of another release; expected mediapipe 0.10.21 {download}"
    ):
        FacesAndBodies(tmp_path / "other.whl")
    monkeypatch.setattr(tflite, "find_spec", lambda name: None)
    with pytest.raises(BgsError, match=f"^the models of the detector are missing.*{download}"):
        FacesAndBodies()


def test_the_runtime_is_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    with pytest.raises(
        MissingExtraError, match=r"needs the package 'ai_edge_litert' \(pip install 'bgs-video\[mediapipe\]'"
    ):
        tflite.TfliteModel(b"")


@pytest.fixture(scope="module")
def detector() -> FacesAndBodies:
    """With the models of the installed package."""
    pytest.importorskip("ai_edge_litert")
    if find_spec("mediapipe") is None:
        pytest.skip("the models are in the wheel of mediapipe")
    return FacesAndBodies()


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    """Eileen Collins, 512 × 512 (NASA, public domain)."""
    return pytest.importorskip("skimage.data").astronaut()


#: Places (x, y) in the portrait.
FACE, BODY = [(224, 120), (205, 105), (245, 140)], [(150, 330), (300, 400), (224, 60), (110, 450)]
GROUND = [(330, 60), (130, 60), (490, 120), (20, 20)]
#: The box from brows to chin, drawn by hand: left, top, right, bottom.
BOX = (173, 68, 278, 172)


def found_at(labels: np.ndarray, places: list[tuple[int, int]]) -> set[int]:
    return {int(labels[y, x]) for x, y in places}


def test_a_portrait(detector, portrait):
    (labels,) = detector([portrait]).labels
    assert (found_at(labels, FACE), found_at(labels, BODY), found_at(labels, GROUND)) == ({1}, {2}, {0})
    truth = np.zeros(labels.shape, bool)
    truth[BOX[1] : BOX[3], BOX[0] : BOX[2]] = True
    assert ((labels == 1) & truth).sum() / ((labels == 1) | truth).sum() > 0.8


def test_two_people_in_a_clip(detector, portrait, tmp_path):
    """Side by side and mirrored, moving down, with everything that decoding does to a clip."""
    pair = np.hstack([portrait[:, :400], portrait[:, 379::-1]])
    frames = [np.pad(pair, ((10 * t, 0), (0, 0), (0, 0)), mode="edge")[:512] for t in range(4)]
    masks = detector(whole_frames(write_clip(tmp_path / "two.mp4", frames), 256))
    assert masks.names == ("background", "face", "body")
    assert masks.labels.shape == (4, 256, 390)
    for t, labels in enumerate(masks.labels):
        for x in (224, 780 - 224):
            assert labels[(120 + 10 * t) // 2, x // 2] == 1
            assert labels[(330 + 10 * t) // 2, x // 2] == 2
        assert labels[(60 + 10 * t) // 2, 340 // 2] == 0


@pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket"])
def test_nobody_is_there(detector, name):
    """A cat, a cup and a rocket, and what is grey or noise."""
    picture = getattr(pytest.importorskip("skimage.data"), name)()
    noise = np.random.default_rng(0).integers(0, 256, picture.shape, dtype=np.uint8)
    assert not detector([picture, np.full_like(picture, 128), noise]).labels.any()


def test_the_wheel_serves_as_well(detector, portrait, tmp_path):
    with zipfile.ZipFile(tmp_path / "m.whl", "w") as wheel:
        for name, content in tflite.model_bytes().items():
            wheel.writestr(f"mediapipe/modules/{name}", content)
    again = open_detector("mediapipe", tmp_path / "m.whl")
    np.testing.assert_array_equal(again([portrait]).labels, detector([portrait]).labels)
