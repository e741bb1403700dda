"""The code of docs/python.md and of the README runs, with a tiny encoder, a small study and one epoch."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def blocks(page: str) -> str:
    """All Python of a page, in order; what is marked ``notest`` takes hours."""
    found = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return "\n".join(found)


@pytest.mark.parametrize("page", ["docs/python.md", "README.md"])
def test_the_code_runs(page, tiny_text, small_study, tmp_path, monkeypatch, capsys):
    """Names stand for small things, and nothing else is changed."""
    monkeypatch.chdir(tmp_path)
    code = blocks(page)
    for name, small in (
        ('"garcia-isik-2025"', repr(str(small_study))),
        ('"text:minilm"', repr(f"text:{tiny_text}")),
        ("epochs=30", 'epochs=1, views=1, validation={"fraction": 0.5, "every": 1}'),
    ):
        assert name in code
        code = code.replace(name, small)
    exec(compile(code, page, "exec"), {})
    printed = capsys.readouterr().out
    assert "held-out-pairs" in printed
    assert "ceiling" in printed
