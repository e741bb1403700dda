"""The grid at work: interrupted, failing, refused, and what its table says."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from bgs import BgsError, Embeddings
from bgs._codec import Number
from bgs._config import Settings
from bgs._lock import locked_folder
from bgs.experiments import grid
from bgs.experiments.cells import Cell
from bgs.experiments.chapters import CHAPTERS, Chapter, Findings, register
from bgs.experiments.conditions import Condition
from bgs.experiments.config import validated_experiment
from bgs.experiments.experiment import open_experiment
from bgs.experiments.grid import run_experiment
from bgs.experiments.page import experiment_page, read_results
from bgs.experiments.plan import plan_experiment
from bgs.experiments.results import ResultsTable
from bgs.runs import fitting
from bgs.training import TrainingLog

DOCS = Path(__file__).parents[2] / "docs/experiment.md"
CELLS = [
    "base/seed-0",
    *(f"{c}/seed-{s}" for s in (0, 1) for c in ("hybrid", "language-distillation", "shuffled")),
]


class _Killed(BaseException):
    """What a kill looks like from inside: no handler of errors stops it."""


@pytest.fixture(scope="module")
def settings(settings, tiny_text):
    """Three conditions, and captions."""
    conditions = ["hybrid", "language-distillation", "shuffled"]
    return settings | {"captions": f"text:{tiny_text}", "conditions": conditions}


@pytest.fixture(scope="module")
def whole(config, tmp_path_factory):
    """An experiment that nothing happened to."""
    folder = tmp_path_factory.mktemp("whole") / "out"
    outcome = run_experiment(config, folder)
    assert outcome.failed == {}
    return folder


def files(folder) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def measured(folder) -> dict:
    """Every number of every cell and of the table."""
    found = {"table": json.loads((folder / "results.json").read_text())}
    for cell in CELLS:
        evaluation = json.loads((folder / "cells/tiny" / cell / "evaluation.json").read_text())
        found[cell] = [[r["metrics"], r.get("differences")] for r in evaluation.values()]
        tuned = folder / "cells/tiny" / cell / "tuned.safetensors"
        found[f"{cell} vectors"] = Embeddings.load(tuned).hash() if tuned.is_file() else None
    return found


def test_the_table_is_made_of_the_cells(whole, config):
    table = ResultsTable.from_json(json.loads((whole / "results.json").read_text()))
    assert json.loads((whole / "analyses/gap.json").read_text())["result"] == table.to_json()
    found = table.protocols["held-out-pairs"]
    assert list(found.models["tiny"]) == ["base", "hybrid", "language-distillation", "shuffled"]
    own = [
        json.loads((whole / f"cells/tiny/hybrid/seed-{seed}/evaluation.json").read_text())["held-out-pairs"]
        for seed in (0, 1)
    ]
    figure = found.models["tiny"]["hybrid"].metrics.rsa_spearman
    for key in ("value", "low", "high"):
        expected = np.mean([result["metrics"]["rsa_spearman"][key] for result in own])
        assert getattr(figure, key) == pytest.approx(expected)
    assert figure.seeds == {s: own[s]["metrics"]["rsa_spearman"]["value"] for s in (0, 1)}
    assert list(found.models["tiny"]["base"].metrics.rsa_spearman.seeds) == [0]
    share = found.models["tiny"]["hybrid"].share_of_ceiling.rsa_spearman
    assert share.value == pytest.approx(figure.value / found.ceilings.rsa_ceiling.value)
    differences = found.differences["tiny"]
    values = {name: level.metrics.rsa_spearman.value for name, level in found.models["tiny"].items()}
    values["captions"] = found.captions.metrics.rsa_spearman.value
    assert set(differences) >= {"hybrid - base", "shuffled - base", "hybrid - language-distillation",
                                "hybrid - shuffled", "base - captions", "hybrid - captions"}  # fmt: skip
    for name, row in differences.items():
        first, second = name.split(" - ")
        assert row.rsa_spearman.value == pytest.approx(values[first] - values[second])
    assert differences["base - captions"].rsa_spearman.high == 0  # here they are one model


def test_people_agree_with_what_captions_tell_and_shuffled_people_do_not(whole):
    """As training sees it: on this study's ten held-out clips, or after so few epochs, what a condition gains is chance."""
    reached = {
        condition: [
            json.loads(
                (whole / f"cells/tiny/{condition}/seed-{seed}/metrics.jsonl").read_text().splitlines()[-1]
            )["rsa"]
            for seed in (0, 1)
        ]
        for condition in ("hybrid", "shuffled")
    }
    assert min(reached["hybrid"]) > max(reached["shuffled"]) + 0.2, reached


