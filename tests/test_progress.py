"""One display: bars inside bars are tasks of the outer one, gone when they are done."""

from __future__ import annotations

import logging

from bgs._progress import NoteHandler, note, progress_bar


def test_inner_bars_join_the_outer_one():
    with progress_bar() as outer:
        whole = outer.add_task("whole", total=2)
        with progress_bar() as inner:
            assert inner is outer
            inner.add_task("part", total=5, note="loss 1")
            assert len(outer.tasks) == 2
        assert outer.task_ids == [whole]
    with progress_bar() as another:
        assert another is not outer


def test_a_note_is_logged_once(caplog):
    note("a remark of this test", "a remark of this test")
    assert caplog.messages == ["a remark of this test"]
    assert caplog.records[0].name == "bgs"


def test_the_command_line_prints_notes_above_the_bars(capsys):
    logger, handler = logging.getLogger("bgs"), NoteHandler()
    logger.addHandler(handler)
    try:
        note("another remark")
        with progress_bar():
            note("a third")
    finally:
        logger.removeHandler(handler)
    assert capsys.readouterr().err == "note: another remark\nnote: a third\n"
