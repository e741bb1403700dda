"""The processes that work on one run together, as `torchrun` or `accelerate launch` starts them; usually one.

Each process encodes its share of the micro-batches; the embeddings of all are gathered in a fixed order, so that every process
sees what one alone would have seen.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from bgs._errors import BgsError, ConfigError
from bgs._progress import be_quiet, is_quiet

#: Seconds that a process waits for the others before it gives up, unless this environment variable says otherwise.
TIMEOUT, _SECONDS, _LONGEST = "BGS_PROCESS_TIMEOUT", 1800, 10_000_000


@dataclass(frozen=True)
class Processes:
    """This process, ``rank``, among ``size``; without others, every method is free.

    Attributes:
        in_step: whether all must encode equally often, since each holds a part of the weights (:mod:`bgs.backbones.sharding`).

    Raises (all methods that communicate):
        BgsError: another process ended, or did not answer in time.
    """

    rank: int = 0
    size: int = 1
    in_step: bool = False

    @property
    def is_first(self) -> bool:
        """Whether this process writes and tells what there is to tell."""
        return self.rank == 0

    def own(self, n: int) -> range:
        """This process's share of n pieces; shares differ by at most one, and follow each other in the order of ranks."""
        return range(n * self.rank // self.size, n * (self.rank + 1) // self.size)

    def padding(self, n: int) -> int:
        """How many pieces of no account this process does after its own, to do as many as the others where they are in step."""
        return -(-n // self.size) - len(self.own(n)) if self.in_step else 0

    def gather(self, rows: Float[Tensor, "b d"], counts: Sequence[int]) -> Float[Tensor, "n d"]:
        """The rows of all processes, without gradient, in the order of ranks.

        Args:
            rows: those of this process.
            counts: number of rows in each of the pieces that the processes share (:meth:`own`), n in all.
        """
        if self.size == 1:
            return rows
        every = [
            sum(counts[i] for i in Processes(rank, self.size).own(len(counts))) for rank in range(self.size)
        ]
        padded = rows.new_zeros((max(every), rows.shape[1]))  # collectives want equal shapes
        padded[: len(rows)] = rows
        parts = [torch.empty_like(padded) for _ in every]
        with _answered():
            torch.distributed.all_gather(parts, padded)
        return torch.cat([part[:count] for part, count in zip(parts, every, strict=True)])

    @contextmanager
    def summed_gradients(self, parameters: Sequence[Tensor]) -> Iterator[None]:
        """What is back-propagated within is summed over all processes, by one reduction; each then has the same sum."""
        if self.size == 1:
            yield
            return
        earlier = [parameter.grad for parameter in parameters]
        for parameter in parameters:
            parameter.grad = None
        yield
        flat = torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in parameters])
        with _answered():
            torch.distributed.all_reduce(flat)
        parts = flat.split([parameter.numel() for parameter in parameters])
        for parameter, part, before in zip(parameters, parts, earlier, strict=True):
            total = part.view_as(parameter).clone()
            parameter.grad = total if before is None else before + total

    def exchange(self, mine: Any) -> list[Any]:
        """What each process gives, in the order of ranks."""
        if self.size == 1:
            return [mine]
        found: list[Any] = [None] * self.size
        with _answered():
            torch.distributed.all_gather_object(found, mine)
        return found

    @contextmanager
    def together(self) -> Iterator[None]:
        """What one process cannot do, none does: an error in one is raised in all."""
        error: BgsError | None = None
        try:
            yield
        except BgsError as raised:
            error = raised
        every = self.exchange(None if error is None else str(error))
        if error is not None:
            raise error
        for rank, told in enumerate(every):
            if told is not None:
                raise BgsError(f"process {rank} failed: {told}")

    def require_same(self, what: Mapping[str, str]) -> None:
        """Refuse processes that would not do the same.

        Args:
            what: plural name (``trials``, ``sources of bgs``) -> their SHA-256.

        Raises:
            ConfigError: a value differs; the first is named.
        """
        every = self.exchange(dict(what))
        for name in what:
            for rank, other in enumerate(every):
                if other.get(name) != every[0][name]:
                    raise ConfigError(
                        f"the {name} differ between the processes of this run", where=f"process {rank}",
                        expected=f"{every[0][name][:16]}, as in process 0", got=str(other.get(name))[:16],
                        hint="start all with the same settings, data and version of bgs",
                    )  # fmt: skip


