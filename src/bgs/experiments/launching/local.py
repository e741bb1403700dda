"""Cells as processes of this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass

from bgs._files import make_folder
from bgs._threads import usable_cores
from bgs.experiments.launching.launcher import CellWork


@dataclass(frozen=True)
class LocalLauncher:
    """Starts each cell as a fresh Python process with its share of threads.

    The process ends when this one does, even if this one is killed: it watches a pipe that only this one holds open.
    """

    jobs: int

    def start(self, work: CellWork) -> LocalJob:
        """Start a cell; what it says goes to its log."""
        make_folder(work.log.parent)
        mirror = [] if work.mirror is None else [work.mirror]
        threads = str(max(1, usable_cores() // self.jobs))
        with work.log.open("wb") as log:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "bgs.experiments.launching.cell_process",
                    work.out,
                    work.name,
                    *mirror,
                ],
                env={"OMP_NUM_THREADS": threads} | os.environ,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches this process alone, which then ends those that it started
            )
        return LocalJob(process, work)


@dataclass(frozen=True)
class LocalJob:
    """A cell in a process of this machine."""

    process: subprocess.Popen[bytes]
    work: CellWork

    def ended(self) -> bool:
        """Whether the process has ended; its pipe is then closed."""
        if self.process.poll() is None:
            return False
        assert self.process.stdin is not None
        self.process.stdin.close()
        return True

    def reason(self) -> str:
        """The signal that ended it, or the last line of its log."""
        code, log = self.process.returncode, self.work.log
        if code < 0:
            memory = " (too little memory? fewer --jobs need less)" if code == -signal.SIGKILL else ""
            return f"its process was ended by signal {-code}, {signal.strsignal(-code)}{memory}; see {log}"
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        return f"its process ended with code {code}: {lines[-1] if lines else 'it said nothing'}; see {log}"

    def stop(self) -> None:
        """Kill it: what is on disk is whole at any time, and a cell goes on from there."""
        self.process.kill()
        self.process.wait()
        self.ended()
