"""Configurations: every key once, nothing that swells, faults in one line that names file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bgs import BgsError
from bgs._yaml import parse_yaml, read_mapping

#: Nine aliases of nine aliases of ...: a few hundred bytes that stand for 9⁹ values.
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(8)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, r"c\.yaml, line 4: too many values for a configuration; expected at most 10,000 values"),
        ("a: 1\nb: 2\na: 3\n", r"c\.yaml, line 3: key 'a' is given twice; expected each key once, got it on line 1 too"),
        ("x:\n  y: {k: 1,\n      k: 1}\n", r"c\.yaml, line 3: key 'k' is given twice"),
        ("a: &a [*a]", r"c\.yaml, line 1: a value contains itself"),
        ("a: {b: &b {c: *b}}", "a value contains itself"),
        ("[" * 5000, r"c\.yaml: not a configuration: nested too deeply"),
        ("a: [1\nb: 2", r"c\.yaml, line 2: not YAML"),
        ("a: \0", r"c\.yaml: not YAML"),
        ("? [1, 2]\n: 3", "a key is not a single value"),
        ("a: 2024-13-45", r"c\.yaml: not YAML: month must be in 1\.\.12"),
        ("a: *b", r"c\.yaml, line 1: not YAML: found undefined alias"),
        ("a: !!python/object:os.system x", r"c\.yaml, line 1: not YAML"),
        ("a: 1\n---\nb: 2", "not YAML"),
        (f"a: {'9' * 5000}", "not YAML"),
        ("- a\n- b\n", "not a configuration; expected keys and values, got list"),
        ("", "expected keys and values"),
    ],
)  # fmt: skip
def test_faults_are_one_line_that_says_where(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(BgsError, match=message) as caught:
        read_mapping(tmp_path / "c.yaml")
    assert str(caught.value).isprintable()


def test_other_encodings_are_named(tmp_path: Path) -> None:
    for encoding in ("utf-16", "latin-1"):
        (tmp_path / "c.yaml").write_bytes("model: ä\n".encode(encoding))
        with pytest.raises(BgsError, match=r"c\.yaml: not UTF-8 text"):
            read_mapping(tmp_path / "c.yaml")
    (tmp_path / "c.yaml").write_bytes("model: ä\n".encode("utf-8-sig"))
    assert read_mapping(tmp_path / "c.yaml") == {"model": "ä"}


@pytest.mark.parametrize(
    "text",
    [
        "a: &a {x: 1, y: [1, 2]}\nb: {<<: *a, x: 2}\nc: [*a, *a]\n", "a: 1\nb: {a: 1}\n", "a: null\nb: ''\nc: 1.5e3\n", "3",
        "# nothing\n",
    ],
)  # fmt: skip
def test_what_is_right_is_read_as_yaml_reads_it(text: str) -> None:
    assert parse_yaml(text, "here") == yaml.safe_load(text)


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[2] / "configs").glob("*.yaml")), ids=lambda path: path.stem
)
def test_our_own_configurations_are_read_as_before(path: Path) -> None:
    assert read_mapping(path) == yaml.safe_load(path.read_text(encoding="utf-8"))
