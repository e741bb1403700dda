"""`bgs evaluate`: the table, the JSON, and errors in one line."""

from __future__ import annotations

import json

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from bgs._errors import BgsError
from bgs.cli import evaluate as command
from bgs.embeddings import Embeddings
from bgs.evaluation import DISTANCES, PROTOCOLS, Result

QUICK = ["--permutations", "9"]
IDS = [f"clip{i}" for i in range(12)]


@pytest.fixture
def folder(tmp_path):
    """A data set of 12 clips and 300 trials, and two embedding files."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(12, 3))
    split = ["train"] * 5 + ["test"] * 7
    stimuli = "".join(f"{name},{part}\n" for name, part in zip(IDS, split, strict=True))
    (tmp_path / "stimuli.csv").write_text("stimulus_id,split\n" + stimuli)
    rows = ["participant,stim1,stim2,stim3,odd"]
    for k in range(300):
        trio = rng.choice(12, 3, replace=False)
        pairs = [values[trio[[1, 2]]], values[trio[[0, 2]]], values[trio[[0, 1]]]]
        odd = trio[np.argmin([np.linalg.norm(a - b) + 0.5 * rng.normal() for a, b in pairs])]
        rows.append(",".join([f"p{k % 6}", *(IDS[i] for i in trio), IDS[odd]]))
    (tmp_path / "trials.csv").write_text("\n".join(rows) + "\n")
    Embeddings(values, tuple(IDS), "lookup:3").save(tmp_path / "good.safetensors")
    Embeddings(np.ones((12, 3)), tuple(IDS), "collapsed").save(tmp_path / "flat.safetensors")
    Embeddings(values[:8], tuple(IDS[:8]), "short").save(tmp_path / "short.safetensors")
    return tmp_path


def run(folder, name, *more):
    """What the command prints in 80 columns; raises what it raises."""
    arguments = ["--embeddings", folder / name, "--data", folder, *QUICK, *more]
    app = typer.Typer()
    app.command()(command.evaluate)
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "80"})
    if isinstance(result.exception, BgsError):
        raise result.exception
    assert result.exit_code == 0, result.output
    assert max(len(line) for line in result.stdout.splitlines()) <= 80
    return result.stdout


def test_table_and_json(folder):
    out = folder / "result.json"
    against = folder / "flat.safetensors"
    printed = run(folder, "good.safetensors", "--against", against, "--center", "--json", out)
    for words in (
        "lookup:3: held-out-trials",
        "RSA, Spearman",
        "95 % interval",
        "ceiling",
        "Compared with collapsed",
        "p = ",
    ):
        assert words in printed
    assert "–" in printed  # the collapsed model has no RSA
    assert "nan" not in printed
    result = Result.from_json(json.loads(out.read_text()))
    assert result.provenance["data"] == folder.name
    assert {"stimuli.csv", "trials.csv"} <= set(result.provenance["data_hashes"])
    assert result.provenance["center"]
    assert set(result.differences) == set(result.against_metrics)


def test_the_table_says_what_was_centred_on(folder):
    assert "Embeddings are centred on the 5 training clips." in run(folder, "good.safetensors")
    assert "Embeddings are centred on the 5 training clips." in run(folder, "good.safetensors", "--center")
    out = folder / "plain.json"
    assert "Embeddings are centred on nothing." in run(
        folder, "good.safetensors", "--no-center", "--json", out
    )
    assert json.loads(out.read_text())["provenance"]["centred_on"] == "nothing"


def test_centring_without_training_clips_is_an_error_where_it_was_asked_for(folder):
    text = (folder / "stimuli.csv").read_text()
    (folder / "stimuli.csv").write_text(text.replace(",train", ",test"))
    assert "centred on nothing, since all clips are held out" in run(folder, "good.safetensors")
    with pytest.raises(BgsError, match="nothing to centre on: all stimuli are held out"):
        run(folder, "good.safetensors", "--center", "--json", folder / "result.json")
    assert not (folder / "result.json").exists()


def test_every_protocol_and_distance(folder):
    for protocol in PROTOCOLS:
        printed = run(folder, "good.safetensors", "--protocol", protocol, "--distance", "correlation")
        assert f"lookup:3: {protocol}" in printed


def test_choices_are_those_of_the_package():
    assert tuple(command.ProtocolName) == PROTOCOLS
    assert tuple(command.DistanceName) == DISTANCES


def test_a_bad_file_is_an_error_and_nothing_is_written(folder):
    out = folder / "result.json"
    with pytest.raises(BgsError, match="4 of 7 stimuli have no embedding"):
        run(folder, "short.safetensors", "--json", out)
    with pytest.raises(BgsError, match="no such embedding file"):
        run(folder, "missing.safetensors", "--json", out)
    (folder / "trials.csv").unlink()
    with pytest.raises(BgsError, match="no odd-one-out trials"):
        run(folder, "good.safetensors", "--json", out)
    assert not out.exists()
