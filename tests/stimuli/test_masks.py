"""Region masks: a lossless round trip, small files, refusals; and masks from boxes and run lengths, by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bgs import BgsError
from bgs.stimuli import RegionMasks, masks_of, read_masks, write_masks
from bgs.stimuli.boxes import Box, paint, regions_from_boxes
from bgs.stimuli.masks import mask_path
from bgs.stimuli.run_lengths import RunLengths, read_run_lengths, unpacked

NAMES = ("background", "agent", "object")


def discs(frames: int = 90, size: int = 128) -> RegionMasks:
    """Two agents and two objects that drift through the picture."""
    y, x = np.mgrid[:size, :size]
    labels = np.zeros((frames, size, size), np.uint8)
    for t in range(frames):
        for k, (down, across) in enumerate(((0.7, 0.3), (0.2, 0.5), (0.4, 0.8), (0.6, 0.6))):
            labels[t][np.hypot(y - size * down - t / 4, x - size * across + t / 5) < 9] = 1 + k // 2
    return RegionMasks(labels, NAMES)


@settings(max_examples=60, deadline=None)
@given(
    labels=st.tuples(*[st.integers(1, 5)] * 3).flatmap(
        lambda shape: arrays(np.uint8, shape, elements=st.integers(0, 2))
    )
)
def test_any_masks_come_back_as_they_were(labels, tmp_path_factory):
    path = tmp_path_factory.mktemp("masks") / "a.safetensors"
    write_masks(path, RegionMasks(labels, NAMES))
    found = read_masks(path)
    np.testing.assert_array_equal(found.labels, labels)
    assert (found.labels.dtype, found.names) == (np.uint8, NAMES)


def test_runs_longer_than_sixteen_bits(tmp_path):
    labels = np.zeros((5, 128, 128), np.uint8)
    labels[4, 100, 3] = 255
    masks = RegionMasks(labels, tuple(f"region {k}" for k in range(256)))
    write_masks(tmp_path / "a.safetensors", masks)
    np.testing.assert_array_equal(read_masks(tmp_path / "a.safetensors").labels, labels)


def test_a_clip_takes_some_tens_of_kilobytes(tmp_path):
    masks = discs()
    write_masks(mask_path(tmp_path, "films/one.mp4"), masks)
    assert (tmp_path / "masks" / "films" / "one.safetensors").stat().st_size < 60_000  # 1.5 MB of labels
    np.testing.assert_array_equal(masks_of(tmp_path, "films/one.mp4").labels, masks.labels)
    assert mask_path(tmp_path, "no.ending").name == "no.ending.safetensors"


@pytest.mark.parametrize(
    ("labels", "names", "message"),
    [
        (np.full((1, 2, 2), 2, np.uint8), ("a", "b"), "got label 2, expected|label 2"),
        (np.zeros((1, 2, 2), np.uint8), ("a", "a"), "distinct names"),
        (np.zeros((0, 2, 2), np.uint8), ("a",), "without pixels"),
    ],
)
def test_impossible_masks(labels, names, message):
    with pytest.raises(BgsError, match=message):
        RegionMasks(labels, names)


def test_files_that_hold_no_masks(tmp_path):
    from safetensors.numpy import save_file

    with pytest.raises(BgsError, match="no such mask file"):
        masks_of(tmp_path, "a.mp4")
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"nothing")
    with pytest.raises(BgsError, match="not a mask file"):
        read_masks(path)
    save_file({"x": np.zeros(3)}, path)
    with pytest.raises(BgsError, match="expected bgs-masks/1"):
        read_masks(path)
    runs = {"lengths": np.array([3], np.uint16), "values": np.array([0], np.uint8)}
    header = {"format": "bgs-masks/1", "shape": "[1, 2, 2]", "names": '["a"]'}
    save_file(runs, path, metadata=header)
    with pytest.raises(BgsError, match="damaged mask file"):
        read_masks(path)
    save_file(runs, path, metadata=header | {"shape": "[1, 3"})
    with pytest.raises(BgsError, match="its header"):
        read_masks(path)


# --- boxes ---------------------------------------------------------------------------------------------------


def coco(**changes: object) -> dict[str, object]:
    """Two frames of clip ``a`` (8 × 4 pixels): a person left, in the first a ball in the person's corner."""
    images = [
        {"id": 7, "file_name": "a/2.jpg", "frame_index": 20, "width": 8, "height": 4},
        {"id": 3, "file_name": "a/1.jpg", "frame_index": 10, "width": 8, "height": 4},
        {"id": 9, "video": "b.mp4", "width": 8, "height": 4},
    ]
    annotations = [
        {"image_id": 3, "category_id": 44, "bbox": [0, 0, 1, 1]},
        {"image_id": 3, "category_id": 1, "bbox": [0, 0, 3, 4]},
        {"image_id": 7, "category_id": 1, "bbox": [6.4, 2, 50, 50]},
    ]
    categories = [{"id": 1, "name": "person"}, {"id": 44, "name": "ball"}]
    return {"images": images, "annotations": annotations, "categories": categories} | changes


