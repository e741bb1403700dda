"""Cells as processes of this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field

from bgs._files import make_folder
from bgs._threads import usable_cores
from bgs.experiments.launching.launcher import CellWork


@dataclass(frozen=True)
class LocalLauncher:
    """Starts each cell as a fresh Python process with its share of threads, and one of several GPUs.

    The process ends when this one does, even if this one is killed: it watches a pipe that only this one holds open.
    """

    jobs: int
    _started: list[tuple[str, subprocess.Popen[bytes]]] = field(default_factory=list, init=False, repr=False)

    def start(self, work: CellWork) -> LocalJob:
        """Start a cell; what it says goes to its log."""
        make_folder(work.log.parent)
        mirror = [] if work.mirror is None else [work.mirror]
        threads, gpu = str(max(1, usable_cores() // self.jobs)), self._gpu()
        own = {} if gpu is None else {"CUDA_VISIBLE_DEVICES": gpu}
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
                env={"OMP_NUM_THREADS": threads, **os.environ, **own},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches this process alone, which then ends those that it started
            )
        if gpu is not None:
            self._started.append((gpu, process))
        return LocalJob(process, work)

    def _gpu(self) -> str | None:
        """The one with fewest cells at work; None where there is no choice."""
        gpus = _visible_gpus()
        busy = Counter(gpu for gpu, process in self._started if process.poll() is None)
        return min(gpus, key=lambda gpu: busy[gpu]) if len(gpus) > 1 else None


def _visible_gpus() -> list[str]:
    """As ``CUDA_VISIBLE_DEVICES`` names them: GPUs that this process may use."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [name.strip() for name in named.split(",") if name.strip()]
    import torch

    return [str(number) for number in range(torch.cuda.device_count())]


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