_CURRENT: ContextVar[Processes] = ContextVar("processes", default=Processes())  # noqa: B039 (frozen)


def current() -> Processes:
    """The processes that this one has joined; itself alone outside of :func:`joined`."""
    return _CURRENT.get()


def keep_in_step() -> None:
    """From now on, and within :func:`joined`, all processes encode equally often."""
    _CURRENT.set(replace(current(), in_step=True))


def leave() -> None:
    """End the work together before :func:`joined` does, in all processes at once: from here on each is alone.

    Raises:
        BgsError: another process ended, or did not answer in time.
    """
    if current().size == 1:
        return
    current().exchange(None)
    torch.distributed.destroy_process_group()
    _CURRENT.set(Processes())


@contextmanager
def alone() -> Iterator[None]:
    """What this process does by itself, while the others do something else."""
    token = _CURRENT.set(Processes())
    try:
        yield
    finally:
        _CURRENT.reset(token)


def launched() -> tuple[int, int]:
    """(rank, size) as a launcher tells them in ``RANK`` and ``WORLD_SIZE``; (0, 1) without a launcher.

    Raises:
        BgsError: they contradict each other.
    """
    size, rank = os.environ.get("WORLD_SIZE", "1"), os.environ.get("RANK", "0")
    if size.isdecimal() and rank.isdecimal() and int(rank) < int(size):
        return int(rank), int(size)
    raise BgsError(
        "not the environment of a launcher", where="RANK and WORLD_SIZE", expected="RANK below WORLD_SIZE",
        got=f"{rank} and {size}", hint="start with torchrun or accelerate launch, or unset both",
    )  # fmt: skip


def require_alone(what: str, hint: str) -> None:
    """Refuse what one process does, if several were started.

    Raises:
        BgsError: this is one of several processes.
    """
    _, size = launched()
    if size > 1:
        raise BgsError(f"{what} in one process, and {size} were started", where="WORLD_SIZE", hint=hint)


@contextmanager
def joined() -> Iterator[Processes]:
    """Join the other processes of a run, if a launcher started several; only the first one tells of its progress.

    Raises:
        BgsError: they cannot be reached.
    """
    rank, size = launched()
    if size == 1 or current().size > 1:
        yield current()
        return
    processes, were_quiet = Processes(rank, size), is_quiet()
    _connect(processes)
    token = _CURRENT.set(processes)
    be_quiet(were_quiet or not processes.is_first)
    try:
        yield processes
    finally:
        be_quiet(were_quiet)
        _CURRENT.reset(token)
        if torch.distributed.is_initialized():  # else it has left
            torch.distributed.destroy_process_group()


def _connect(processes: Processes) -> None:
    _require_meeting_place()
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", processes.rank)))
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    with _answered(processes.rank):
        torch.distributed.init_process_group(backend, timeout=timedelta(seconds=_timeout()))


def _require_meeting_place() -> None:
    """Refuse what is no address, which torch would take for a process that does not answer."""
    address, port = os.environ.get("MASTER_ADDR", ""), os.environ.get("MASTER_PORT", "")
    if not address or not port.isdecimal() or int(port) > 65_535:
        raise BgsError(
            "not the environment of a launcher", where="MASTER_ADDR and MASTER_PORT",
            expected="the host and a free port of the first process", got=f"{address or 'none'} and {port or 'none'}",
            hint="start with torchrun or accelerate launch, which set them",
        )  # fmt: skip


def _timeout() -> int:
    given = os.environ.get(TIMEOUT, str(_SECONDS))
    if not given.isdecimal() or not 0 < int(given) <= _LONGEST:
        raise BgsError(
            "not a number of seconds",
            where=TIMEOUT,
            expected=f"a whole number from 1 to {_LONGEST}",
            got=given,
        )
    return int(given)


@contextmanager
def _answered(rank: int | None = None) -> Iterator[None]:
    """The errors of a collective, as one line: a process that died closes its connections, one that hangs is timed out.

    ``rank`` is needed before the processes are joined.
    """
    try:
        yield
    except (RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        own = current().rank if rank is None else rank
        raise BgsError(
            f"another process of this run ended or does not answer: {reason}", where=f"process {own}",
            hint=f"look for its error above; {TIMEOUT} is how many seconds to wait",
        ) from None  # fmt: skip