def test_a_finished_experiment_is_left_as_it_is(whole, config, monkeypatch):
    before = files(whole)
    monkeypatch.setattr(grid, "fit", None)  # nothing is trained
    run_experiment(config, whole)
    assert files(whole) == before


@pytest.mark.parametrize(
    "where", [pytest.param("between cells", marks=pytest.mark.slow), "inside a cell",
              pytest.param("after training", marks=pytest.mark.slow)],
)  # fmt: skip
def test_a_killed_experiment_goes_on_to_the_same_numbers(whole, config, tmp_path, monkeypatch, where):
    kind, name = {
        "between cells": (Cell, "mark_done"),
        "inside a cell": (TrainingLog, "append_metrics"),
        "after training": (Cell, "write_results"),
    }[where]
    original, calls = getattr(kind, name), []

    def kill(self, *given):
        calls.append(given)
        if len(calls) == 5:
            raise _Killed
        return original(self, *given)

    monkeypatch.setattr(kind, name, kill)
    with pytest.raises(_Killed):
        run_experiment(config, tmp_path / "out")
    monkeypatch.setattr(kind, name, original)
    finished = sum(path.is_file() for path in (tmp_path / "out").rglob("done.json"))
    assert 0 < finished < len(CELLS)
    trained = []
    fit = grid.fit
    monkeypatch.setattr(grid, "fit", lambda *given: trained.append(given[2].config.is_file()) or fit(*given))
    assert run_experiment(config, tmp_path / "out").failed == {}
    assert (True in trained) == (where == "inside a cell")
    assert len(trained) < 6
    assert measured(tmp_path / "out") == measured(whole)


def test_the_base_model_is_embedded_once(settings, tmp_path, monkeypatch):
    calls, original = [], fitting.embed_base
    monkeypatch.setattr(fitting, "embed_base", lambda c, s: calls.append(c.reference) or original(c, s))
    models = {"fixed": {"model": "lookup:3"}, "own": {"model": "scratch:videomae-tiny?seed={seed}"}}
    changes = {"models": models, "conditions": ["hybrid"], "captions": None}
    config = validated_experiment(
        settings | changes | {"training": settings["training"] | {"lora": None}}, "x"
    )
    failed = run_experiment(config, tmp_path / "out").failed
    assert calls == ["lookup:3", "scratch:videomae-tiny?seed=0", "scratch:videomae-tiny?seed=1"]
    # There are no clips here: both base models of the second fail, and so does all that rests on them.
    assert [name for name in failed if name.startswith("own/")] == list(failed)
    assert failed["own/hybrid/seed-1"] == f"its base model failed: {failed['own/base/seed-1']}"


def test_a_failed_cell_is_recorded_and_tried_again(settings, tmp_path, monkeypatch):
    config = validated_experiment(settings | {"conditions": ["hybrid", "shuffled"], "captions": None}, "x")
    original = grid.fit

    def fails(settings, study, folder, report, frozen):
        if folder.path.parts[-2:] == ("shuffled", "seed-0"):
            raise RuntimeError("out of\nmemory")
        return original(settings, study, folder, report, frozen)

    monkeypatch.setattr(grid, "fit", fails)
    outcome = run_experiment(config, tmp_path / "out")
    assert outcome.failed == {"tiny/shuffled/seed-0": "out of memory"}
    cell = tmp_path / "out/cells/tiny/shuffled/seed-0"
    error = json.loads((cell / "error.json").read_text())
    assert (error["message"], error["kind"]) == ("out of memory", "RuntimeError")
    assert "in fails" in error["traceback"]
    assert not (cell / "done.json").exists()
    level = outcome.table.protocols["held-out-pairs"].models["tiny"]["shuffled"]
    assert list(level.metrics.rsa_spearman.seeds) == [1]  # the rest went on
    assert json.loads((tmp_path / "out/results.json").read_text())["failed"] == outcome.failed
    monkeypatch.setattr(grid, "fit", original)
    again = run_experiment(config, tmp_path / "out")
    assert again.failed == {}
    assert not (cell / "error.json").exists()
    level = again.table.protocols["held-out-pairs"].models["tiny"]["shuffled"]
    assert list(level.metrics.rsa_spearman.seeds) == [0, 1]


