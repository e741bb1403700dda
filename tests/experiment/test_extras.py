"""Every extra alone, and none: each module loads and each command works, or names the extra that it needs.

Packages of the other extras are hidden from a process of its own, so that what is installed here does not matter.
"""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from packaging.requirements import Requirement

from bgs import Embeddings
from bgs._files import sha256_of
from bgs._optional import PACKAGES
from bgs.collection.opening import open_database
from bgs.collection.study_folder import open_study
from bgs.datasets.folder import STIMULI
from bgs.library.about import About
from bgs.library.index import write_index
from bgs.library.table import Row
from collection.conftest import write_study

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
INSTALL = Path(__file__).parents[1] / "install"
#: Extra -> the commands that work with it beyond those that always work.
WORKS = {
    "none": (),
    "plot": (),
    "analysis": (),
    "frames": (),
    "features": ("evaluate parquet",),
    "excel": ("import excel",),
    "report": ("report",),
    "train": ("embed a table", "train a table"),
    "text": ("embed a table", "train a table", "embed captions"),
    "minilm": ("embed a table", "train a table", "embed captions"),
    "video": ("embed a table", "train a table", "simulate clips"),
    "torchcodec": ("embed a table", "train a table", "simulate clips"),
    "mediapipe": ("embed a table", "train a table", "simulate clips"),
    "collect": ("collect status",),
    "postgres": ("collect status",),
    "library": ("embed a table", "train a table", "simulate clips", "similar"),
    "browse": ("embed a table", "train a table", "simulate clips", "similar"),
    "ray": ("embed a table", "train a table", "simulate clips"),
    "submitit": ("embed a table", "train a table"),
}
ALWAYS = (
    "list data",
    "show",
    "audit",
    "plant",
    "import",
    "list models",
    "cache",
    "simulate judgments",
    "evaluate",
    "help",
)
#: Runs commands one after the other: (exit code, what was written to stderr) of each.
RUN = """
import contextlib, io, json, sys

sys.path.append(sys.argv[1])
from hidden_packages import hide

import filelock  # asks each system for its own locks: here it may use what Windows lacks
hidden, commands = json.load(sys.stdin)
hide(hidden)
from bgs.cli.main import main

found = {}
for name, arguments in commands.items():
    err = io.StringIO()
    with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())), contextlib.redirect_stderr(err):
        try:
            main(arguments)
        except SystemExit as end:
            found[name] = end.code or 0, err.getvalue()
        except BaseException as error:
            found[name] = 1, f"{type(error).__name__}: {error}"
print(json.dumps(found))
"""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def distributions_of(extra: str) -> set[str]:
    """Everything that installing the package with an extra brings, as far as it is installed here."""
    extras = PROJECT["optional-dependencies"]
    todo, found = list(PROJECT["dependencies"]) + list(extras.get(extra, ())), set()
    while todo:
        wanted = Requirement(todo.pop())
        name = _normal(wanted.name)
        if name == PROJECT["name"]:
            todo += [text for part in wanted.extras for text in extras[part]]
        elif name not in found and (wanted.marker is None or wanted.marker.evaluate({"extra": ""})):
            found.add(name)
            try:
                todo += requires(name) or ()
            except PackageNotFoundError:  # of another system, say
                continue
    return found


def hidden_with(extra: str) -> list[str]:
    """Packages of all extras that are not there with ``extra`` alone; and what Windows does not have."""
    there, where = distributions_of(extra), packages_distributions()
    brought_by = {package: {_normal(name) for name in names} for package, names in where.items()}
    optional = [package for part in PACKAGES.values() for package in part]
    return ["fcntl", *(package for package in optional if not brought_by.get(package, set()) & there)]


def _served(folder: Path) -> Path:
    """A study that was begun, as by `bgs collect serve`."""
    open_database(open_study(write_study(folder)), 0.0).close()
    return folder