def write(path, content) -> object:
    path.write_text(json.dumps(content))
    return path


def test_boxes_become_masks(tmp_path):
    found = regions_from_boxes(write(tmp_path / "boxes.json", coco()), side=4)
    assert set(found) == {"a", "b"}
    assert found["a"].names == ("background", "person", "ball")
    first, second = np.zeros((2, 4, 8), np.uint8)
    first[:, :3], first[0, 0] = 1, 2  # the smaller box is on top, whatever the order
    second[2:, 6:] = 1  # pixel 6 has its centre at 6.5, inside
    np.testing.assert_array_equal(found["a"].labels, [first, second])
    assert not found["b"].labels.any()


def test_boxes_at_another_size(tmp_path):
    found = regions_from_boxes(write(tmp_path / "boxes.json", coco()), side=40)["a"]
    assert found.labels.shape == (2, 40, 80)
    assert (found.labels[0] == 1).sum() == 40 * 30 - 100
    assert (found.labels[0] == 2).sum() == 100


def test_a_box_covers_the_pixels_whose_centre_it_holds():
    np.testing.assert_array_equal(
        paint([Box(0.24, 0.0, 0.76, 1.0, 1)], (1, 10)), [[0, 0, 1, 1, 1, 1, 1, 1, 0, 0]]
    )
    assert not paint([Box(1.2, 0.0, 1.5, 1.0, 1)], (2, 2)).any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"categories": "person"}, "expected a list 'categories'"),
        ({"annotations": [{"image_id": 3, "bbox": [0, 0, 1, 1]}]}, r"annotations\[0\] has no 'category_id'"),
        ({"annotations": [{"image_id": 5, "category_id": 1, "bbox": [0, 0, 1, 1]}]}, "refers to image 5"),
        ({"annotations": [{"image_id": 3, "category_id": 2, "bbox": [0, 0, 1, 1]}]}, "refers to category 2"),
        ({"annotations": [{"image_id": 3, "category_id": 1, "bbox": [0, 1]}]}, "not a box"),
        ({"annotations": [{"image_id": 3, "category_id": 1, "bbox": [0, 0, -1, 1]}]}, "invalid box"),
        ({"images": [{"id": 3, "width": 8, "height": 4}], "annotations": []}, "does not name its clip"),
        ({"images": [{"id": 3, "width": "8", "height": 4}]}, r"images\[0\]: invalid size; got 8 × 4"),
        ({"images": [{"id": 3, "width": 8, "height": 0}]}, r"images\[0\]: invalid size"),
        ({"annotations": [{"image_id": 3, "category_id": 1}]}, r"annotations\[0\]: neither 'bbox' nor"),
        (
            {
                "images": [
                    {"id": i, "video": "a", "frame_index": f, "width": 8, "height": 4}
                    for i, f in enumerate((0, 1, 3))
                ],
                "annotations": [],
            },
            "not equally spaced",
        ),
    ],
)
def test_box_files_that_contradict_themselves(tmp_path, changes, message):
    with pytest.raises(BgsError, match=message):
        regions_from_boxes(write(tmp_path / "boxes.json", coco(**changes)))


def test_no_box_file(tmp_path):
    with pytest.raises(BgsError, match="cannot read"):
        regions_from_boxes(tmp_path / "boxes.json")
    (tmp_path / "boxes.json").write_text("{")
    with pytest.raises(BgsError, match="not JSON"):
        regions_from_boxes(tmp_path / "boxes.json")


# --- run lengths ---------------------------------------------------------------------------------------------


def runs_of(pixels: np.ndarray) -> list[int]:
    """Lengths of the runs down the columns, pixel by pixel; the first is outside."""
    counts, inside = [0], False
    for pixel in pixels.T.reshape(-1).tolist():
        if pixel != inside:
            counts.append(0)
            inside = pixel
        counts[-1] += 1
    return counts


def packed(counts: list[int]) -> str:
    """COCO's string: five bits a character, from the fourth number on differences to the last but one."""
    text = ""
    for k, count in enumerate(counts):
        left = count - counts[k - 2] if k > 2 else count
        while True:
            bits, left = left & 31, left >> 5
            last = left == (-1 if bits & 16 else 0)
            text += chr(48 + bits + (0 if last else 32))
            if last:
                break
    return text