def test_folders_of_something_else_are_refused_untouched(whole, settings, tmp_path):
    before = files(whole)
    other = validated_experiment(settings | {"seeds": [0, 2]}, "x")
    with pytest.raises(
        BgsError, match=r"this experiment was started with other settings: seeds; expected \[0, 1\]"
    ) as caught:
        run_experiment(other, whole)
    assert "\n" not in str(caught.value)
    assert files(whole) == before
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(BgsError, match="output folder is not empty"):
        run_experiment(other, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]


def test_a_grid_may_grow_and_keeps_its_cells(whole, settings, tmp_path):
    """Conditions and seeds are added to what is finished, to the same numbers; nothing that was there may go."""
    out = tmp_path / "out"
    small = validated_experiment(settings | {"conditions": ["hybrid"], "seeds": [0]}, "x")
    assert run_experiment(small, out).failed == {}
    cell = out / "cells/tiny/hybrid/seed-0"
    before = {path: path.stat().st_mtime_ns for path in cell.rglob("*") if path.is_file()}
    assert run_experiment(validated_experiment(settings, "x"), out).failed == {}
    assert {path: path.stat().st_mtime_ns for path in cell.rglob("*") if path.is_file()} == before
    assert measured(out) == measured(whole)
    with pytest.raises(BgsError, match=r"other settings: conditions"):
        run_experiment(small, out)
    with pytest.raises(BgsError, match=r"other settings: seeds"):  # the first seed evaluates all cells
        run_experiment(validated_experiment(settings | {"seeds": [1, 0]}, "x"), out)


