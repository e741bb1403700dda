"""The study in miniature, smaller still."""

import json
from pathlib import Path

import pytest

import bgs
from bgs._yaml import read_mapping
from bgs.api import quickstarts
from bgs.api.quickstarts import REAL, STUDY, quickstart_model, real_quickstart, simulated_quickstart
from bgs.cli.main import main
from bgs.training import TrainingConfig, load_config

SMALL = {
    "simulate": {"clips": 28, "trials": 900, "observers": 6, "seed": 0},
    "captions": None,
    "conditions": ["base", "hybrid"],
    "analyses": {"dimensions": {"dimensions": 2, "starts": 1}},
    "training": {
        **STUDY["training"],
        "epochs": 2,
        "evaluation": {
            "protocols": ["held-out-pairs"],
            "center": True,
            "resamples": 100,
            "permutations": 10,
        },
    },
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quickstart") / "study"
    outcome = simulated_quickstart(folder, 0, **SMALL)
    return folder, outcome.report, outcome


def test_it_writes_one_page_that_says_that_it_is_simulated(study):
    _, report, outcome = study
    page = report.read_text(encoding="utf-8")
    assert outcome.failed == {}
    assert "SIMULATED" in page
    for heading in (
        "The gap to observers",
        "Dissimilarity matrices",
        "Maps of the clips",
        "Triplets on which base",
    ):
        assert heading in page
    assert 'src="http' not in page
    assert report.stat().st_size < 3e6


def test_the_page_gives_the_figures_that_were_measured(study):
    _, report, outcome = study
    rows = outcome.table.protocols["held-out-pairs"].models["tiny-videomae"]
    assert set(rows) == {"base", "hybrid"}
    figure = rows["hybrid"].metrics.rsa_spearman
    assert f"{figure.value:.2f}".lstrip("0").replace("-0", "−").strip("−-") in report.read_text(
        encoding="utf-8"
    )


def test_the_same_seed_gives_the_same_figures(study, tmp_path, monkeypatch):
    _, _, outcome = study
    monkeypatch.setattr("bgs.experiments.page.write_report", lambda *given: None)  # figures are the table's
    without = dict.fromkeys(["variance", "probes", "dimensions", "disagreement"])
    again = simulated_quickstart(tmp_path / "again", 0, **SMALL | {"analyses": without})
    assert again.table.to_json() == outcome.table.to_json()


def test_its_model_is_ready_for_everyday_use(study):
    folder, _, outcome = study
    out = quickstart_model(outcome)
    assert out == folder / "model"
    model = bgs.load_model(str(out))
    clips = bgs.load_dataset(folder / "data").stimuli.videos
    assert "valence" in str(model.describe(clips[0]))
    assert set(model.odd_one_out(*clips[:3]).probabilities) == {str(clip) for clip in clips[:3]}
    before = (out / "README.md").stat().st_mtime_ns
    assert quickstart_model(outcome) == out
    assert (out / "README.md").stat().st_mtime_ns == before


#: What makes the real quickstart a matter of seconds.
QUICK = {"epochs": 1, "validation": {"every": 1}, "evaluation": {"resamples": 100, "permutations": 0}}


def test_the_real_quickstart_is_the_published_configuration():
    published = Path(__file__).parents[2] / "configs/garcia-isik-2025-minilm.yaml"
    assert TrainingConfig.model_validate(REAL) == load_config(published)


@pytest.fixture
def quick(tiny_text, monkeypatch, tmp_path):
    monkeypatch.setenv("BGS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(quickstarts, "REAL", {**REAL, **QUICK, "model": f"text:{tiny_text}"})


def test_without_judgments_the_real_quickstart_goes_on_with_planted_ones_and_says_so(quick, tmp_path, capsys):
    """Base, tuned, a figure; called again, it gives the same without training again."""
    (tmp_path / "mirror").mkdir()
    out = tmp_path / "study"
    given = ["quickstart", "--real", "--out", str(out), "--mirror", str(tmp_path / "mirror")]
    with pytest.raises(SystemExit) as done:
        main(given)
    assert done.value.code == 0
    printed = capsys.readouterr()
    assert "the human judgments are not available" in printed.err
    assert "SIMULATED" in printed.err
    assert "note: tuning text:" in printed.err
    assert "SIMULATED clips or observers: no human data." in printed.out
    assert f"Figure: {out / 'gap.png'}" in printed.out
    assert (out / "gap.png").read_bytes().startswith(b"\x89PNG")
    assert read_mapping(out / "config.yaml")["data"] == f"{out}-planted"
    changed = (out / "checkpoint.safetensors").stat().st_mtime_ns
    with pytest.raises(SystemExit):
        main([*given, "--json", "-"])
    assert set(json.loads(capsys.readouterr().out)) == {"held-out-trials", "held-out-pairs"}
    assert (out / "checkpoint.safetensors").stat().st_mtime_ns == changed


@pytest.mark.real
def test_the_real_quickstart_takes_the_real_judgments(quick, mirror, tmp_path):
    found = real_quickstart(tmp_path / "run", mirror=mirror)
    assert found.data == "garcia-isik-2025"
    assert not found.run.evaluation["held-out-trials"].provenance["simulated"]
    assert not (tmp_path / "run-planted").exists()
