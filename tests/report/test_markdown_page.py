"""The page as Markdown: figures beside it, text around it kept, nothing of the clips where they may not be shown."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from report_pages import HOSTILE, page

from bgs import BgsError
from bgs.reports import write_markdown
from bgs.reports.markdown import BEGIN, END


def test_a_new_page_has_its_title_and_its_figures_beside_it(tmp_path):
    write_markdown(page(), tmp_path / "study.md", show_clips=True)
    text = (tmp_path / "study.md").read_text(encoding="utf-8")
    assert text.startswith(
        f"# A page {HOSTILE}\n\n{BEGIN}\n> SIMULATED observers and clips.\n\n**Which of these"
    )
    links = re.findall(r"!\[.*?\]\((figures/study/.*?)\)", text)
    assert sorted(links) == sorted(
        path.relative_to(tmp_path).as_posix() for path in (tmp_path / "figures/study").iterdir()
    )
    assert {"figures/study/opening.jpg", "figures/study/headline.svg", "figures/study/geometry-2.svg"} <= set(
        links
    )
    assert "| undefined | n/a |  |" in text
    assert "<sub>One. Two.</sub>" in text
    assert text.endswith(f"2 cells, 3 minutes.\n{END}\n")


def test_only_the_part_between_the_comments_is_replaced(tmp_path):
    path = tmp_path / "study.md"
    path.write_text(
        f"# Mine\n\nBefore.\n\n<!-- report: by an older version -->\nold\n{END}\n\nAfter.\n", encoding="utf-8"
    )
    write_markdown(page(), path, show_clips=True)
    once = path.read_text(encoding="utf-8")
    assert once.startswith(f"# Mine\n\nBefore.\n\n{BEGIN}\n")
    assert once.endswith(f"{END}\n\nAfter.\n")
    assert "old" not in once.partition("### ")[0]
    write_markdown(page(), path, show_clips=True)
    assert path.read_text(encoding="utf-8") == once


def test_text_of_the_data_cannot_end_the_report(tmp_path):
    lead = rf"\\1 {END} {BEGIN}"
    for _ in range(2):
        write_markdown(replace(page(), lead=lead), tmp_path / "study.md", show_clips=False)
    text = (tmp_path / "study.md").read_text(encoding="utf-8")
    assert text.count(END) == text.count(BEGIN) == 1
    assert "\\1 &lt;!-- /report" in text


@pytest.mark.parametrize("text", ["My notes.", f"{BEGIN}{END} {BEGIN}{END}"])
def test_a_file_without_a_single_place_is_left_alone(tmp_path, text):
    path = tmp_path / "notes.md"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BgsError, match=r"notes\.md: an existing file without a place for the report"):
        write_markdown(page(), path, show_clips=True)
    assert path.read_text(encoding="utf-8") == text
    assert list(tmp_path.iterdir()) == [path]


def test_clips_that_may_not_be_shown_are_neither_shown_nor_named(tmp_path):
    whole = page()
    table = replace(whole.sections[0].tables[0], naming=(0,))
    first = replace(whole.sections[0], tables=(table,))
    write_markdown(
        replace(whole, title="T", sections=(first, *whole.sections[1:])),
        tmp_path / "study.md",
        show_clips=False,
    )
    text = (tmp_path / "study.md").read_text(encoding="utf-8")
    figures = {path.name for path in (tmp_path / "figures/study").iterdir()}
    assert figures == {"headline.svg", "gap-1.svg", "geometry-1.svg", "parts-1.svg", "parts-2.svg"}
    assert not re.search(r"clip-\d", text)
    assert HOSTILE not in text
    assert "Which of these" not in text
    assert ".310 [.210, .410]" in text
