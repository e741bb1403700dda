"""Files named after stimuli can be written whatever the ids are, and no two are one file."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bgs.stimuli.stems import file_stems

NASTY = [
    "a/b", "a_b", "a\\b", "A_b", "a.mp4", "a.avi", "a", "." * 3, "..", ".", "", "/", "/etc/passwd", "../../x", ".x",
    "x" * 300, "x" * 299 + "y", "ü" * 300, "\0", "a\nb", "con", "-", "a-0123456789ab", "🎬" * 80,
]  # fmt: skip


def test_plain_ids_keep_their_names() -> None:
    ids = ["clip-01.mp4", "people/dinner.webm", "Zoë.1"]
    assert list(file_stems(ids).values()) == ["clip-01", "people_dinner", "Zoë.1"]


def test_nasty_ids_can_all_be_written(tmp_path: Path) -> None:
    stems = file_stems(NASTY)
    for stem in stems.values():
        (tmp_path / f".long-name-of-a-model-{stem}.png.12345678.part").touch()
        (tmp_path / f"{stem}.png").touch(exist_ok=False)
    assert len(list(tmp_path.iterdir())) == 2 * len(NASTY)


def test_a_name_does_not_depend_on_ids_it_shares_nothing_with() -> None:
    assert file_stems(["x" * 300]) == {"x" * 300: file_stems(NASTY)["x" * 300]}


@given(st.lists(st.text(max_size=6) | st.text("ab/_.A", max_size=4), unique=True))
def test_no_two_ids_share_a_file(ids: list[str]) -> None:
    stems = file_stems(ids)
    assert list(stems) == ids
    assert len({stem.casefold() for stem in stems.values()}) == len(ids)
    assert all(stem and "/" not in stem and "\0" not in stem and stem[0] != "." for stem in stems.values())
