"""The report of an experiment: all sections, in plain words, from what lies on disk."""

from __future__ import annotations

import copy
import csv
import json
import re
import shutil
from collections import Counter
from dataclasses import replace

import pytest

import bgs
from bgs import BgsError
from bgs._files import sha256_of
from bgs.cli.main import main
from bgs.evaluation import Metric
from bgs.experiments.chapters import CHAPTERS
from bgs.experiments.experiment import open_experiment
from bgs.experiments.page import experiment_page, report_experiment
from bgs.experiments.results import ResultsTable
from bgs.reports import Page, Section

KEYS = [
    "gap", "conditions", "ceiling", "variance", "attributes", "transfer", "attention", "distillation", "dimensions",
    "matrices", "map", "triplets",
]  # fmt: skip


def page_of(folder, failed=None) -> Page:
    table = ResultsTable.from_json(json.loads((folder / "results.json").read_text()))
    return experiment_page(open_experiment(folder), table, failed or {})


@pytest.fixture(scope="module")
def of_text(text_experiment):
    return page_of(text_experiment[1])


@pytest.fixture(scope="module")
def of_clips(clip_experiment):
    return page_of(clip_experiment[1])


def test_simulated_data_stay_simulated(clip_experiment, tmp_path):
    """The banner outlives a licence that was rewritten and a data set that lost its mark: the experiment recorded it."""
    shutil.copytree(clip_experiment[1], tmp_path / "copy")
    data = open_experiment(tmp_path / "copy")
    assert data.study.dataset.simulated
    laundered = replace(data.study.dataset, simulated=False, licence="CC0")
    data = replace(data, study=replace(data.study, dataset=laundered))
    assert data.simulated
    table = ResultsTable.from_json(json.loads((tmp_path / "copy/results.json").read_text()))
    assert experiment_page(data, table, {}).banner.startswith("SIMULATED")
    evaluation = json.loads(next((tmp_path / "copy/cells").rglob("evaluation.json")).read_text())
    assert all(result["provenance"]["simulated"] is True for result in evaluation.values())


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("results.json", "{", r"results\.json: damaged"), ("results.json", "{}", r"results\.json: damaged"),
        ("results.json", '{"protocols": 3, "failed": {}}', r"results\.json: damaged"),
        ("provenance.json", "[", r"provenance\.json: damaged"), ("provenance.json", "{}", r"provenance\.json: damaged"),
        ("analyses/variance.json", "\0", r"variance\.json: damaged"),
        ("analyses/probes.json", '{"version": 1, "key": "", "error": 3}', r"probes\.json: damaged: error"),
        ("analyses/dimensions.json", '{"version": 1, "key": ""}', r"dimensions\.json: damaged: result is missing"),
        ("experiment.yaml", "data: [", r"experiment\.yaml, line 1: not YAML"),
    ],
)  # fmt: skip
def test_damaged_files_of_an_experiment_are_one_line(copied, capsys, file, text, message):
    (copied / file).write_text(text)
    with pytest.raises(SystemExit) as caught:
        main(["report", str(copied)])
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert re.search(message, error)


@pytest.fixture
def copied(text_experiment, tmp_path):
    """A copy of the text experiment, to change."""
    shutil.copytree(text_experiment[1], tmp_path / "copy")
    return tmp_path / "copy"


def section(page: Page, key: str) -> Section:
    return next(found for found in page.sections if found.key == key)


def words_of(page: Page) -> str:
    """All text of a page but its banner and provenance."""
    parts = [page.title, page.lead]
    for part in page.sections:
        parts += [part.title, part.sentence, part.method, *part.notes]
        parts += [text for block in part.figures for text in (block.caption, block.words, block.footnote)]
        parts += [str(cell) for table in part.tables for row in (table.header, *table.rows) for cell in row]
        parts += [text for block in part.triplets for text in (block.title, block.sentence)]
        parts += [t.describe(page.words) + t.note for block in part.triplets for t in block.triplets]
    return "\n".join(parts)


