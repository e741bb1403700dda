"""The study in miniature, smaller still."""

import pytest

from bgs.api.quickstarts import STUDY, simulated_quickstart

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
    for heading in ("The gap to observers", "What is like what", "A map of the clips", "Where base errs"):
        assert heading in page
    assert 'src="http' not in page
    assert report.stat().st_size < 3e6


def test_the_page_gives_the_figures_that_were_measured(study):
    _, report, outcome = study
    rows = outcome.table.protocols["held-out-pairs"].models["tiny-videomae"]
    assert set(rows) == {"base", "hybrid"}
    figure = rows["hybrid"]["rsa_spearman"].mean
    assert f"{figure.value:.2f}".lstrip("0").replace("-0", "−").strip("−-") in report.read_text(
        encoding="utf-8"
    )


def test_the_same_seed_gives_the_same_figures(study, tmp_path, monkeypatch):
    _, _, outcome = study
    monkeypatch.setattr("bgs.experiments.page.write_report", lambda *given: None)  # figures are the table's
    without = dict.fromkeys(["variance", "probes", "dimensions", "disagreement"])
    again = simulated_quickstart(tmp_path / "again", 0, **SMALL | {"analyses": without})
    assert again.table.to_json() == outcome.table.to_json()
