"""Files of other programs that are damaged in ways that their packages do not document: one line each, and nothing is written."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest

from bgs._errors import DataError
from bgs.datasets.imported import import_judgments

RESULT = "study_result_1/comp-result_1/data.txt"
TRIAL = {"trial_type": "odd-one-out", "stimuli": ["a", "b", "c"], "odd": 0, "rt": 1, "participant": "p"}


def zipped(files: dict[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def workbook(**changed: str | None) -> dict[str, bytes | str]:
    """Files of a workbook with one row; some of them changed, by the beginning of their names."""
    openpyxl = pytest.importorskip("openpyxl")
    book, data = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["participant", "stim1", "stim2", "stim3", "odd"])
    book.active.append(["p", "a", "b", "c", "a"])
    book.create_chartsheet("charts").add_chart(openpyxl.chart.BarChart())
    book.save(data)
    with zipfile.ZipFile(data) as archive:
        files: dict[str, bytes | str] = {name: archive.read(name) for name in archive.namelist()}
    for begin, (old, new) in changed.items():
        name = next(each for each in files if each.rpartition("/")[2].startswith(begin))
        text = files[name].decode()
        files[name] = text[: len(text) // 2] if old is None else text.replace(old, new)
        assert files[name] != text
    return files


def broken(data: bytes, method: int) -> bytes:
    """The compressed bytes of the first file changed, or its method."""
    start = 30 + len(RESULT)
    if method == 97:  # of no package
        return data.replace(b"\x08\x00", b"\x61\x00")
    return data[: start + 9] + bytes(255 - byte for byte in data[start + 9 : start + 25]) + data[start + 25 :]


def npy(header: str) -> bytes:
    text = header.ljust(200).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def array(values: np.ndarray) -> bytes:
    data = io.BytesIO()
    np.save(data, values)
    return data.getvalue()


def nested(depth: int) -> str:
    return "[" * depth + json.dumps(TRIAL) + "]" * depth


MANY = {RESULT: json.dumps([TRIAL] * 50)}
CASES = {
    "xml cut off": ("table", "t.xlsx", lambda: zipped(workbook(sheet1=(None, "")))),
    "styles cut off": ("table", "t.xlsx", lambda: zipped(workbook(styles=(None, "")))),
    "no sheets": ("table", "t.xlsx", lambda: zipped(workbook(workbook=("sheets>", "others>")))),
    "cell references": ("table", "t.xlsx", lambda: zipped(workbook(sheet1=('r="A2"', 'r="2"')))),
    "unknown compression": ("table", "t.xlsx", lambda: broken(zipped(workbook()), 97)),
    "npy header": ("triplets", "t.npy", lambda: npy("(" * 150)),
    "times": ("triplets", "t.npy", lambda: array(np.zeros((2, 3), dtype="m8[s]"))),
    "lzma": ("jatos", "t.zip", lambda: broken(zipped(MANY, zipfile.ZIP_LZMA), zipfile.ZIP_LZMA)),
    "deflated": ("jatos", "t.zip", lambda: broken(zipped(MANY), zipfile.ZIP_DEFLATED)),
    "long number": ("jatos", "t.zip", lambda: zipped({f"study_result_{'1' * 4400}/comp-result_1/data.txt": "[]"})),
    "names not UTF-8": ("jatos", "t.zip", lambda: zipped({"é" + RESULT: "[]"}).replace("é".encode(), b"\xff\xff")),
    "nested in an archive": ("jatos", "t.zip", lambda: zipped({RESULT: nested(960)})),
    "nested": ("jspsych", "t.json", lambda: nested(960).encode()),
    "long id": ("jspsych", "t.json", lambda: json.dumps([{**TRIAL, "participant": "x" * 10**6}]).encode()),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_damage_is_one_line_and_nothing_is_written(tmp_path, case):
    kind, name, content = CASES[case]
    (tmp_path / name).write_bytes(content())
    with pytest.raises(DataError, match=f"{name}|out"):
        import_judgments([tmp_path / name], kind, tmp_path / "out")
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_a_sheet_of_charts_has_no_cells(tmp_path):
    (tmp_path / "t.xlsx").write_bytes(zipped(workbook()))
    (tmp_path / "m.yaml").write_text("sheet: charts\n")
    with pytest.raises(DataError, match="no sheet 'charts'; expected one of Sheet"):
        import_judgments([tmp_path / "t.xlsx"], "table", tmp_path / "out", mapping=tmp_path / "m.yaml")


def test_the_undamaged_ones_are_read(tmp_path):
    """As a check on the damage."""
    for kind, name, data in (("jatos", "t.zip", zipped(MANY)), ("table", "t.xlsx", zipped(workbook()))):
        (tmp_path / name).write_bytes(data)
        found = import_judgments([tmp_path / name], kind, tmp_path / kind)
        assert found.trials is not None