def test_every_section_is_there_with_method_and_command(of_text, of_clips):
    assert [
        chapter.key for chapter in CHAPTERS if chapter.key != "learning-curve"
    ] == KEYS  # optional, not asked for here
    for page in (of_text, of_clips):
        assert [part.key for part in page.sections] == KEYS
        for part in page.sections:
            assert part.sentence
            assert part.method
            assert part.rerun.startswith("bgs experiment experiment.yaml --out ")
            if not part.sentence.startswith("Not applicable"):
                assert part.figures or part.tables


def test_what_does_not_apply_says_why_in_plain_words(of_text, of_clips):
    assert section(of_text, "transfer").sentence.startswith(
        "Not applicable because the second data set is not on this machine"
    )
    assert (
        section(of_text, "attention").sentence == "Not applicable because the clips are not on this machine."
    )
    assert section(of_text, "map").sentence == "Not applicable because the clips are not on this machine."
    without = "Not applicable because the experiment has no condition language-distillation."
    assert section(of_clips, "distillation").sentence == without


def test_people_are_people_and_simulated_observers_are_not(of_text, of_clips):
    assert of_text.banner == ""
    assert "gap to people" in words_of(of_text)
    assert "observers" not in words_of(of_text)
    assert of_clips.banner.startswith("SIMULATED")
    assert "gap to observers" in words_of(of_clips)
    assert not re.search(r"\b(people|persons?|humans?)\b", words_of(of_clips))


def test_every_number_of_the_table_is_in_the_page(of_text, text_experiment):
    table = text_experiment[0].table.protocols["held-out-pairs"]
    rows = {row[0]: row for row in section(of_text, "conditions").tables[0].rows}
    figure = table.models["tiny"]["hybrid"].metrics.rsa_spearman
    assert rows["tuned on people"][1] == figure
    assert rows["tuned on people"][4] == figure.n
    assert rows["tuned on people"][6].count(".") == 2  # seed by seed
    levels = {
        estimate.label: estimate
        for estimate in section(of_text, "conditions").figures[0].figure.panels[0].rows
    }
    assert levels["tuned on people"].points == tuple(figure.seeds.values())
    assert levels["tuned on people"].role == "tuned"


def _set_change(folder, low, high):
    """Another interval of hybrid - base on disk."""
    path = folder / "results.json"
    found = json.loads(path.read_text())
    change = found["protocols"]["held-out-pairs"]["differences"]["tiny"]["hybrid - base"]["rsa_spearman"]
    change |= {"value": (low + high) / 2, "low": low, "high": high}
    path.write_text(json.dumps(found))


@pytest.mark.parametrize(
    ("interval", "words"),
    [((0.1, 0.3), "Tuning raised"), ((-0.3, -0.1), "Tuning lowered"), ((-0.1, 0.3), "There is no evidence that tuning")],
)  # fmt: skip
def test_an_interval_that_holds_0_is_no_evidence(copied, interval, words):
    _set_change(copied, *interval)
    assert section(page_of(copied), "conditions").sentence.startswith(words)


def _change_analysis(folder, name, change):
    path = folder / f"analyses/{name}.json"
    found = json.loads(path.read_text())
    change(found)
    if "result" in found:  # as if it had been written so
        found["sha256"] = sha256_of(json.dumps(found["result"], sort_keys=True))
    path.write_text(json.dumps(found))


@pytest.mark.parametrize(
    ("low", "q", "words"),
    [(0.1, 0.01, "1 of 1 ratings (valence) is decoded better"), (0.1, 0.2, "no evidence"), (-0.1, 0.01, "no evidence")],
)  # fmt: skip
def test_a_rating_is_decoded_better_where_interval_and_q_say_so(copied, low, q, words):
    def change(found):
        for conditions in found["result"]["models"]["tiny"]["protocols"].values():
            conditions["hybrid"]["pearson"]["valence"]["difference"] |= {
                "value": 0.3,
                "low": low,
                "high": 0.5,
                "q": q,
            }

    _change_analysis(copied, "probes", change)
    headline, *others = section(page_of(copied), "attributes").sentence.split("\n\n")
    assert headline.startswith("On held-out clips (n = 10), ")
    assert words in headline
    assert others[-1].startswith("On held-out clips, by probes trained on 4 of them (n = 10), ")


