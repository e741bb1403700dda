"""What reproduce/heider_simmel_*.py write into docs/heider-simmel.md: from made-up results, and from those that were measured."""

from __future__ import annotations

import html
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from bgs._files import read_json, read_text, write_json, write_text
from bgs.evaluation import Metric
from bgs.experiments.cells import cells_of
from bgs.experiments.chapters import NotApplicable
from bgs.experiments.chapters.over_seeds import Change
from bgs.experiments.chapters.variance import VARIANCE
from bgs.experiments.config import load_experiment
from bgs.experiments.results import SeedMean
from bgs.runs.run_folder import RunFolder
from bgs.training import load_config
from reproduce_scripts import load_script

grid, names, page = (load_script(f"heider_simmel_{name}") for name in ("grid", "names", "page"))
measured, choices, figures = (
    load_script(f"heider_simmel_{name}") for name in ("measured", "choices", "figures")
)
verbs, chapters = load_script("heider_simmel_verbs"), load_script("heider_simmel_chapters")

ROOT = Path(__file__).parents[1]
CEILING = Metric(0.88, 0.86, 0.9, 10, "Spearman rho")


def mean(*values: float, reach: float = 0.1) -> SeedMean:
    middle = sum(values) / len(values)
    return SeedMean(middle, middle - reach, middle + reach, 10, "Spearman rho", seeds=dict(enumerate(values)))


def line(encoder: str, state: str, *values: float, **differences: float):
    given = {name.replace("_", " "): mean(value) for name, value in differences.items()}
    return verbs.Line(encoder, state, mean(*values), mean(0.4), given)


LINES = [
    line("pixels", "frozen", 0.3),
    line("pixels", "linear transform", 0.5, 0.5, frozen=0.2),
    line("tiny-random", "frozen", 0.6),
    line("tiny-videomae", "LoRA, trials only", 0.9, frozen=0.7),
    line("tiny-videomae", "LoRA", 0.8, 0.7, frozen=0.55, tuned_pixels=0.05),
    line("tiny-videomae", "frozen", 0.2),
]
NOTHING = measured.Absent([], [], [], [])


def results(**given):
    parts = {"choices": [], "transfer": [], "variance": [], "absent": NOTHING, "features_only": []}
    return measured.Measured(LINES, CEILING, **{**parts, **given})


def cells(text: str) -> list[list[str]]:
    rows = [row for row in text.splitlines() if row.startswith("| ")]
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows]


def test_the_best_encoder_is_first_and_its_twin_follows_it() -> None:
    assert names.ordered(LINES) == ["tiny-videomae", "tiny-random", "pixels"]
    assert names.names_of(["tiny-videomae", "tiny-random"])["tiny-random"] == "its random twin"
    assert names.names_of(["pixels", "tiny-random"])["tiny-random"] == "random twin of tiny-videomae"
    rows = cells(page.values_table(LINES))[1:]
    assert [row[1] for row in rows[:3]] == ["frozen", "LoRA", "LoRA, trials only"]
    assert [row[4] for row in rows] == ["1", "2", "1", "1", "1", "2"]


def test_a_twin_whose_encoder_is_not_measured_is_listed_by_itself() -> None:
    alone = [one for one in LINES if one.encoder != "tiny-videomae"]
    assert names.ordered(alone) == ["tiny-random", "pixels"]
    assert cells(page.values_table(alone))[1][0] == "random twin of tiny-videomae"


def test_differences_are_bold_where_the_interval_excludes_0() -> None:
    rows = cells(page.differences_table(LINES))
    lora = dict(zip(rows[0], rows[2], strict=True))
    assert lora["− frozen"] == "**+.550 [+.450, +.650]**"
    assert lora["− tuned pixels"] == "+.050 [−.050, +.150]"
    assert lora["− random twin"] == ""


def test_the_readme_compares_the_best_of_the_states_that_it_shows() -> None:
    """Trials alone reach more here, but have no column."""
    rows = cells(page.summary_text(LINES))
    assert rows[1] == [
        "tiny-videomae", ".200 [.100, .300]", "", ".750 [.650, .850]", "**+.550 [+.450, +.650]**", "+.050 [−.050, +.150]",
    ]  # fmt: skip


def test_what_is_said_of_seeds_is_what_they_show() -> None:
    assert page.seeds_text(LINES) == (
        "Values are means over seeds (linear transform: the same value; LoRA: up to .100 apart)."
    )
    assert page.seeds_text(LINES[:1]) == "One seed each."