@pytest.fixture(scope="module")
def commands(text_experiment, small_study, tiny_text, tmp_path_factory) -> dict[str, list[str]]:
    """Name -> arguments; {out} stands for a folder that is new each time."""
    folder = text_experiment[1]
    table = f"model: lookup:3\ndata: {small_study}\nepochs: 1\nlora: null\nvalidation: {{fraction: 0}}\n"
    table += "evaluation: {resamples: 100, permutations: 0}\n"
    config = tmp_path_factory.mktemp("configs") / "table.yaml"
    config.write_text(table)
    grid = config.with_name("grid.yaml")
    grid.write_text(f"data: {small_study}\nmodels: {{table: {{model: lookup:3}}}}\nconditions: [hybrid]\n")
    study = ["--data", str(small_study)]
    vectors = folder / "shared/captions.safetensors"
    evaluation = [*study, "--permutations", "0"]
    parquet = config.with_name("captions.parquet")
    known = Embeddings.load(vectors)
    pd.DataFrame({"stimulus_id": known.stimulus_ids, "features": list(known.values)}).to_parquet(parquet)
    judged = config.with_name("judged.csv")
    judged.write_text("participant,stim1,stim2,stim3,odd\nann,a,b,c,a\n")
    book = openpyxl.Workbook()
    for line in judged.read_text().splitlines():
        book.active.append(line.split(","))
    book.save(judged.with_suffix(".xlsx"))
    table_of = ["--from", "table", "--out"]
    library = config.with_name("library")
    rows = [Row(name, name, sha256_of(name), 1, 1, math.nan, math.nan) for name in "ab"]
    write_index(library, About("tiny:videomae", "0" * 64, 2, str(folder)), rows, np.eye(2, dtype=np.float32))
    return {
        "help": ["--help"],
        "import": ["data", "import", str(judged), *table_of, "{out}/imported"],
        "import excel": ["data", "import", str(judged.with_suffix(".xlsx")), *table_of, "{out}/from-excel"],
        "list data": ["data", "list"],
        "show": ["data", "show", str(small_study)],
        "audit": ["data", "audit", str(small_study), "--json", "{out}/audit.json"],
        "plant": ["data", "plant", "{out}/planted", "--clips", "20", "--trials", "100"],
        "simulate judgments": ["simulate", "judgments", "{out}/planted", "--trials", "100", "--weights", "valence=1"],
        "cache": ["cache", "info"],
        "list models": ["models", "list"],
        "evaluate": ["evaluate", "--embeddings", str(vectors), *evaluation, "--json", "{out}/evaluation.json"],
        "evaluate parquet": ["evaluate", "--embeddings", str(parquet), *evaluation, "--json", "{out}/evaluation.json"],
        "report": ["report", str(folder), "--out", "{out}/page.html"],
        "embed a table": ["embed", "--model", "lookup:3", *study, "--out", "{out}/table.safetensors"],
        "embed captions": ["embed", "--model", f"text:{tiny_text}", *study, "--out", "{out}/text.safetensors"],
        "train a table": ["train", str(config), "--out", "{out}/run"],
        "experiment": ["experiment", str(grid), "--out", "{out}/grid"],
        "quickstart": ["quickstart", "--out", "{out}/quickstart"],
        "attention": ["attention", "--model", "videomae-b", *study, "--out", "{out}/attention"],
        "simulate clips": ["simulate", "clips", "{out}/clips", "--clips", "16", "--size", "32", "--style", "point-light"],
        "draw clips": ["data", "fetch", "phase-genset", "--out", "{out}/phase", "--mirror", "{out}"],
        "collect status": ["collect", "status", str(_served(config.with_name("study")))],
        "similar": ["similar", "a", "--index", str(library)],
        "convert": ["models", "convert", "vjepa2.1-b", str(config), "--out", "{out}/converted"],
    }  # fmt: skip


def run(extra: str, commands: dict[str, list[str]], out: Path) -> dict[str, tuple[int, str]]:
    given = {
        name: [text.replace("{out}", str(out)) for text in arguments] for name, arguments in commands.items()
    }
    command = [sys.executable, "-c", RUN, str(INSTALL)]
    text = json.dumps([hidden_with(extra), given])
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


EACH_EXTRA = pytest.mark.parametrize(
    "extra",
    [e if e in ("none", "report") else pytest.param(e, marks=pytest.mark.slow) for e in WORKS],
)


def import_all(hidden: list[str]) -> tuple[int, str]:
    """Exit code and output of the script that imports every module and public name."""
    command = [sys.executable, str(INSTALL / "import_all.py"), *hidden]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


@EACH_EXTRA
def test_each_module_loads_or_names_the_extra(extra):
    code, output = import_all(hidden_with(extra))
    assert code == 0, output
    assert f"[{extra}]" not in output
    assert ("[train]" in output) == ("train a table" not in WORKS[extra])


def test_a_module_that_lacks_a_base_package_is_wrong():
    code, output = import_all([*hidden_with("none"), "pydantic"])
    assert code == 1
    assert "WRONG: bgs._config: No module named 'pydantic'" in output.splitlines()


@EACH_EXTRA
def test_each_command_works_or_names_the_extra(extra, commands, tmp_path):
    found = run(extra, commands, tmp_path)
    assert found.keys() == commands.keys()
    working = {*ALWAYS, *WORKS[extra]}
    for name, (code, error) in found.items():
        if name in working:
            assert code == 0, (name, error)
            continue
        last = error.splitlines()[-1]
        if re.search(r"needs the package '\w+' \(pip install 'bgs-video\[\w+\]'\)$", last) is None:
            assert extra not in ("none", "plot", "analysis", "frames", "report"), (
                name,
                error,
            )  # other reasons of its own
        assert code == 2, (name, error)
        assert last.startswith("bgs: "), (name, error)
        assert f"[{extra}]" not in last, (name, error)
    assert not {"run", "grid", "quickstart", "attention", "clips"} & {path.name for path in tmp_path.iterdir()} - {
        "run" if "train a table" in working else "", "clips" if "simulate clips" in working else ""
    }  # fmt: skip


def test_every_extra_is_tried():
    whole = {"quickstart", "dev"}  # nothing is missing there
    tests = {"browser", "docs"}  # nothing of bgs needs these
    assert {*WORKS} - {"none"} == {*PACKAGES} == {*PROJECT["optional-dependencies"]} - whole - tests


def test_a_data_set_is_loaded_without_any_extra(small_study):
    """And the packages that read it stay the base ones: a name that needs more says so."""
    code = (
        "import sys\nfor name in ('torch', 'transformers'): sys.modules[name] = None\n"
        f"import bgs; bgs.load_dataset({str(small_study / STIMULI)!r}.rpartition('/')[0])\n"
        "try: bgs.load_backbone('lookup:3')\nexcept bgs.BgsError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "this needs the package 'torch' (pip install 'bgs-video[train]')\n"