def test_attributes_that_observers_rely_on_are_told_apart(copied):
    def change(found):
        found["result"]["drivers"] = ["valence"]
        for conditions in found["result"]["models"]["tiny"]["protocols"].values():
            for scores in conditions["hybrid"].values():
                scores["hue"] = copy.deepcopy(scores["valence"])
            conditions["hybrid"]["pearson"]["valence"]["difference"] |= {"low": 0.1, "high": 0.5, "q": 0.01}
            del conditions["language-distillation"]

    _change_analysis(copied, "probes", change)
    found = section(page_of(copied), "attributes")
    assert found.sentence.partition("\n")[0] == (
        "On held-out clips (n = 10), 1 of 1 attributes that people rely on (valence) is decoded better after tuning; there is "
        "no evidence that tuning changed the decoding of any of 1 other attributes."
    )
    titles = [panel.title for panel in found.figures[0].figure.panels]
    assert titles == ["Attributes that people rely on", "Other attributes"]


def test_unique_variance_needs_an_interval_above_0(copied):
    def change(found):
        parts = found["result"]["models"]["tiny"]["partitions"]["hybrid"]["cross_validated"]
        parts["hybrid"] |= {"value": 0.2, "low": 0.1, "high": 0.3}

    assert "no evidence" in section(page_of(copied), "variance").sentence
    _change_analysis(copied, "variance", change)
    sentence = section(page_of(copied), "variance").sentence
    assert sentence.startswith(
        "The tuned model explains variance of the dissimilarities of people beyond captions ("
    )


def test_a_failed_analysis_and_a_failed_cell_are_said(copied):
    _change_analysis(
        copied,
        "probes",
        lambda found: (found.pop("result"), found.update(error={"message": "out of memory"})),
    )
    shutil.rmtree(copied / "cells/tiny/language-distillation")
    (copied / "analyses/dimensions.json").unlink()
    page = page_of(copied, {"tiny/language-distillation/seed-0": "no power"})
    assert "Failed: tiny/language-distillation/seed-0, no power." in page.lead
    assert section(page, "attributes").sentence == "This analysis failed: out of memory."
    assert section(page, "dimensions").sentence == "Not applicable because it has not been run yet."


def test_triplets_are_text_where_there_are_no_clips(of_text, of_clips):
    blocks = section(of_text, "triplets").triplets
    assert [block.title for block in blocks] == ["Repaired", "Broken"]
    shown = [clip for block in blocks for triplet in block.triplets for clip in triplet.clips]
    assert shown
    assert all(clip.frames is None and clip.caption for clip in shown)
    filmed = [c for block in section(of_clips, "triplets").triplets for t in block.triplets for c in t.clips]
    assert all(clip.frames is not None for clip in filmed)


def test_the_first_screen_shows_one_triplet_by_a_rule_that_it_states(of_text, of_clips, text_experiment):
    for page, judges in ((of_text, "people"), (of_clips, "observers")):
        shown = page.opening
        odd = shown.triplet.odd
        differ = odd["base"] != odd["tuned"]
        assert differ or "never differ" in shown.rule
        assert shown.names == {"people": judges, "base": "base model", "tuned": "tuned model"}
        assert f"the one on which {judges} agree most" in shown.rule
        base, tuned = (verdict.text for verdict in shown.verdicts[1:])
        agree = {"base": odd["base"] == odd["people"], "tuned": odd["tuned"] == odd["people"]}
        assert base.endswith(f"{'' if agree['base'] else 'dis'}agrees with {judges}.")
        assert tuned.endswith(f"{'' if agree['tuned'] else 'dis'}agrees with {judges}.")
    assert all(clip.frames is not None for clip in of_clips.opening.triplet.clips)
    assert all(clip.frames is None and clip.caption for clip in of_text.opening.triplet.clips)
    odd = (
        text_experiment[0].table.protocols["held-out-pairs"].models["tiny"]["hybrid"].metrics.odd_one_out_3afc
    )
    share = f"{100 * odd.value:.0f} % [{100 * odd.low:.0f}, {100 * odd.high:.0f}] (95 % intervals; chance is 33 %)"
    assert of_text.opening.agreement.startswith(
        f"Over all {odd.n:,} held-out trials, the base model chooses as people"
    )
    assert of_text.opening.agreement.endswith(f"{share}.")


