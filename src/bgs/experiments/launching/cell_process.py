"""The process of one cell: ``python -m bgs.experiments.launching.cell_process FOLDER CELL [MIRROR]``.

It ends when its standard input does, so that it never outlives the process that holds the other end.
"""

from __future__ import annotations

import logging
import os
import sys
from threading import Thread

from bgs._errors import BgsError
from bgs._progress import NoteHandler
from bgs.experiments.launching.launcher import CellWork
from bgs.runs.quiet import quiet_libraries
from bgs.training.stopping import Stopped, signals_stop_training


def main() -> int:
    """Do the cell named on the command line; 2 if it cannot be begun, and 128 + a signal that ended its training."""
    Thread(target=_end_with_input, daemon=True).start()
    logging.getLogger("bgs").addHandler(NoteHandler())
    quiet_libraries()
    try:
        with signals_stop_training():
            CellWork(*sys.argv[1:])()
    except Stopped as stopped:
        print(f"bgs: {stopped}", file=sys.stderr)
        return stopped.status
    except BgsError as error:
        print(f"bgs: {error}", file=sys.stderr)
        return 2
    return 0


def _end_with_input() -> None:
    os.read(0, 1)  # not sys.stdin, whose lock must not be held when the interpreter ends
    os._exit(1)  # as abrupt as a kill, of which every cell is able to go on


if __name__ == "__main__":
    sys.exit(main())