def test_what_is_missing_is_listed_and_nothing_once_all_is_there() -> None:
    assert page.absent_text(NOTHING) == ""
    assert page.page_parts(results())["absent"] == ""
    some = [
        grid.Missing("scratch", "frozen", (0, 1), True),
        grid.Missing("tiny-videomae", "LoRA", (2,), False),
        grid.Missing("tiny-videomae", "linear transform", (1, 2), False),
    ]
    text = page.absent_text(measured.Absent(some, ["pixels"], ["tiny-random"], [("vit-16", "LoRA")]))
    assert text.splitlines()[2:] == [
        "- VideoMAE from scratch: frozen",
        "- tiny-videomae: LoRA (seed 2); linear transform (seeds 1, 2)",
        "- transfer to PHASE: pixels",
        "- unique variance: random twin of tiny-videomae",
        "- from choices to choices: ViT-S/14, 16 frames, LoRA",
    ]


def test_cells_that_are_not_finished_are_missing(tmp_path: Path) -> None:
    config = load_experiment(ROOT / "configs/heider-simmel-verbs.yaml")
    planned = cells_of(config, tmp_path, "heider-simmel-verbs")
    assert {one.all_seeds for one in grid.missing_cells(planned)} == {True}
    late = next(cell for cell in planned if cell.name == "tiny-videomae/rsa-only/seed-2")
    for cell in planned:
        # `transform-only` trains pixels and motion as `hybrid` does, so nobody misses it.
        if cell is not late and (cell.model == "tiny-videomae" or cell.condition != "transform-only"):
            write_text(cell.marker, "{}")
    assert list(grid.missing_cells(planned)) == [grid.Missing("tiny-videomae", "LoRA, RDM only", (2,), False)]


def test_an_encoder_is_asked_for_the_chapters_of_its_configuration() -> None:
    configs = grid.configured()
    assert "vit-16" not in grid.models_asked(configs, chapters.TRANSFER)
    assert {"vit", "vit-16", "scratch", "pixels"} <= set(grid.models_asked(configs, VARIANCE))
    assert measured.features_only(configs) == ["vit-16", "vit-16-random"]


class Folder:
    """Stands for an experiment: its folder and the chapter it holds, or why it holds none."""

    def __init__(self, path: str, found: object) -> None:
        self.folder, self.found = type("", (), {"path": path}), found


