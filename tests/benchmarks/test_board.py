"""Rows beside each other: paired differences from rows alone, the page, and the command."""

from __future__ import annotations

import html
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import bgs
from bgs import BgsError, Embeddings
from bgs._files import sha256
from bgs.benchmarks import Board, compare, measure_people, read_rows
from bgs.benchmarks.measurement import measure
from bgs.benchmarks.page import board_figure, figure_name, page_text
from bgs.benchmarks.row import Row
from bgs.benchmarks.tracks import evaluated, held_out_rdm
from bgs.cli.main import main
from bgs.datasets import load_dataset

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs/results/benchmark.json"


def vectors(data, seed: int) -> Embeddings:
    return Embeddings(
        np.random.default_rng(seed).normal(size=(len(data.stimuli), 5)), data.stimuli.ids, f"m{seed}"
    )


@pytest.fixture
def measured(tracks, rated_study):
    """Three rows of random embeddings on both kinds of held-out clips, the last the twin of the first; and the data."""
    data = load_dataset(str(rated_study))
    rows = []
    for seed, twin_of in ((1, None), (2, None), (3, "m1")):
        embeddings = vectors(data, seed)
        mean = embeddings.values[data.stimuli.train].mean(axis=0)
        found = [
            measure(
                embeddings.select([data.stimuli.ids[i] for i in evaluated(data.stimuli)]),
                mean,
                held_out,
                data,
                "frozen",
            )
            for track in tracks
            for held_out in track.held_out
        ]
        rows.append(Row(f"m{seed}", f"features:m{seed}", "features", found, {}, {}, {}, twin_of))
    return rows, data


def of_kind(rows: list[Row], number: int) -> list[Row]:
    """Only one of the measurements, since both have the name of one folder."""
    return [replace(row, measurements=row.measurements[number : number + 1]) for row in rows]


def test_differences_of_choices_are_those_of_an_evaluation(measured, tracks):
    rows, data = measured
    (board,) = compare(of_kind(rows, 0), tracks[:1])
    values = [entry.rsa.value for entry in board.entries]
    assert values == sorted(values, reverse=True)
    best, *others = board.entries
    assert best.to_best is None
    for entry in others:
        pair = (vectors(data, int(one.name[1])) for one in (entry, best))
        result = bgs.evaluate(next(pair), data, against=next(pair), protocol="held-out-pairs")[
            "held-out-pairs"
        ]
        expected = result.differences["rsa_spearman"]
        found = entry.to_best
        assert (found.value, found.low, found.high) == pytest.approx(
            (expected.value, expected.low, expected.high), abs=1e-5
        )
    twin = next(entry for entry in board.entries if entry.name == "m1").to_twin
    assert twin.value == pytest.approx(
        rows[0].measurements[0].metrics["rsa_spearman"].value
        - rows[2].measurements[0].metrics["rsa_spearman"].value
    )


def test_differences_of_ratings_are_those_of_an_evaluation(measured, tracks):
    rows, data = measured
    (board,) = compare(of_kind(rows, 1), tracks[1:])
    human = held_out_rdm(tracks[1].held_out[0], data)
    mean = lambda model: model.values[data.stimuli.train].mean(axis=0)  # noqa: E731
    centred = {
        row.name: replace(m, values=m.values - mean(m))
        for row in rows
        for m in [vectors(data, int(row.name[1]))]
    }
    best = board.entries[0].name
    for entry in board.entries[1:]:
        result = bgs.evaluate(centred[entry.name], human, against=centred[best], center=False)["rdm"]
        expected, found = result.differences["rsa_spearman"], entry.to_best
        assert (found.value, found.low, found.high) == pytest.approx(
            (expected.value, expected.low, expected.high)
        )