def masked(pixels: np.ndarray, counts: object) -> RunLengths:
    return read_run_lengths({"size": list(pixels.shape), "counts": counts}, pixels.shape, 1, "here")


@settings(max_examples=80, deadline=None)
@given(
    pixels=st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(lambda shape: arrays(np.bool_, shape)),
    tall=st.integers(1, 60),
    size=st.tuples(st.integers(1, 12), st.integers(1, 12)),
)
def test_run_lengths_of_both_kinds_come_back_at_any_size(pixels, tall, size):
    pixels = np.repeat(pixels, tall, axis=0)
    counts = runs_of(pixels)
    assert unpacked(packed(counts), "here") == counts
    for found in (masked(pixels, counts), masked(pixels, packed(counts))):
        np.testing.assert_array_equal(found.covered(pixels.shape), pixels)
        assert found.area == pytest.approx(pixels.mean())
        small = found.covered(size)
        for i, j in np.ndindex(size):  # the pixel that the centre lies in
            row, column = int((i + 0.5) * len(pixels) / size[0]), int((j + 0.5) * pixels.shape[1] / size[1])
            assert small[i, j] == pixels[row, column]


def test_what_pycocotools_writes_is_read():
    """Strings that its ``encode`` gave."""
    blob = np.zeros((6, 9), bool)
    blob[1:4, 2:7] = blob[5, 8] = blob[0, 0] = True
    np.testing.assert_array_equal(masked(blob, "01<2G0000000:N").covered((6, 9)), blob)
    below = np.arange(40)[:, None] // 20 == np.ones((1, 3))
    np.testing.assert_array_equal(masked(below, "d0d0d0000").covered((40, 3)), below)
    for counts, area in (("`WWc0", 0.0), ("0`WWc0", 1.0)):
        assert masked(np.zeros((700, 900), bool), counts).area == area


def test_run_lengths_become_masks(tmp_path):
    ball = {"size": [4, 8], "counts": [4, 2, 2, 2, 22]}  # rows 0 and 1 of columns 1 and 2
    annotations = [
        {"image_id": 3, "category_id": 1, "bbox": [0, 0, 3, 4]},
        {"image_id": 3, "category_id": 44, "bbox": [0, 0, 8, 4], "segmentation": ball},
        {"image_id": 7, "category_id": 44, "segmentation": ball | {"counts": packed(ball["counts"])}},
        {"image_id": 9, "category_id": 1, "bbox": [0, 0, 8, 1], "segmentation": [[0, 0, 8, 0, 8, 1]]},
    ]
    found = regions_from_boxes(write(tmp_path / "masks.json", coco(annotations=annotations)), side=4)
    first, second = np.zeros((2, 4, 8), np.uint8)
    first[:, :3] = 1
    first[:2, 1:3] = second[:2, 1:3] = 2
    np.testing.assert_array_equal(found["a"].labels, [first, second])
    assert found["b"].labels[0, :2].tolist() == [[1] * 8, [0] * 8]  # a polygon counts as its box


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": [8, 4]}, r"the size of the mask differs from the image; expected \[4, 8\], got \[8, 4\]"),
        ({"size": None}, "the size of the mask differs from the image"),
        ({"counts": [4, 2]}, "counts do not fill the image; expected 32, got 6"),
        ({"counts": [40, -8]}, "invalid counts of a mask; expected integers ≥ 0"),
        ({"counts": [16.0, 16]}, "counts of a mask"),
        ({"counts": None}, "counts of a mask"),
        ({"counts": "0~"}, "invalid character in a compressed mask; got '~' at 1|'~' at 1"),
        ({"counts": "0P"}, "ends within a number"),
        ({"counts": "0@"}, "counts of a mask"),
    ],
)
def test_run_lengths_that_contradict_themselves(tmp_path, changes, message):
    entry = {"image_id": 3, "category_id": 1, "segmentation": {"size": [4, 8], "counts": [32]} | changes}
    with pytest.raises(BgsError, match=rf"m\.json: annotations\[0\]\.segmentation: .*({message})"):
        regions_from_boxes(write(tmp_path / "m.json", coco(annotations=[entry])))


def test_regions_put_together():
    labels = np.array([[[0, 1], [2, 3]]], np.uint8)
    masks = RegionMasks(labels, ("background", "agent A", "object", "agent B")).merged(
        {"agent A": "agents", "agent B": "agents"}
    )
    assert masks.names == ("background", "agents", "object")
    assert masks.labels.tolist() == [[[0, 1], [2, 1]]]