def test_the_triplet_of_the_first_screen_is_the_one_of_the_rule(of_text, text_experiment):
    """Beside a loop over all triplets of held-out clips."""
    experiment = text_experiment[0].experiment
    base, tuned = experiment.pairs("tiny")[0]
    distances = experiment.distances(base), experiment.distances(tuned)
    judged = experiment.study.trials.judgments
    votes: dict[tuple[int, ...], Counter[int]] = {}
    for trio, odd in zip(judged.stimuli.tolist(), judged.odd.tolist(), strict=True):
        if set(trio) <= set(experiment.evaluated.tolist()):
            votes.setdefault(tuple(sorted(trio)), Counter())[trio[odd]] += 1

    def choice(rdm, trio):
        a, b, c = trio
        return min((rdm[b, c], a), (rdm[a, c], b), (rdm[a, b], c))[1]

    agreement = {
        trio: (max(counted.values()) + 1) / (sum(counted.values()) + 3)
        for trio, counted in votes.items()
        if list(counted.values()).count(max(counted.values())) == 1
        and choice(distances[0], trio) != choice(distances[1], trio)
    }
    ids = experiment.study.stimuli.ids
    best = [{ids[i] for i in trio} for trio, share in agreement.items() if share == max(agreement.values())]
    assert {clip.name for clip in of_text.opening.triplet.clips} in best


def test_the_headline_is_base_tuned_and_ceiling(of_text, text_experiment):
    found = text_experiment[0].table.protocols["held-out-pairs"]
    (panel,) = of_text.headline.figure.figure.panels
    levels = found.models["tiny"]
    assert [(row.role, row.value) for row in panel.rows] == [
        ("base", levels["base"].metrics.rsa_spearman.value), ("tuned", levels["hybrid"].metrics.rsa_spearman.value),
    ]  # fmt: skip
    assert panel.ceiling.value == found.ceilings.rsa_ceiling.value
    assert of_text.headline.sentence.startswith(section(of_text, "conditions").sentence.partition("\n")[0])


def test_without_a_tuned_cell_there_is_no_first_screen(copied):
    shutil.rmtree(copied / "cells/tiny/hybrid")
    found = json.loads((copied / "results.json").read_text())
    for protocol in found["protocols"].values():
        del protocol["models"]["tiny"]["hybrid"]
    (copied / "results.json").write_text(json.dumps(found))
    page = page_of(copied)
    assert page.opening is None
    assert page.headline is None


def test_markdown_of_people_names_and_shows_no_clip(text_experiment, tmp_path, capsys):
    page = tmp_path / "docs" / "study.md"
    assert run("report", text_experiment[1], "--format", "md", "--out", page) == 0
    assert str(page) in capsys.readouterr().out
    text = page.read_text(encoding="utf-8")
    figures = sorted((tmp_path / "docs/figures/study").iterdir())
    assert {path.suffix for path in figures} == {".svg"}
    everything = text + "".join(path.read_text(encoding="utf-8") for path in figures)
    stimuli = text_experiment[0].experiment.study.stimuli
    assert not [name for name in stimuli.ids if re.search(rf"\b{re.escape(name)}\b", everything)]
    assert not [said for captions in stimuli.captions for said in captions if said in everything]
    assert "the one on which" not in text
    for link in re.findall(r"\]\((.*?)\)", text):
        assert (page.parent / link).is_file()
    again = bgs.report(text_experiment[1], tmp_path / "again.md", format="md")
    assert again.read_text(encoding="utf-8").replace("figures/again/", "figures/study/") == text