def test_a_row_of_other_judgments_is_refused(measured, tracks):
    rows, _ = measured
    first = rows[0].measurements[0]
    changed = replace(first.metrics["rsa_spearman"], value=first.metrics["rsa_spearman"].value + 0.01)
    wrong = replace(first, metrics=first.metrics | {"rsa_spearman": changed})
    with pytest.raises(BgsError, match="distances do not give the recorded value"):
        compare([replace(rows[0], measurements=[wrong])], tracks[:1])


def test_people_predict_other_people(tracks):
    row = measure_people(tracks=tracks[:1], dimensions=2)
    assert [one.seed for one in row.measurements] == [0, 1]
    assert min(one.metrics["odd_one_out_3afc"].value for one in row.measurements) > 0.5
    (board,) = compare([row], tracks[:1])
    assert board.entries[0].to_best is None
    assert not board.ceilings


def test_the_page_says_what_rows_say(measured, tracks):
    (board,) = compare(of_kind(measured[0], 0), tracks[:1])
    text = page_text([board], "figures")
    assert text.count("\n| m") == 3
    assert f"figures/{figure_name(board)}" in text
    assert "random twin, frozen" in board_figure(board).describe()


def test_the_command_measures_keeps_and_compares(tiny_text, tmp_path, capsys, monkeypatch, tracks):
    monkeypatch.setattr("bgs.api.benchmarking.TRACKS", tracks[:1])

    def run(*arguments: object) -> tuple[int, str]:
        with pytest.raises(SystemExit) as stop:
            main(["benchmark", *map(str, arguments), "--out", str(tmp_path)])
        shown = capsys.readouterr()
        return int(stop.value.code or 0), shown.out + shown.err

    code, shown = run(f"text:{tiny_text}", "--name", "tiny")
    assert (code, "tiny" in shown, (tmp_path / "tiny.json").is_file()) == (0, True, True)
    code, shown = run(f"text:{tiny_text}", "--name", "tiny", "--json", "-")
    assert json.loads(shown[: shown.rindex("]") + 1])[0]["name"] == "tiny"
    code, shown = run("a", "b", "--name", "tiny")
    assert (code, shown.strip()) == (2, "bgs: --name is for one model; got 2 models")
    code, shown = run("text:minilm", "--name", "../x")
    assert (code, shown.count("\n")) == (2, 1)
    with pytest.raises(SystemExit) as stop:
        main(["benchmark", "--out", str(tmp_path / "nothing")])
    assert stop.value.code == 2
    assert "no rows here" in capsys.readouterr().err


def saved_boards() -> list[Board]:
    return [Board.from_json(board) for board in json.loads(RESULTS.read_text(encoding="utf-8"))["boards"]]


def test_docs_benchmark_is_what_the_rows_generate():
    """Rows, page and figures are of one call of `python reproduce/benchmark_page.py`."""
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert found["rows"] == {path.stem: sha256(path) for path in (ROOT / "benchmark").glob("*.json")}
    boards = saved_boards()
    assert page_text(boards, "figures") in (ROOT / "docs/benchmark.md").read_text(encoding="utf-8")
    for board in boards:
        drawn = (ROOT / "docs/figures" / figure_name(board)).read_text(encoding="utf-8")
        assert board_figure(board).describe() in html.unescape(drawn)


@pytest.mark.slow
@pytest.mark.real
def test_the_comparison_of_the_rows_can_be_made_again(mirror):
    for board, saved in zip(
        compare(read_rows(ROOT / "benchmark"), mirror=mirror), saved_boards(), strict=True
    ):
        assert page_text([board], "") == page_text([saved], "")


def test_rows_hold_numbers_for_every_measurement_and_no_folder():
    rows = read_rows(ROOT / "benchmark")
    for row in rows:
        assert "/tmp" not in json.dumps(row.to_json())
        for one in row.measurements:
            assert one.distances or one.without_each or row.kind == "people"
            metric = one.metrics["rsa_spearman"]
            assert metric.low < metric.value < metric.high
            assert (metric.n > 0, bool(metric.unit)) == (True, True)
    twins = {row.twin_of for row in rows if row.twin_of}
    assert twins <= {row.name for row in rows}
