"""`bgs config`: templates say every key, load to the defaults, and configurations print as they are understood."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from bgs._config import settings_in
from bgs.cli.main import main
from bgs.experiments.config import ExperimentConfig, load_experiment
from bgs.training import TrainingConfig, load_config

ROOT = Path(__file__).parents[2]
NEEDED = {
    "training": (TrainingConfig, {"model": "text:minilm", "data": "garcia-isik-2025"}),
    "experiment": (
        ExperimentConfig,
        {
            "models": {"minilm": {"model": "text:minilm"}},
            "data": "garcia-isik-2025",
            "captions": "text:minilm",
        },
    ),
}


def printed(capsys, *arguments) -> str:
    with pytest.raises(SystemExit) as left:
        main(["config", *map(str, arguments)])
    assert left.value.code == 0
    return capsys.readouterr().out


def fields(settings: BaseModel, prefix: str = ""):
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        yield prefix + name
        if isinstance(value, BaseModel):
            yield from fields(value, f"{prefix}{name}.")


def nested(given: dict, prefix: str = ""):
    for name, value in given.items():
        yield prefix + name
        if isinstance(value, dict):
            yield from nested(value, f"{prefix}{name}.")


@pytest.mark.parametrize("kind", NEEDED)
def test_a_template_loads_to_the_defaults_and_names_every_key(kind, tmp_path, capsys):
    settings, needed = NEEDED[kind]
    text = printed(capsys, "init", kind)
    (tmp_path / "c.yaml").write_text(text)
    load = load_config if kind == "training" else load_experiment
    default = settings.model_validate(needed)
    assert load(tmp_path / "c.yaml") == default
    assert set(fields(default)) <= set(nested(yaml.safe_load(text)))
    assert max(map(len, text.splitlines())) <= 130
    assert "# Number of updates over which the rate increases from 0." in text or kind == "experiment"


@pytest.mark.parametrize(
    ("kind", "section", "required"),
    [
        ("training", "head", {}),
        ("training", "cross_validation", {}),
        ("training", "ratings", {"columns": ["a", "b"]}),
        ("experiment", "simulate", {}),
        ("experiment", "analyses.attention", {}),
        ("experiment", "analyses.transfer", {"data": "phase-genset", "ratings": ["a"]}),
    ],
)
def test_sections_that_are_left_out_stand_there_as_comments(kind, section, required, capsys):
    """Without `# ` in front of its lines a section is given, with its defaults."""
    *outer, name = section.split(".")
    margin = "  " * len(outer)
    lines = printed(capsys, "init", kind).splitlines()
    start = lines.index(f"{margin}# {name}:")
    assert lines[start - 1] == f"{margin}{name}: null"
    block = itertools.takewhile(lambda line: line.startswith(f"{margin}#   "), lines[start + 1 :])
    found = yaml.safe_load("\n".join(line.removeprefix(f"{margin}# ") for line in block))
    kind_of = NEEDED[kind][0]
    for part in (*outer, name):
        kind_of = settings_in(kind_of.model_fields[part].annotation)
    assert set(found) == set(kind_of.model_fields)
    assert {
        key for key, value in found.items() if value is None and kind_of.model_fields[key].is_required()
    } == set(required)
    assert kind_of.model_validate({**found, **required}) == kind_of.model_validate(required)


def test_words_that_a_key_may_have_are_named(capsys):
    text = " ".join(printed(capsys, "init", "training").replace("#", "").split())
    assert "Choices: constant, cosine, plateau." in text
    assert "Model to tune: text:<name>" in text


@pytest.mark.parametrize("path", ["configs/garcia-isik-2025-minilm.yaml", "configs/paper-text-minilm.yaml"])
def test_what_is_shown_is_what_is_understood(path, tmp_path, capsys):
    text = printed(capsys, "show", ROOT / path)
    (tmp_path / "c.yaml").write_text(text)
    load = load_experiment if "paper" in path else load_config
    assert load(tmp_path / "c.yaml") == load(ROOT / path)


def test_overrides_and_faults_are_those_of_training(tmp_path, capsys):
    (tmp_path / "c.yaml").write_text("model: lookup:3\ndata: mine\n")
    assert yaml.safe_load(printed(capsys, "show", tmp_path / "c.yaml", "--set", "seed=4"))["seed"] == 4
    with pytest.raises(SystemExit) as left:
        main(["config", "show", str(tmp_path / "c.yaml"), "--set", "sed=4"])
    assert left.value.code == 2
    assert "unknown key 'sed'" in capsys.readouterr().err
