"""Starting is cheap: importing the package or asking for help loads nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

HEAVY = {
    "torch",
    "transformers",
    "peft",
    "sentence_transformers",
    "matplotlib",
    "pandas",
    "scipy",
    "sklearn",
    "av",
    "pooch",
    "requests",
}


def loaded_by(code: str) -> set[str]:
    report = f"import sys, json; {code}; print(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    output = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True).stdout
    return set(json.loads(output.splitlines()[-1]))


def test_import_loads_nothing_heavy():
    assert loaded_by("import bgs") & (HEAVY | {"numpy"}) == set()


def test_filming_starts_without_the_packages_that_train():
    """Every process that films imports this module anew."""
    loaded = loaded_by("import bgs.simulation.clip_folder")
    assert loaded & {"torch", "transformers", "matplotlib", "pandas", "sklearn"} == set()


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["data"],
        ["cache"],
        ["embed"],
        ["evaluate"],
        ["ordinal"],
        ["train"],
        ["attention"],
        ["simulate"],
        ["quickstart"],
        ["experiment"],
        ["report"],
        ["config"],
        ["models", "list"],
    ],
)
def test_help_loads_nothing_heavy(command):
    arguments = [*command, "--help"]
    code = f"import bgs.cli.main as m\ntry:\n    m.main({arguments!r})\nexcept SystemExit:\n    pass"
    report = (
        code + "\nimport sys, json\nprint(json.dumps(sorted({n.partition('.')[0] for n in sys.modules})))"
    )
    output = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True).stdout
    assert set(json.loads(output.splitlines()[-1])) & (HEAVY | {"numpy"}) == set()
    assert "Example:" in output


def test_completion_of_commands_loads_nothing_heavy():
    """What a shell runs when Tab is pressed, and what installs it."""
    environment = {"_BGS_COMPLETE": "complete_bash", "COMP_WORDS": "bgs e", "COMP_CWORD": "1"}
    code = f"import os, sys; os.environ.update({environment}); sys.argv = ['bgs']; import bgs.cli.main as m\n"
    code += "try:\n    m.main()\nexcept SystemExit:\n    pass\n"
    code += "print(sorted({n.partition('.')[0] for n in sys.modules} & %r), file=sys.stderr)" % (
        HEAVY | {"numpy"}
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["embed", "evaluate", "experiment"]
    assert done.stderr.strip() == "[]"
    shown = subprocess.run(
        [sys.executable, "-m", "bgs.cli.main", "--help"], capture_output=True, text=True, check=True
    )
    assert "--install-completion" in shown.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "seconds"), [(["-c", "import bgs"], 0.2), (["-m", "bgs.cli.main", "--help"], 0.4)]
)
def test_starting_takes_a_moment(arguments, seconds):
    """Seconds beyond an empty interpreter, the least of ten runs: this machine is noisy."""

    def least(command):
        times = []
        for _ in range(10):
            start = time.perf_counter()
            subprocess.run([sys.executable, *command], capture_output=True, check=True)
            times.append(time.perf_counter() - start)
        return min(times)

    assert least(arguments) < seconds