def test_markdown_of_simulated_clips_shows_them(clip_experiment, tmp_path):
    path = report_experiment(clip_experiment[1], tmp_path / "film.md", form="md")
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert "> SIMULATED" in text
    assert "clips with the highest loadings" in text
    assert (tmp_path / "figures/film/opening.jpg").read_bytes().startswith(b"\xff\xd8\xff")
    assert (tmp_path / "figures/film/map-1.svg").is_file()
    assert re.search(r"2 cells|\d cells, \d+ minutes of training", text)


def test_formats_of_a_report(text_experiment, tmp_path, capsys):
    assert run("report", text_experiment[1], "--format", "pdf") == 2
    assert run("report", text_experiment[1], "--format", "md", "--out", tmp_path / "page.html") == 2
    assert "expected" in capsys.readouterr().err
    with pytest.raises(BgsError, match="expected html or md, got pdf"):
        bgs.report(text_experiment[1], tmp_path / "x.md", format="pdf")
    assert list(tmp_path.iterdir()) == []


def test_provenance_has_data_versions_seeds_hardware_and_commit(of_text):
    found = of_text.provenance
    assert set(found["data_hashes"]) == {"stimuli", "trials"}
    assert found["seeds"] == [0, 1]
    assert "torch" in found["versions"]
    assert set(found["hardware"]) == {"processor", "cores", "gpu"}
    assert found["git_commit"] is None or re.fullmatch(r"[0-9a-f]{40}\+?", found["git_commit"])


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as done:
        main([str(argument) for argument in arguments])
    return done.value.code


def test_the_command_writes_page_figures_and_tables(clip_experiment, tmp_path, capsys):
    out = tmp_path / "there" / "film.html"
    assert run("report", clip_experiment[1], "--out", out) == 0
    assert str(out) in capsys.readouterr().out
    text = out.read_text(encoding="utf-8")
    assert "SIMULATED" in text
    assert not re.search(r'(src|href)="(?!data:|#)', text)
    assert all(f'id="{key}"' in text for key in KEYS)
    folder = out.with_suffix("")
    for name in (
        "conditions-1.svg",
        "conditions-1.png",
        "variance-1.svg",
        "attributes-1.png",
        "attention-2.png",
    ):
        assert (folder / "figures" / name).stat().st_size > 500
    with (folder / "tables/transfer-1.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    own = json.loads((clip_experiment[1] / "analyses/transfer.json").read_text())["result"]["models"]["film"]
    assert float(rows[0]["tuned low"]) == own["changes"]["rsa_spearman"]["tuned"]["low"]
    assert r"\toprule" in (folder / "tables/variance-1.tex").read_text()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda result: result | {"models": 3}, "models: Input should be a valid dictionary"),
        (lambda result: {}, "models: Field required"),
        (lambda result: [1], "result: Input should be a valid dictionary"),
        (
            lambda result: result | {"not_applicable": {"other": "it is not"}},
            "other values than were written",
        ),
    ],
)
def test_a_result_that_is_not_as_it_was_written_is_one_line(copied, capsys, spoil, message):
    path = copied / "analyses/variance.json"
    found = json.loads(path.read_text())
    path.write_text(json.dumps(found | {"result": spoil(found["result"])}))
    assert run("report", copied) == 2
    error = capsys.readouterr().err
    assert f"variance.json: damaged: {message} (delete it" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("chapter", "keys"),
    [
        ("variance", ("models", "tiny", "partitions", "hybrid", "cross_validated", "hybrid", "low")),
        ("probes", ("models", "tiny", "protocols", "held-out", "hybrid", "pearson", "valence", "base", "n")),
        ("dimensions", ("people", "ratings", 0, "pearson", "unit")),
        ("disagreement", ("models", "tiny", "0", "repaired", 0, "votes")),
        ("gap", ("protocols", "held-out-pairs", "ceilings", "rsa_ceiling", "value")),
    ],
)
def test_the_key_of_a_wrong_value_is_named(copied, capsys, chapter, keys):
    path = copied / f"analyses/{chapter}.json"
    found = json.loads(path.read_text())
    place = found["result"]
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = {"wrong": 1}
    path.write_text(json.dumps(found))
    assert run("report", copied) == 2
    error = capsys.readouterr().err
    assert f"{chapter}.json: damaged: {'.'.join(map(str, keys))}" in error
    assert error.count("\n") == 1


