"""One display: bars inside bars are tasks of the outer one, gone when they are done."""

from __future__ import annotations

import logging

import pytest

from bgs import _progress
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


def test_progress_is_logged_where_nobody_watches_a_terminal(caplog, monkeypatch):
    """Half a second a clip once 200 of 1,102 were found; one line each half minute, with the tasks around it."""
    now = [0.0]
    monkeypatch.setattr(_progress, "monotonic", lambda: now[0])
    with progress_bar() as bar:
        whole = bar.add_task("cell 1/2", total=2, note="base")
        task = bar.add_task("reading clips", total=1102)
        bar.advance(task, 200)
        for _ in range(200):
            now[0] += 0.5
            bar.advance(task)
        bar.update(whole, completed=2)
        bar.remove_task(task)
        now[0] += 60
        bar.update(whole, note="done")
    assert caplog.messages == [
        "cell 1/2 0/2, base; reading clips 260/1,102, 2.0/s, 7 min 1 s left",
        "cell 1/2 0/2, base; reading clips 320/1,102, 2.0/s, 6 min 31 s left",
        "cell 1/2 0/2, base; reading clips 380/1,102, 2.0/s, 6 min 1 s left",
    ]
    assert {record.name for record in caplog.records} == {"bgs"}


@pytest.mark.parametrize(("seconds", "text"), [(7, "7 s"), (278, "4 min 38 s"), (7260, "2 h 1 min")])
def test_durations(seconds, text):
    assert _progress._duration(seconds) == text


def test_what_takes_long_is_told_by_its_time(caplog, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(_progress, "monotonic", lambda: now[0])
    with progress_bar() as bar:
        task = bar.add_task("tuning", total=4)
        for epoch in range(3):
            now[0] += 40
            bar.update(task, completed=epoch + 1, note="loss 0.500")
    assert caplog.messages == [
        "tuning 1/4, loss 0.500",
        "tuning 2/4, 40.0 s each, 1 min 20 s left, loss 0.500",
        "tuning 3/4, 40.0 s each, 40 s left, loss 0.500",
    ]


def test_silence_is_kept(caplog, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(_progress, "monotonic", lambda: now[0])
    _progress.be_quiet()
    try:
        with progress_bar() as bar:
            task = bar.add_task("reading clips", total=2)
            now[0] += 100
            bar.advance(task)
    finally:
        _progress.be_quiet(False)
    assert caplog.messages == []
