"""Cells as jobs of Slurm, through submitit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bgs._errors import ConfigError, message_of
from bgs._optional import require
from bgs.experiments.launching.launcher import CellWork

#: How often a job is submitted again because its time was over, at most: a cell that never ends must not run for ever.
_TIMES = 100


class SubmititLauncher:
    """Submits each cell as a job; all machines must see the folder and the data under the same paths.

    Args:
        jobs: how many are submitted at once; None: all.
        slurm: parameters of a job: ``timeout_min``, ``mem_gb``, ``cpus_per_task``, ``gpus_per_node`` and all of
            submitit's for Slurm (``partition``, ``account``, ``qos``, …). ``cluster`` replaces Slurm: ``local`` starts
            processes of this machine.

    Raises:
        MissingExtraError: submitit is not installed.
        ConfigError: there is no Slurm here, or it has no such parameter.
    """

    def __init__(self, jobs: int | None, slurm: Mapping[str, Any]) -> None:
        self._submitit = require("submitit", "submitit")
        self.jobs = jobs
        self._parameters = {key: value for key, value in slurm.items() if key != "cluster"}
        self._cluster = str(slurm.get("cluster", "slurm"))
        with TemporaryDirectory() as folder:  # before anything is written, wrong parameters are refused
            self._executor_in(Path(folder))

    def start(self, work: CellWork) -> SubmititJob:
        """Submit a cell; its logs and the files of submitit are kept in ``logs/submitit``."""
        executor = self._executor_in(Path(work.out).resolve() / "logs/submitit")
        return SubmititJob(executor.submit(_Requeued(work)))

    def _executor_in(self, folder: Path) -> Any:
        auto = self._submitit.AutoExecutor
        common = auto._valid_parameters()  # submitit wants all others, Slurm's own, to be marked
        marked = {key if key in common else f"slurm_{key}": value for key, value in self._parameters.items()}
        try:
            executor = auto(folder, cluster=self._cluster, slurm_max_num_timeout=_TIMES)
            executor.update_parameters(**{"name": "bgs"} | marked)
        except (AssertionError, NameError, RuntimeError, TypeError, ValueError) as error:
            given = " ".join(f"{key}={value}" for key, value in self._parameters.items())
            where = f"--slurm {given}".rstrip()
            why = message_of(error).partition(" Known executors:")[0]
            raise ConfigError(f"submitit: {why}", where=where) from error
        return executor


@dataclass(frozen=True)
class _Requeued:
    """A cell that submitit submits again when its time is over or its machine is taken away."""

    work: CellWork

    def __call__(self) -> None:
        self.work()

    def checkpoint(self) -> Any:
        """What is submitted again: the same, which goes on from the last checkpoint of its training."""
        return require("submitit", "submitit").helpers.DelayedSubmission(self)


@dataclass(frozen=True)
class SubmititJob:
    """A cell as a job of Slurm."""

    job: Any

    def ended(self) -> bool:
        """Whether the job has ended, as Slurm or its result tells."""
        return bool(self.job.done())

    def reason(self) -> str:
        """The state that Slurm tells, and where the job's log is."""
        return f"its job {self.job.job_id} ended ({self.job.state}); see {self.job.paths.stderr}"

    def stop(self) -> None:
        """Cancel the job."""
        self.job.cancel(check=False)
