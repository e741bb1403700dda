"""`make bench`: its rows, its table, its cost model; and, slow, all of its parts at their smallest."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bgs import BgsError

ROOT = Path(__file__).parents[1]
PARTS = ["convergence", "costs", "page", "rows", "table", "timing", "updates"]
with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(str(ROOT / "benchmarks"))
    bench, convergence, costs, page, rows, table, timing, updates = map(
        importlib.import_module, ["bench", *(f"parts.{name}" for name in PARTS)]
    )


def row(key: str = "a: x", median: float = 2.0, target: object = None, **more: object):
    return rows.Row(key, "this beside that", rows.Spread(median, 1.5, 2.5, 3), target=target, **more)


def test_a_run_that_never_gets_as_good_has_the_ratio_0():
    found = convergence.ratios_of([[1.0, 2.0, 1.0], [30.0, 10.0, 50.0]], [True, True, False])
    assert (found.low, found.median, found.high) == (0.0, 5.0, 30.0)


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_the_exponent_of_growth_is_that_of_a_power(exponent):
    sizes = np.array([50, 200, 800, 3200])
    assert rows.growth_exponent(sizes, 0.3 * sizes**exponent) == pytest.approx(exponent)


@pytest.mark.parametrize(("sizes", "costs"), [([5], [1]), ([5, 5], [1, 2]), ([1, 2], [0, 1])])
def test_no_exponent_without_growth(sizes, costs):
    with pytest.raises(ValueError, match="no growth"):
        rows.growth_exponent(sizes, costs)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.00123456, "0.00123"), (0.9996, "1.00"), (1.0, "1.00"), (12.345, "12.3"), (99.96, "100"),
     (123.4, "123"), (12_345, "12,300"), (-3.14159, "-3.14")],
)  # fmt: skip
def test_numbers_have_three_digits(value, text):
    assert table.number(value) == text


def test_a_row_survives_the_file_and_says_what_it_missed():
    kept, missed = (row(target=rows.Target("≥", bound), ours=1.0, theirs=2.0) for bound in (2, 2.1))
    assert rows.Row.from_json(json.loads(json.dumps(missed.as_json()))) == missed
    assert (kept.missed, missed.missed, row().missed) == (False, True, False)
    assert rows.Target("≤", 1.1).met(1.1)
    assert not rows.Target("≤", 1.1).met(1.2)
    expected = [
        "a: x",
        "this beside that",
        "1.00 s",
        "2.00 s",
        "2.00 × [1.50, 2.50]",
        "3",
        "**missed** ≥ 2.1",
    ]
    assert table.cells(missed) == expected
    assert table.cells(row())[2:4] == ["", ""]


def test_a_ratio_is_taken_within_rounds():
    found = timing.ratio_row("k", "w", [1.0, 2.0, 4.0], [10.0, 10.0, 10.0], scale=1e3, unit="ms")
    assert found.figure == rows.Spread(5.0, 2.5, 10.0, 3)
    assert (found.ours, found.theirs) == (2000, 10_000)
    assert timing.ratio_row("k", "w", [4.0], [2.0], inverse=True).figure.median == 2


def test_competitors_alternate_after_a_round_that_is_not_counted():
    called = []
    spent = timing.in_turns({name: lambda name=name: called.append(name) for name in "ab"}, 3)
    assert "".join(called) == "ab" + "ab" + "ba" + "ab"
    assert {name: len(times) for name, times in spent.items()} == {"a": 3, "b": 3}


def test_costs_of_the_published_study():
    study = costs.PUBLISHED
    assert study.per_trial_encodings == 37_284
    assert study.full_forwards() == 640 - 32
    assert costs.Study(6, 30).full_forwards() == 18  # one micro-batch, encoded once
    assert study.per_trial_forwards() == 9 * 12_380 + 6 * (3 * 6 + 18)
    assert study.least_forwards() == 480


def test_flops_are_those_that_torch_counts():
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from bgs.backbones import load_backbone

    backbone, network = load_backbone("tiny:videomae"), costs.NETWORKS[0]
    with FlopCounterMode(display=False) as counter:
        backbone.forward(torch.zeros((2, network.frames, network.size, network.size, 3), dtype=torch.uint8))
    attention = (
        4 * network.depth * network.tokens**2 * network.width
    )  # of which torch counts none on processors
    assert counter.get_total_flops() == 2 * (network.forward_flops - attention)


def test_encodings_are_those_that_are_made():
    """The last micro-batch, of two clips here, is not encoded again."""
    for method, again in (
        (updates.full_geometry(6, 30, micro_batch=2), 6 - 2),
        (updates.per_trial(6, 30), 0),
    ):
        made, forward = [], method.backbone.forward
        method.backbone.forward = lambda clips, forward=forward, made=made: (
            made.append(len(clips)) or forward(clips)
        )
        for update in range(method.updates_per_epoch):
            method.accumulate(0, update)
        assert sum(made) == costs.epoch_encodings(method) + again


def test_a_part_that_fails_or_hangs_is_told(capsys):
    found, error = bench.run_part("nothing", "smallest")
    assert found == []
    assert "invalid choice: 'nothing'" in error
    assert bench.run_part("start", "smallest", limit=0.01) == ([], "not finished after 0 s")
    assert "invalid choice" in capsys.readouterr().err


def test_a_run_that_was_stopped_goes_on_and_tries_failed_parts_again(tmp_path, monkeypatch):
    asked, out = [], tmp_path / "bench.json"
    monkeypatch.setattr(bench, "machine", lambda: {"commit": "1", "processor": "p", "cores": 2})

    def run_part(name, size):
        asked.append(name)
        if len(asked) == 3:
            raise KeyboardInterrupt
        letter = "abcdefgh"[bench.PARTS.index(name)]
        return ([], "no") if len(asked) == 2 else ([row(f"{letter}: {len(asked)}")], None)

    monkeypatch.setattr(bench, "run_part", run_part)
    with pytest.raises(KeyboardInterrupt):
        bench.run_all(bench.PARTS, "quick", out)
    assert [*json.loads(out.read_text())["failures"]] == [bench.PARTS[1]]
    found = bench.run_all(bench.PARTS, "quick", out)
    assert tuple(asked) == (*bench.PARTS[:3], *bench.PARTS[1:])
    assert found == json.loads(out.read_text())
    assert [one["key"][0] for one in found["rows"]] == list("abcdefgh")
    assert not found["failures"]
    bench.run_all(bench.PARTS[:1], "quick", out)  # of a finished one, others stay
    assert asked[-1] == bench.PARTS[0]
    again = json.loads(out.read_text())
    assert [one["key"] for one in again["rows"]] == [
        f"a: {len(asked)}",
        *(r["key"] for r in found["rows"][1:]),
    ]
    assert again["seconds"].keys() == {*bench.PARTS}
    monkeypatch.setattr(bench, "machine", lambda: {"commit": "2", "processor": "p", "cores": 2})
    later = bench.run_all(bench.PARTS[4:6], "quick", out)
    assert later["commits"] == dict(zip(bench.PARTS, "11112211", strict=True))
    assert [one["key"][0] for one in later["rows"]] == list("abcdefgh")
    assert "commits 1 (a, b, c, d, g, h), 2 (e, f), 2 cores" in page.about({**later, "versions": {}})
    monkeypatch.setattr(bench, "machine", lambda: {"commit": "2", "processor": "q", "cores": 2})
    with pytest.raises(BgsError, match="has other parts, of another size, machine or versions"):
        bench.run_all(bench.PARTS[:1], "quick", out)
    assert json.loads(out.read_text()) == later
    assert bench.run_all(bench.PARTS, "quick", out)["commits"] == dict.fromkeys(bench.PARTS, "2")
    assert asked[-8:] == [*bench.PARTS]


@pytest.mark.parametrize("content", ['{"size": "smal', "{}", "[]", "3", '{"other": 1}'])
def test_another_file_is_no_run_that_was_stopped(tmp_path, capsys, monkeypatch, content):
    out = tmp_path / "bench.json"
    out.write_text(content)
    monkeypatch.setattr(
        sys, "argv", ["bench.py", "--size", "smallest", "--parts", "start", "--json", str(out)]
    )
    monkeypatch.setattr(bench, "run_part", lambda *_: ([row()], None))
    with pytest.raises(SystemExit) as done:
        bench.main()
    if content.endswith("}"):  # of another commit, or of none
        assert done.value.code == 0
    else:
        assert (done.value.code, out.read_text()) == (2, content)
        assert capsys.readouterr().err.startswith(f"bench.py: {out}: damaged: ")


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_measured(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["bench.py", "--parts", "start", "--json", str(tmp_path)])
    monkeypatch.setattr(bench, "run_part", lambda *_: pytest.fail("measured"))
    with pytest.raises(SystemExit) as done:
        bench.main()
    assert done.value.code == 2
    assert str(tmp_path) in capsys.readouterr().err


def test_the_page_holds_what_was_measured_and_what_failed(tmp_path):
    copy = tmp_path / "README.md"
    copy.write_text(page.PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    found = {
        "size": "quick", "date": "2026-11-29", "commit": None, "processor": "a processor", "cores": 2,
        "versions": {"python": "3.11"}, "seconds": {"memory": 60}, "failures": {"memory": "killed"},
        "rows": [row("d: clips").as_json()],
    }  # fmt: skip
    page.write_page(found, copy)
    text = copy.read_text(encoding="utf-8")
    assert "**Sizes: quick**" in text
    assert "| memory | **failed**: killed |" in text
    assert "| exponent of clips, where encoding dominates | 1 | 2.00 |" in text


def test_the_page_in_the_repository_is_that_of_the_figures():
    found = json.loads((ROOT / "docs/results/bench.json").read_text(encoding="utf-8"))
    measured = [rows.Row.from_json(each) for each in found["rows"]]
    text = page.PAGE.read_text(encoding="utf-8")
    for part in (page.about(found), table.results(measured, found["failures"]), costs.model(measured)):
        assert part in text


@pytest.mark.slow
def test_all_parts_run(tmp_path):
    command = [sys.executable, str(ROOT / "benchmarks/bench.py"), "--size", "smallest"]
    done = subprocess.run(
        [*command, "--json", str(tmp_path / "found.json")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    keys = [each["key"] for each in found["rows"]]
    assert len(set(keys)) == len(keys)
    assert {key[0] for key in keys} == set("abcdefgh")
