"""(g) What it takes to start: `import bgs`, and a command, beside an interpreter that does nothing, and beside `import numpy`."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

from parts.rows import Row
from parts.timing import in_turns, ratio_row

SIZES = {"full": 21, "quick": 5, "smallest": 1}
#: The command as installed calls this.
COMMAND = "from bgs.cli.main import main; main({})"
STARTS = {
    "nothing": "pass",
    "numpy": "import numpy",
    "bgs": "import bgs",
    "version": COMMAND.format(["--version"]),
    "help": COMMAND.format(["evaluate", "--help"]),
}


def run(code: str) -> None:
    """A new interpreter that runs the code."""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def measure(size: str) -> list[Row]:
    """Rows of this part; the ratio is how many times as long ours takes."""
    spent = in_turns({name: partial(run, code) for name, code in STARTS.items()}, SIZES[size])
    return [
        ratio_row(f"g: {name}", what, spent[name], spent[beside], inverse=True)
        for name, what, beside in (
            ("bgs", "`import bgs` beside a Python that does nothing", "nothing"),
            ("version", "`bgs --version` beside the same", "nothing"),
            ("help", "`bgs evaluate --help` beside `import numpy`", "numpy"),
        )
    ]
