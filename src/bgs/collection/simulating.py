"""Simulated observers who take part over HTTP, as a browser does: to try a study before people do."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import numpy as np

from bgs._errors import BgsError
from bgs._rng import generator
from bgs._typing import Float
from bgs.collection.answering import Answer
from bgs.collection.tables import SIMULATED
from bgs.embeddings import Embeddings
from bgs.simulation.responses import choose_odd

#: Seconds after which an unanswered request is sent again.
_TIMEOUT = 15.0


@dataclass
class Ledger:
    """What the server acknowledged.

    Attributes:
        answers: acknowledged answers, each with its participant.
        codes: participant -> completion code.
        refused: participant -> why they were sent away.
        seconds: duration of each acknowledged post, retries included.
        sent: when each of these was sent, in seconds of one clock.
    """

    answers: list[tuple[str, Answer]] = field(default_factory=list)
    codes: dict[str, str | None] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)


class _Link:
    """A connection to the server that is kept open between requests, as a browser does."""

    def __init__(self, address: str) -> None:
        self.address, parts = address, urlsplit(address)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self.connection = kind(parts.netloc, timeout=_TIMEOUT)
        self.path = parts.path.rstrip("/")
        self.headers = {"content-type": "application/json"}

    def ask(self, method: str, path: str, message: dict[str, Any] | None) -> tuple[int, dict[str, Any]]:
        """Status and JSON of the answer; after an error, the next request connects again."""
        body = None if message is None else json.dumps(message)
        try:
            self.connection.request(method, f"{self.path}/{path}", body, self.headers)
            response = self.connection.getresponse()
            text = response.read()
        except BaseException:
            self.connection.close()
            raise
        return response.status, json.loads(text)

    def close(self) -> None:
        self.connection.close()


def _require_address(address: str) -> None:
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        (parts.hostname or "").encode("idna")
    except ValueError:  # brackets, port, or a name that no host can have
        usable = False
    if not usable:
        raise BgsError("not the address of a server", where=address, expected="http://HOST:PORT")


class SimulatedObserver:
    """One participant: joins, agrees, chooses, and sends what is not acknowledged again.

    Args:
        address: of the server.
        name: of the participant.
        positions: stimulus id -> (d,) position in the geometry that the observer sees.
        temperature: of the choices, in its distances.
        seed: of the choices.
        pace: mean seconds between answers.
        patience: seconds without an answer after which the observer gives up; people are more patient.
    """

    def __init__(
        self,
        address: str,
        name: str,
        positions: dict[str, Float[np.ndarray, " d"]],
        temperature: float,
        seed: int,
        pace: float = 0.0,
        patience: float = 60.0,
    ) -> None:
        self.name, self.positions, self.temperature = name, positions, temperature
        self.pace, self.patience = pace, patience
        self.random = generator(seed, "observer", name)
        self.link = _Link(address)

    def take_part(self, ledger: Ledger) -> None:
        """A whole session."""
        with closing(self.link):
            joined = self._send("POST", "api/join", {"source": SIMULATED, "participant": self.name})
            if "token" not in joined:
                ledger.refused[self.name] = str(joined["error"])
                return
            self.link.headers["authorization"] = f"Bearer {joined['token']}"
            self._send("POST", "api/consent")
            session = self._send("GET", "api/session")
            for trial in session["trials"]:
                if trial["trial"] not in session["answered"]:
                    time.sleep(self.pace * 2 * self.random.random())
                    self._answer(trial, ledger)
            ledger.codes[self.name] = self._send("POST", "api/complete").get("code")

    def _answer(self, trial: dict[str, Any], ledger: Ledger) -> None:
        shown = [clip["id"] for clip in trial["clips"]]
        odd = self._choose(shown)
        rt = float(np.exp(self.random.normal(8.0, 0.4)))
        message = {"client_id": str(uuid4()), "trial": trial["trial"], "stimuli": shown, "odd": odd, "rt": rt}
        start = time.perf_counter()
        stored = self._send("POST", "api/answers", message)
        if stored.get("stored"):
            ledger.seconds.append(time.perf_counter() - start)
            ledger.sent.append(start)
            first, second, third = shown
            answer = Answer(message["client_id"], trial["trial"], (first, second, third), odd, rt)
            ledger.answers.append((self.name, answer))

    def _choose(self, shown: list[str]) -> int:
        once = [slot for slot in range(3) if shown.count(shown[slot]) == 1]
        if len(once) == 1:
            return once[0]
        latents = np.stack([self.positions[name] for name in shown])[None]
        return int(choose_odd(latents, self.temperature, self.random)[0])

    def _send(self, method: str, path: str, message: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send until there is an answer; a server that is away or cannot store is asked again, as the page does.

        Raises:
            BgsError: there was none for as long as the observer has patience.
        """
        start, wait, last = time.monotonic(), 0.05, ""
        while time.monotonic() - start < self.patience:
            try:
                status, found = self.link.ask(method, path, message)
                if status < 500 and status not in (408, 429):
                    return found
                last = f"status {status}"
            except (OSError, HTTPException, ValueError) as error:  # no server, or half an answer
                last = _reason(error)
            time.sleep(wait * (0.5 + self.random.random()))
            wait = min(2 * wait, 2.0)
        raise BgsError(f"no answer for {self.patience:g} s: {last}", where=self.link.address)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def require_served(address: str, study: str) -> None:
    """Check that a server of this study answers; asked once, so that a wrong address is known at once.

    Args:
        address: of the server.
        study: hash of the study, see :attr:`bgs.collection.study_folder.StudyFolder.hash`.

    Raises:
        BgsError: nobody answers, or somebody else.
    """
    _require_address(address)
    try:
        with closing(_Link(address)) as link:
            status, found = link.ask("GET", "health", None)
    except OSError as error:
        raise BgsError(
            f"nobody answers here: {_reason(error)}", where=address, hint="`bgs collect serve` serves a study"
        ) from error
    except (HTTPException, ValueError):
        status, found = 0, {}
    served = found.get("study") if status == 200 and isinstance(found, dict) else None
    if served is None:
        raise BgsError(
            "this is not the server of a study", where=address, expected="what `bgs collect serve` printed"
        )
    if served != study:
        raise BgsError(
            "another study is served here, or an earlier schedule of this one", where=address, expected=study[:16],
            got=str(served)[:16], hint="give its folder; after `bgs design`, start the server again",
        )  # fmt: skip


def simulate_participants(
    address: str,
    geometry: Embeddings,
    participants: int,
    *,
    temperature: float = 0.3,
    seed: int = 0,
    at_once: int = 50,
    pace: float = 0.0,
    patience: float = 60.0,
) -> Ledger:
    """Let simulated observers of one geometry take part, many at once; what they are acknowledged is the ledger.

    Args:
        address: of the server.
        geometry: positions of the stimuli.
        participants: how many come.
        temperature: of the choices.
        seed: of names and choices.
        at_once: how many take part at the same time.
        pace: mean seconds between a participant's answers; people take many.
        patience: seconds without an answer after which they give up.

    Raises:
        BgsError: the address is none, or the server did not answer for so long.
    """
    _require_address(address)
    ledger = Ledger()
    positions = dict(zip(geometry.stimulus_ids, geometry.values.astype(np.float64), strict=True))
    with ThreadPoolExecutor(at_once) as pool:
        waiting = [
            pool.submit(
                SimulatedObserver(
                    address, f"sim-{seed}-{k}", positions, temperature, seed, pace, patience
                ).take_part,
                ledger,
            )
            for k in range(participants)
        ]
        for done in waiting:
            done.result()
    return ledger
