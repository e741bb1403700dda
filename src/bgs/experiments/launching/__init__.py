"""Cells of an experiment side by side: each in a process of its own, on this machine or as a job of Slurm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bgs._errors import ConfigError
from bgs.experiments.launching.launcher import Launcher
from bgs.experiments.launching.local import LocalLauncher
from bgs.experiments.launching.slurm import SubmititLauncher

#: Cells at once on one machine, where nothing else is asked for: each needs memory for its model.
_JOBS = 2


def new_launcher(
    name: str | None, jobs: int | None = None, slurm: Mapping[str, Any] | None = None
) -> Launcher | None:
    """The launcher of this name; None, which runs cells in turn in this process, if there is no name.

    Args:
        name: ``local``, ``submitit`` or None.
        jobs: how many cells at once; None: two on one machine, all of them as jobs of Slurm.
        slurm: parameters of a job, see :class:`SubmititLauncher`.

    Raises:
        ConfigError: unknown launcher, fewer than one job, or settings that the launcher does not have.
        MissingExtraError: submitit is not installed.
    """
    if name not in (None, "local", "submitit"):
        raise ConfigError("unknown launcher", where="--launcher", expected="local or submitit", got=name)
    if jobs is not None and name is None:
        raise ConfigError("nothing to start side by side", where="--jobs", hint="add --launcher local")
    if jobs is not None and jobs < 1:
        raise ConfigError("how many cells at once", where="--jobs", expected="1 or more", got=jobs)
    if slurm and name != "submitit":
        raise ConfigError("these are parameters of a job", where="--slurm", hint="add --launcher submitit")
    if name == "submitit":
        return SubmititLauncher(jobs, slurm or {})
    return LocalLauncher(jobs or _JOBS) if name else None
