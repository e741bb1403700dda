"""Embeds a large library with Ray Data: actors hold the model, and each task writes a shard of embeddings."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bgs import __version__
from bgs._errors import BgsError, ConfigError, message_of
from bgs._files import make_folder, sha256_of
from bgs._optional import require
from bgs._progress import note
from bgs.backbones.clip_reader import ClipReader
from bgs.backbones.pretrained import fingerprint
from bgs.embeddings import Embeddings
from bgs.runs.embedder import Embedder, described, open_backbone, resolve_device
from bgs.stimuli import StimulusSet
from bgs.stimuli.content_hashes import clip_hashes
from bgs.stimuli.unreadable import Failure, UnreadableClips

#: Forward passes for each shard. A shard holds whole micro-batches, so that these are those of a single process.
_BATCHES = 4
#: Seconds in which a cluster must answer.
_PATIENCE = 60.0
#: Joins a cluster. Where something else listens, Ray tries for minutes, and no time-out stops it but the end of its process.
_JOIN = """
import socket, sys
host, _, port = sys.argv[1].rpartition(":")
socket.create_connection((host, int(port))).close()
import ray
ray.init(address=sys.argv[1], log_to_driver=False, logging_level="ERROR")
"""


@dataclass(frozen=True)
class Task:
    """What every actor needs to know.

    Attributes:
        model, device, precision: see :func:`bgs.runs.embedder.open_backbone`; on a GPU, each actor has one for itself.
        micro_batch: clips per forward pass.
        threads: of each actor; those of the process that starts it, since their number can change sums.
        shards: folder for the shards.
    """

    model: str
    device: str
    precision: str
    micro_batch: int
    threads: int
    shards: Path


class BlockEmbedder:
    """An actor: the model, which embeds block after block of clips."""

    def __init__(self, task: Task) -> None:
        torch.set_num_threads(task.threads)
        self.task = task
        self.backbone = open_backbone(task.model, task.device, task.precision)

    def __call__(self, row: dict[str, Any]) -> list[dict[str, str]]:
        """Write the shard of a block; of a block with clips that cannot be read none, but return those clips."""
        try:
            embedder = Embedder(self.backbone, row["block"], self.task.micro_batch)
        except UnreadableClips as error:
            return [failure._asdict() for failure in error.failures]
        embedder.embed(self.task.model).save(_shard(self.task.shards, row["key"]))
        return []


class RayEmbedder:
    """Embeds a stimulus set with actors of Ray, bitwise as one process with as many threads as each actor.

    Shards are kept: a run again, after an interruption for example, makes only those that are missing.

    Args:
        model, device, precision: see :func:`bgs.runs.embedder.open_backbone`; ``auto`` is what the cluster has.
        stimuli: with clips.
        micro_batch: clips per forward pass.
        shards: folder for the shards; every machine of the cluster must see it, and the clips, under this path.
        actors: how many hold the model.
        address: of a running cluster, ``HOST:PORT``; None starts Ray on this machine.
        skip_bad: leave out clips that cannot be read; see :attr:`failures`.

    Raises:
        MissingExtraError: ray is not installed.
        ConfigError: the model reads no clips, there are no actors, or this machine has no such device and is to embed itself.
    """

    def __init__(
        self, model: str, stimuli: StimulusSet, shards: Path, *, micro_batch: int = 64, device: str = "auto",
        precision: str = "auto", actors: int = 2, address: str | None = None, skip_bad: bool = False,
    ) -> None:  # fmt: skip
        self._ray = require("ray", "ray")
        require("ray.data", "ray")
        if actors < 1:
            raise ConfigError("how many actors", where="--actors", expected="1 or more", got=actors)
        self.backbone = open_backbone(model, "cpu", precision)
        if not isinstance(self.backbone, ClipReader):
            raise ConfigError("--engine ray is for models that read clips", where=model, hint="leave it out")
        self.stimuli, self.skip_bad, self.actors, self.address = stimuli, skip_bad, actors, address
        self.failures: list[Failure] = []
        if address is None:  # the first machine of a cluster may have no GPU where the others do
            device = resolve_device(device)
        self._task = Task(model, device, precision, micro_batch, torch.get_num_threads(), shards.resolve())

    def embed(self) -> Embeddings:
        """One vector per stimulus that can be read, in the order of the stimuli.

        Raises:
            UnreadableClips: clips cannot be read (all are named), and they are not to be skipped, or there are no others.
            BgsError: Ray cannot be started, its cluster does not answer, or a task failed for another reason.
        """
        hashes, left = clip_hashes(self.stimuli), self.stimuli
        try:
            self._settle_device()
            while found := self._run(blocks := self._blocks(left, hashes)):
                left = self._without(found, left)
        finally:
            self._ray.shutdown()
        parts = [Embeddings.load(_shard(self._task.shards, key)).values for key in blocks]
        return described(np.concatenate(parts), left, self.backbone, self._task.model)

    def _settle_device(self) -> None:
        if self._task.device == "auto":
            self._connect()
            self._task = replace(self._task, device="cuda" if self._gpus() else "cpu")

    def _gpus(self) -> int:
        """How many the cluster has."""
        return int(self._ray.cluster_resources().get("GPU", 0))

    @cached_property
    def _identity(self) -> str:
        """SHA-256 over all that determines embeddings, except the clips."""
        weights, task = [fingerprint(module) for module in self.backbone.modules()], self._task
        settings = [task.model, task.device, task.precision, task.micro_batch, task.threads]
        about = json.dumps([settings, self.backbone.spec.settings()], default=str)
        return sha256_of(__version__, *weights, about)

    def _without(self, found: Sequence[Failure], left: StimulusSet) -> StimulusSet:
        """The other clips; later blocks are others then, since micro-batches are those of a process without the bad clips."""
        order = self.stimuli.index
        self.failures = sorted([*self.failures, *found], key=lambda failure: order[failure.stimulus_id])
        if not self.skip_bad or len(found) == len(left):
            hint = None if self.skip_bad else "--skip-bad leaves them out"
            raise UnreadableClips(self.failures, len(self.stimuli), hint)
        bad = {failure.stimulus_id for failure in found}
        return left.subset(np.array([i for i, name in enumerate(left.ids) if name not in bad]))

    def _blocks(self, stimuli: StimulusSet, hashes: Mapping[str, str]) -> dict[str, StimulusSet]:
        """Hash of clips and model -> clips, in order."""
        size, blocks = _BATCHES * self._task.micro_batch, {}
        for start in range(0, len(stimuli), size):
            block = stimuli.subset(np.arange(start, min(start + size, len(stimuli))))
            contents = [hashes.get(name, "missing") for name in block.ids]
            about = json.dumps([block.ids, contents, block.spans])
            blocks[sha256_of(self._identity, about)] = block
        return blocks

    def _run(self, blocks: Mapping[str, StimulusSet]) -> list[Failure]:
        """Make the shards that are missing; the clips that cannot be read."""
        missing = [key for key in blocks if not _shard(self._task.shards, key).is_file()]
        note(f"{len(blocks) - len(missing)} of {len(blocks)} shards are there")
        if not missing:
            return []
        if not self._ray.is_initialized():
            self._connect()
        data = self._ray.data
        data.DataContext.get_current().enable_progress_bars = False
        rows = [{"key": key, "block": blocks[key]} for key in missing]
        actors, needs = min(self.actors, len(rows)), {}
        if self._task.device.startswith("cuda"):
            if not (gpus := self._gpus()):  # Ray would wait for one
                raise ConfigError("Ray knows no GPU", where=f"device {self._task.device}", hint="use cpu")
            actors, needs = min(actors, gpus), {"num_gpus": 1}
        make_folder(self._task.shards)
        tasks = data.from_items(rows, override_num_blocks=len(rows)).flat_map(
            BlockEmbedder, fn_constructor_args=(self._task,), num_cpus=1,
            compute=data.ActorPoolStrategy(size=actors), **needs,
        )  # fmt: skip
        try:
            return [Failure(**row) for row in tasks.take_all()]
        except self._ray.exceptions.RayError as error:
            why = message_of(error).rpartition("Error: ")[2]
            raise BgsError(
                f"an actor failed: {why}", where="--engine ray", hint="a run again goes on"
            ) from error

    def _connect(self) -> None:
        """Join the cluster, or start Ray on this machine; only errors of Ray are shown."""
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)
        where: dict[str, Any] = {"num_cpus": self.actors, "include_dashboard": False}
        if self.address is not None:
            _require_cluster(self.address)
            where = {"address": self.address}
        try:
            self._ray.init(**where, log_to_driver=False, logging_level="ERROR")
        except Exception as error:  # Ray raises bare ones, as where its processes take too long to start
            hint = "a run again goes on; a busy machine may need a cluster that runs already: --address"
            raise BgsError(f"cannot start: {message_of(error)}", where="ray", hint=hint) from error


def _require_cluster(address: str) -> None:
    try:
        subprocess.run(
            [sys.executable, "-c", _JOIN, address], capture_output=True, text=True, check=True, timeout=_PATIENCE
        )  # fmt: skip
        return
    except subprocess.TimeoutExpired:
        why = f"no answer within {_PATIENCE:g} seconds"
    except subprocess.CalledProcessError as error:
        why = error.stderr.strip().rpartition("\n")[2].rpartition("Error: ")[2]
    raise BgsError(
        f"cannot reach Ray: {why}", where=f"--address {address}", expected="HOST:PORT of a running cluster"
    )


def _shard(folder: Path, key: str) -> Path:
    return folder / f"{key}.safetensors"
