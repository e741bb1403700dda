"""Starts a program several times, with the environment that torchrun gives it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    output: str
    errors: str


def start(
    size: int, *arguments: str, each: Mapping[int, Sequence[str]] | None = None, **variables: str
) -> list[subprocess.Popen]:
    """``python ARGUMENTS`` as ``size`` processes that can find each other; ``each`` adds arguments by rank."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    started = []
    for rank in range(size):
        several = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size)}
        several |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        environment = os.environ | (several if size > 1 else {}) | {"OMP_NUM_THREADS": "1"} | variables
        command = [sys.executable, *arguments, *(each or {}).get(rank, ())]
        started.append(
            subprocess.Popen(
                command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        )
    return started


def ended(started: Sequence[subprocess.Popen], seconds: float = 300) -> list[Ended]:
    """Wait for all of them, in vain for no more than ``seconds``."""
    try:
        told = [process.communicate(timeout=seconds) for process in started]
    finally:
        for process in started:
            process.kill()
            process.__exit__(None, None, None)  # closes what it writes to, and waits
    return [Ended(process.returncode, *each) for process, each in zip(started, told, strict=True)]
