"""Text of an existing page is never lost, and links work whatever the page is called."""

from __future__ import annotations

import pytest

from bgs import BgsError
from bgs.reports import Page, write_markdown
from bgs.reports.markdown import BEGIN, END

PAGE = Page("Title", "The lead.", "", ())


@pytest.mark.parametrize(
    "text",
    [
        f"{BEGIN}\nmine\n{BEGIN}\nold\n{END}\n",
        f"{BEGIN}\nold\n{END}\nmine\n{END}\n",
    ],
)
def test_a_comment_too_many_is_refused(tmp_path, text):
    path = tmp_path / "page.md"
    path.write_text(text)
    with pytest.raises(BgsError, match="without a place for the report"):
        write_markdown(PAGE, path, show_clips=True)
    assert path.read_text() == text


@pytest.mark.parametrize("comment", ["<!-- report-card -->", "<!-- report the broken link to Ann -->"])
def test_other_comments_do_not_begin_the_report(tmp_path, comment):
    path = tmp_path / "page.md"
    path.write_text(f"{comment}\nmine\n{BEGIN}\nold\n{END}\n")
    write_markdown(PAGE, path, show_clips=True)
    assert path.read_text() == f"{comment}\nmine\n{BEGIN}\nThe lead.\n{END}\n"