def test_experiments_without_a_chapter_are_left_out_with_a_note(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def read(experiment: Folder, chapter: object) -> object:
        if isinstance(experiment.found, Exception):
            raise experiment.found
        return experiment.found

    monkeypatch.setattr(grid, "read", read)
    monkeypatch.setattr(logging.getLogger("bgs"), "propagate", True)
    has = Folder("has", type("", (), {"models": {"pixels": 1}, "not_applicable": {"vit": "no clips"}}))
    lacks = Folder("lacks", NotApplicable("it has not been run yet"))
    assert grid.results_of([has, lacks], VARIANCE) == {"pixels": (has, 1)}
    assert "lacks, variance: left out, it has not been run yet" in caplog.text
    assert "has, variance of vit: left out, no clips" in caplog.text


def test_transfer_has_a_row_a_measure_and_says_what_cannot_be_measured() -> None:
    change = Change(mean(0.1), mean(0.4), mean(0.3))
    moved = chapters.Moved("pixels", "linear transform", {"rsa_spearman": change}, {"chance": CEILING})
    text = page.transfer_text(results(transfer=[moved], features_only=["vit-16", "vit-16-random"]))
    assert cells(text)[1] == [
        "pixels", "linear transform", "RSA, Spearman", ".100 [.000, .200]", ".400 [.300, .500]",
        "**+.300 [+.200, +.400]**", "1",
    ]  # fmt: skip
    assert "Decoding: chance .880 [.860, .900]." in text
    assert text.endswith("computed: ViT-S/14, 16 frames, its random twin.")
    assert page.transfer_text(results()) == "Not measured yet."


def test_variance_beyond_each_model_is_a_column() -> None:
    parts = {"verbs": mean(0.2), "low-level": mean(0.05)}
    beyond = chapters.Beyond("tiny-videomae", "LoRA", mean(0.5), parts, mean(0.15))
    text = page.variance_text(results(variance=[beyond]))
    row = dict(zip(*cells(text), strict=True))
    assert row["alone"] == ".500 [.400, .600]"
    assert row["beyond verbs"] == "**+.200 [+.100, +.300]**"
    assert row["beyond pixels and motion"] == "+.050 [−.050, +.150]"
    assert row["beyond itself frozen"] == ""
    assert row["verbs beyond it"] == "**+.150 [+.050, +.250]**"
    assert page.variance_text(results()) == "Not measured yet."


def test_a_finished_cross_validation_is_read_and_one_without_embeddings_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lacking = choices.Wanted(
        "a", "vit-16", "linear transform", ("model=features:nowhere-{seed}.safetensors",)
    )
    done = replace(lacking, folder="b")
    monkeypatch.setattr(choices, "RUNS", tmp_path)
    monkeypatch.setattr(choices, "WANTED", (lacking, done))
    folder = RunFolder(tmp_path / "b")
    folder.open(load_config(choices.CHOICES, list(done.settings)))
    metrics = dict.fromkeys(("base", "tuned", "difference"), CEILING.to_json())
    write_json(folder.evaluation, {"metrics": metrics, "folds": [], "provenance": {}})
    assert [(one.encoder, one.before) for one in choices.from_choices()] == [("vit-16", CEILING)]
    assert not (tmp_path / "a").exists()


def test_a_cross_validation_that_is_known_is_not_run_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    known = choices.Wanted("a", "pixels", "linear transform", ("model=pixels:grey",))
    monkeypatch.setattr(choices, "RUNS", tmp_path)
    monkeypatch.setattr(choices, "WANTED", (known,))
    assert choices.from_choices({("pixels", "linear transform")}) == []
    assert not any(tmp_path.iterdir())


def test_what_is_measured_again_replaces_what_is_kept_of_the_same_state_only() -> None:
    before = [line("pixels", "frozen", 0.3), line("pixels", "linear transform", 0.5)]
    again = line("pixels", "frozen", 0.4)
    assert measured.merged_lines([again], before) == [again, before[1]]
    scratch = line("scratch", "frozen", 0.1)
    assert measured.merged_lines([scratch], before) == [*before, scratch]


def test_a_line_over_fewer_seeds_does_not_replace_one_over_more() -> None:
    whole = line("tiny-videomae", "LoRA", 0.5, 0.6)
    assert measured.merged_lines([line("tiny-videomae", "LoRA", 0.9)], [whole]) == [whole]


def test_seeds_that_were_run_one_at_a_time_are_averaged() -> None:
    whole = {
        seed: Metric(0.1 * seed, 0.1 * seed - 0.2, 0.1 * seed + 0.3, 10, "Spearman rho") for seed in range(3)
    }
    first, last = SeedMean.of({0: whole[0], 2: whole[2]}), SeedMean.of({1: whole[1]})
    found, right = measured.over_seeds(last, first), SeedMean.of(whole)
    assert found.seeds == right.seeds
    for bound in ("value", "low", "high"):
        assert getattr(found, bound) == pytest.approx(getattr(right, bound))
    assert measured.over_seeds(last, right) == last, "measured again"


def test_differences_from_models_that_are_no_longer_here_are_kept() -> None:
    before = line("vit-16", "frozen", 0.4, tuned_pixels=0.1, random_twin=0.2)
    (found,) = measured.merged_lines([line("vit-16", "frozen", 0.4, tuned_pixels=0.15)], [before])
    assert {name: one.value for name, one in found.differences.items()} == {
        "tuned pixels": 0.15,
        "random twin": 0.2,
    }


def test_kept_results_are_not_missing() -> None:
    planned = [
        grid.Missing("scratch", "frozen", (0, 1, 2), True),
        grid.Missing("tiny-videomae", "LoRA", (0, 1, 2), True),
        grid.Missing("vit", "LoRA", (0, 1, 2), True),
    ]
    known = [line("scratch", "frozen", 0.1, 0.1, 0.1), line("tiny-videomae", "LoRA", 0.5, 0.6)]
    assert measured.still_missing(planned, known) == [
        grid.Missing("tiny-videomae", "LoRA", (2,), False), planned[2],
    ]  # fmt: skip


def test_results_come_back_from_json() -> None:
    absent = measured.Absent([grid.Missing("vit", "LoRA", (1,), False)], [], ["vit"], [("vit-16", "LoRA")])
    given = results(absent=absent)
    assert measured.Measured.from_json(given.to_json()) == given


def test_the_page_the_readme_and_the_figure_are_of_one_measurement() -> None:
    """All are written by one call of `python reproduce/heider_simmel_figures.py`."""
    found = measured.Measured.from_json(read_json(figures.RESULTS))
    document = read_text(figures.PAGE)
    for name, text in page.page_parts(found).items():
        assert (
            f"<!-- {name}: written by reproduce/heider_simmel_figures.py -->\n{text}\n<!-- /{name} -->"
            in document
        )
    assert page.summary_text(found.verbs) in read_text(figures.README)
    drawn = html.unescape(read_text(figures.FIGURE))
    assert figures.figure(found.verbs, found.ceiling).describe() in drawn
