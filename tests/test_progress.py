"""One display: bars inside bars are tasks of the outer one, gone when they are done."""

from __future__ import annotations

from bgs._progress import print_once, progress_bar


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


def test_a_note_is_printed_once(capsys):
    print_once("a remark of this test", "a remark of this test")
    assert capsys.readouterr().err == "note: a remark of this test\n"