def test_folders_that_are_no_finished_experiment_are_refused(copied, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert run("report", tmp_path / "empty") == 2
    error = capsys.readouterr().err
    assert error.startswith("bgs: ")
    assert "not an experiment; expected a folder with experiment.yaml" in error
    assert error.count("\n") == 1
    (copied / "results.json").unlink()
    assert run("report", copied) == 2
    assert "has no results yet" in capsys.readouterr().err
    (copied / "experiment.yaml").write_text("models: 3\n")
    with pytest.raises(BgsError, match=r"experiment\.yaml"):
        report_experiment(copied)


def test_data_that_have_changed_since_are_refused(copied):
    about = json.loads((copied / "provenance.json").read_text())
    about["data_hashes"]["trials"] = "0" * 64
    (copied / "provenance.json").write_text(json.dumps(about))
    with pytest.raises(BgsError, match="the trials differ from those that this experiment was started with"):
        report_experiment(copied)


def test_metrics_survive_the_way_to_disk(text_experiment):
    found = json.loads((text_experiment[1] / "analyses/probes.json").read_text())["result"]
    score = found["models"]["tiny"]["protocols"]["k-fold"]["hybrid"]["pearson"]["valence"]["difference"]
    assert set(score) == {"value", "low", "high", "n", "unit", "intervals", "p", "seeds", "q"}
    assert isinstance(Metric.from_json(score), Metric)


def test_planted_parts_stand_beside_the_estimated_ones(copied):
    assert "planted" not in section(page_of(copied), "variance").tables[0].header

    def plant(found):
        partition = found["result"]["models"]["tiny"]["partitions"]["hybrid"]
        parts = partition["cross_validated"]
        partition["planted"] = {name: part["value"] for name, part in parts.items()}
        partition["planted"]["total"] = parts["total"]["high"] + 0.1
        found["result"]["models"]["tiny"]["partitions"] = {"hybrid": partition}

    _change_analysis(copied, "variance", plant)
    found = section(page_of(copied), "variance")
    assert "within the intervals for 3 of 4 parts" in found.sentence
    table = found.tables[0]
    planted = [row[table.header.index("planted")] for row in table.rows]
    assert planted[4:] == [None, None]
    assert planted[0] == pytest.approx(table.rows[0][1].value)


def test_random_changes_are_told_beside_p(copied):
    def change(found):
        partition = found["result"]["models"]["tiny"]["partitions"]["hybrid"]
        unique = partition["random_change"]["unique"] | {"value": 0.01, "low": -0.02, "high": 0.04, "p": 0.25}
        partition["random_change"] = {"unique": unique, "correlation": 0.5, "reached": 0.5}

    label = "p against random changes of the base of the same size"
    _change_analysis(copied, "variance", change)
    found = section(page_of(copied), "variance")
    assert (
        "Random changes of the base model of the same size as tuning explain .010 beyond captions (median; "
        f"95 % of them −.020 to .040); {label}: .250."
    ) in found.sentence
    assert "They are smaller changes" not in found.sentence
    table = found.tables[0]
    assert [row[table.header.index(label)] for row in table.rows] == [".250", *["–"] * 5]

    def smaller(found):
        found["result"]["models"]["tiny"]["partitions"]["hybrid"]["random_change"]["reached"] = 0.7

    _change_analysis(copied, "variance", smaller)
    assert (
        "correlation with the distances of the base .70 instead of .50"
        in section(page_of(copied), "variance").sentence
    )


def test_a_result_of_another_form_is_not_read(copied):
    _change_analysis(copied, "variance", lambda found: found.update(version=2))
    assert "another version" in section(page_of(copied), "variance").sentence