def test_a_mistake_found_before_anything_was_made_can_be_corrected(settings, tmp_path):
    changes = {"conditions": ["base"], "seeds": [0]}
    wrong = validated_experiment(settings | changes | {"captions": "smell:x"}, "x")
    with pytest.raises(BgsError, match="unknown model"):
        run_experiment(wrong, tmp_path / "out")
    assert run_experiment(validated_experiment(settings | changes, "x"), tmp_path / "out").failed == {}
    no_split = {
        "training": {"evaluation": {"protocols": ["held-out-pairs"]}, "validation": {"fraction": 0.95}}
    }
    with pytest.raises(BgsError, match="too few training stimuli"):
        run_experiment(validated_experiment(settings | no_split, "x"), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_other_data_under_the_same_name_are_refused(settings, small_study, tmp_path):
    study = tmp_path / "study"
    study.mkdir()
    for name in ("stimuli.csv", "trials.csv"):
        (study / name).write_bytes((small_study / name).read_bytes())
    changes = {"data": str(study), "conditions": ["base"], "seeds": [0]}
    config = validated_experiment(settings | changes, "x")
    run_experiment(config, tmp_path / "out")
    lines = (study / "trials.csv").read_text().splitlines()
    (study / "trials.csv").write_text("\n".join(lines[:-1]) + "\n")
    with pytest.raises(BgsError, match="the trials differ from those that this experiment was started with"):
        run_experiment(config, tmp_path / "out")


def test_a_plan_writes_nothing(config, settings, whole, tmp_path):
    plan = plan_experiment(config, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    assert [cell.name for cell in plan.cells] == [f"tiny/{name}" for name in CELLS]
    assert plan.seconds("tiny") > 0
    assert plan.bytes("tiny") > 6 * 4 * 30 * 32
    before = files(whole)
    assert plan_experiment(config, whole).seconds("tiny") == 0  # all is done
    assert files(whole) == before
    twice = settings | {"training": settings["training"] | {"epochs": 3000}}
    longer = plan_experiment(validated_experiment(twice, "x"), tmp_path / "out")
    assert longer.costs["tiny"].train_seconds > 50 * plan.costs["tiny"].train_seconds


def test_a_model_that_cannot_be_loaded_is_planned_without_a_time(settings, tmp_path):
    models = {"gone": {"model": f"text:{tmp_path / 'nowhere'}"}, "lookup": {"model": "lookup:2"}}
    given = settings | {"models": models, "training": settings["training"] | {"lora": None}}
    plan = plan_experiment(validated_experiment(given, "x"), tmp_path / "out")
    assert "cannot load" in plan.costs["gone"]
    assert np.isnan(plan.seconds("gone"))
    assert plan.seconds("lookup") > 0


def test_only_one_process_works_in_an_experiment(config, whole):
    with locked_folder(whole), pytest.raises(BgsError, match="another process is using this folder: process"):
        run_experiment(config, whole)
    assert not (whole / ".lock").exists()


def test_data_named_by_a_relative_path_are_found_from_anywhere(settings, small_study, tmp_path, monkeypatch):
    shutil.copytree(small_study, tmp_path / "project/data/mine")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    table = {
        "models": {"table": {"model": "lookup:3"}},
        "captions": None,
        "conditions": ["hybrid"],
        "seeds": [0],
    }
    training = settings["training"] | {"lora": None, "validation": {"fraction": 0}, "epochs": 1}
    config = validated_experiment(settings | table | {"data": "data/mine", "training": training}, "x")
    assert run_experiment(config, "out").failed == {}
    monkeypatch.chdir(tmp_path / "elsewhere")
    data = open_experiment(tmp_path / "project/out")
    assert data.study.dataset.folder == tmp_path / "project/data/mine"
    provenance = json.loads((tmp_path / "project/out/provenance.json").read_text())
    assert provenance.pop("data_folder") == str(tmp_path / "project/data/mine")
    # An older version recorded no folder, and a project may be moved: the path is then looked for around the experiment.
    (tmp_path / "project/out/provenance.json").write_text(json.dumps(provenance))
    (tmp_path / "project").rename(tmp_path / "moved")
    assert open_experiment(tmp_path / "moved/out").study.dataset.folder == tmp_path / "moved/data/mine"
    (tmp_path / "moved/data/mine/stimuli.csv").write_text(
        (small_study / "stimuli.csv").read_text().replace("clip00", "clip99")
    )
    (tmp_path / "moved/data/mine/trials.csv").write_text(
        (small_study / "trials.csv").read_text().replace("clip00", "clip99")
    )
    with pytest.raises(BgsError, match="the stimuli differ from those that this experiment was started with"):
        open_experiment(tmp_path / "moved/out")


def test_simulated_data_are_made_once_and_kept(settings, tmp_path):
    changes = {"data": None, "simulate": {"clips": 30, "trials": 900}, "conditions": ["hybrid"], "seeds": [0]}
    config = validated_experiment(settings | changes, "x")
    assert run_experiment(config, tmp_path / "out").failed == {}
    made = (tmp_path / "out/data/stimuli.csv").stat().st_mtime_ns
    run_experiment(config, tmp_path / "out")
    assert (tmp_path / "out/data/stimuli.csv").stat().st_mtime_ns == made


@dataclass(frozen=True)
class Shape:
    """What a chapter of one's own finds."""

    seeds: list[int]
    base: list[int]
    captions: int


def test_chapters_are_run_recorded_and_known(whole, settings, swap):
    def shape(experiment, _):
        tuned = experiment.tuned("tiny", Condition.HYBRID)
        return Shape(list(tuned), list(experiment.base("tiny")), len(experiment.captions))

    def broken(experiment, _):
        raise ValueError("no idea")

    swap("probes", analyse=shape, result=Shape)
    swap("variance", analyse=broken)
    config = validated_experiment(settings | {"analyses": {"dimensions": None, "disagreement": None}}, "x")
    assert run_experiment(config, whole).failed == {"analysis variance": "no idea"}
    found = json.loads((whole / "analyses/probes.json").read_text())
    assert found["result"] == {"seeds": [0, 1], "base": [0], "captions": 30}
    assert "in broken" in json.loads((whole / "analyses/variance.json").read_text())["error"]["traceback"]
    assert run_experiment(validated_experiment(settings, "x"), whole).failed == {}  # left out
    CHAPTERS[:] = [chapter for chapter in CHAPTERS if chapter.name != "probes"]
    asked = validated_experiment(settings | {"analyses": {"probes": {"attributes": ["valence"]}}}, "x")
    with pytest.raises(BgsError, match=r"unknown key 'analyses\.probes'; expected one of attention"):
        run_experiment(asked, whole)
    misspelt = validated_experiment(settings | {"analyses": {"varianc": {}}}, "x")
    for use in (run_experiment, plan_experiment):
        with pytest.raises(BgsError, match=r"unknown key 'analyses\.varianc'.*did you mean variance"):
            use(misspelt, whole)


class SpreadSettings(Settings):
    """The section of a chapter of one's own."""

    power: float = 1.0


@dataclass(frozen=True)
class Spread:
    """Seed -> how far apart clips are."""

    seeds: dict[int, Number]


class NeedySettings(Settings):
    """A section with a key that has no default."""

    data: str


OFF = dict.fromkeys(["probes", "variance", "dimensions", "disagreement"])


def test_a_chapter_of_ones_own(whole, settings, restored):
    """As docs/experiment.md shows it: registered, it runs with a section of its own, is kept and presented."""
    seen = []

    def analyse(experiment, settings):
        seen.append(settings.power)
        base = experiment.base("tiny")
        return Spread(
            {seed: float((experiment.distances(one) ** settings.power).mean()) for seed, one in base.items()}
        )

    def present(result, context):
        return Findings((f"{result.seeds[0]:.3f} for {context.words.judges}.",))

    spread = Chapter(
        name="spread", title="Spread seen by {judges}", settings=SpreadSettings, analyse=analyse, result=Spread,
        present=present,
    )  # fmt: skip

    def configured(**section):
        return validated_experiment(settings | {"analyses": {**OFF, **section}}, "x")

    asked = configured(spread={"power": 2})
    with pytest.raises(
        BgsError, match=r"unknown key 'analyses\.spread'.*see bgs\.experiments\.chapters\.register"
    ):
        run_experiment(asked, whole)
    register(spread)
    assert run_experiment(asked, whole).failed == {}
    found = json.loads((whole / "analyses/spread.json").read_text())
    assert (found["version"], found["result"]["seeds"].keys()) == (1, {"0"})
    run_experiment(asked, whole)
    assert seen == [2.0]  # kept
    experiment = open_experiment(whole)
    last = experiment_page(experiment, *read_results(experiment)).sections[-1]
    assert last.title == "Spread seen by people"
    assert last.sentence == f"{found['result']['seeds']['0']:.3f} for people."
    run_experiment(configured(), whole)
    run_experiment(configured(spread=None), whole)
    assert seen == [2.0, 1.0]  # its defaults; left out
    with pytest.raises(BgsError, match=r"analyses\.spread: unknown key 'powr'.*did you mean power"):
        run_experiment(configured(spread={"powr": 2}), whole)
    CHAPTERS[-1] = replace(spread, version=2)
    run_experiment(configured(), whole)
    assert seen == [2.0, 1.0, 1.0]  # made anew
    assert run_experiment(asked, whole).failed == {}
    restored()
    assert open_experiment(whole).config.analyses.model_extra == {"spread": {"power": 2}}


def test_a_chapter_needs_a_name_of_its_own_and_a_result_of_its_type(whole, settings, restored):
    for name, message in (
        ("gap", "a chapter of this name exists"),
        ("attributes", "a chapter of this name exists"),
        ("../x", "not a valid name of a chapter"),
    ):
        with pytest.raises(BgsError, match=message):
            register(Chapter(name=name))
    with pytest.raises(BgsError, match="incomplete chapter; expected settings, analyse and result"):
        Chapter(name="spread", settings=Settings)

    def made(value):
        return lambda experiment, _: value

    found = {
        "nan": Spread({0: np.nan}),
        "odd": Spread({0: np.inf}),
        "word": Spread({0: "far"}),
        "other": {0: 1.0},
    }
    for name, value in found.items():
        register(Chapter(name=name, settings=Settings, analyse=made(value), result=Spread))
    register(Chapter(name="needy", settings=NeedySettings, analyse=made(Spread({})), result=Spread))
    config = validated_experiment(settings | {"analyses": OFF}, "x")
    failed = run_experiment(config, whole).failed
    assert list(failed) == ["analysis odd", "analysis word", "analysis other"]
    assert failed["analysis other"] == "returned dict, not Spread"
    assert not (whole / "analyses/needy.json").exists()  # left out until its section is given
    assert json.loads((whole / "analyses/nan.json").read_text())["result"] == {"seeds": {"0": None}}
    assert not open_experiment(whole).config.analyses.model_extra


def test_the_chapter_of_the_docs_runs(config, whole, tmp_path, monkeypatch, restored):
    code = re.search(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)[1]
    shutil.copytree(whole, tmp_path / "experiments/mine")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "experiment.yaml").write_text(config.to_yaml())
    exec(compile(code, DOCS.name, "exec", dont_inherit=True), {"__name__": "__main__"})
    found = json.loads((tmp_path / "experiments/mine/analyses/spread.json").read_text())["result"]
    experiment = open_experiment(tmp_path / "experiments/mine")
    last = experiment_page(experiment, *read_results(experiment)).sections[-1]
    assert last.sentence == f"the base model: {found['models']['tiny']['0']:.3f}."
    assert last.title == "How far apart clips are to people"


def test_the_docs_list_the_chapters_that_analyse():
    listed = re.findall(
        r"^\| `([a-z_]+)` \|", DOCS.read_text(encoding="utf-8").partition("## Analyses")[2], re.MULTILINE
    )
    assert listed == [chapter.name for chapter in CHAPTERS if chapter.analyse is not None]
