"""Protocols: the stimuli, pairs and trials used in an evaluation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bgs._errors import ConfigError, DataError
from bgs._typing import Bool, Int
from bgs.judgments import Trials
from bgs.stimuli import StimulusSet


@dataclass(frozen=True)
class Protocol:
    """The judgments used in an evaluation.

    Attributes:
        name: one of :data:`PROTOCOLS`.
        positions: (m,) positions of the evaluated stimuli, ascending.
        judgments: the judgments that make up the human RDM.
        complete: (n,) the judgments whose three stimuli are all evaluated, used for odd-one-out accuracy.
        witnesses: every judgment that shows at least two of the stimuli, whatever the third and the protocol; used to estimate
            the reliability of the human RDM.
        own: (w,) the witnesses that are among ``judgments``.
    """

    name: str
    positions: Int[np.ndarray, " m"]
    judgments: Trials
    complete: Bool[np.ndarray, " n"]
    witnesses: Trials
    own: Bool[np.ndarray, " w"]

    @property
    def trials(self) -> Trials:
        """The complete judgments."""
        return self.judgments.where(self.complete)

    @property
    def n_participants(self) -> int:
        """Number of participants with at least one of the judgments."""
        return len(np.unique(self.judgments.participant))

    def local(self, stimuli: Int[np.ndarray, "n 3"]) -> Int[np.ndarray, "n 3"]:
        """Convert positions in the stimulus set to indices into ``positions``, −1 for stimuli that are not evaluated."""
        index = np.full(self.judgments.n_stimuli, -1, dtype=np.int64)
        index[self.positions] = np.arange(len(self.positions))
        local: Int[np.ndarray, "*s"] = index[stimuli]
        return local


#: Name -> whether only test stimuli are evaluated, and how many of them a judgment must show.
_RULES = {"held-out-trials": (True, 3), "held-out-pairs": (True, 2), "all": (False, 3)}
PROTOCOLS: tuple[str, ...] = tuple(_RULES)


def select_protocol(name: str, stimuli: StimulusSet, trials: Trials) -> Protocol:
    """The judgments of protocol ``name``; attention checks and degenerate trials are never included.

    Args:
        name: ``held-out-trials``: judgments among three test stimuli, and the pairs observed in them.
            ``held-out-pairs``: every pair of test stimuli, from all judgments that show both, whatever the third
            stimulus. Odd-one-out accuracy still uses only judgments of three test stimuli: in the
            others, the model was trained on at least one stimulus.
            ``all``: every stimulus, pair and judgment.
        stimuli: the stimulus set, with its split.
        trials: trials over that set.

    Raises:
        ConfigError: unknown protocol.
        DataError: trials belong to another stimulus set, or there is no split or no judgment left.
    """
    if name not in _RULES:
        raise ConfigError("unknown protocol", expected=", ".join(PROTOCOLS), got=name)
    if trials.n_stimuli != len(stimuli):
        raise DataError(
            "trials belong to another stimulus set", expected=f"{len(stimuli)} stimuli", got=trials.n_stimuli
        )
    judgments = trials.judgments
    held_out, at_least = _RULES[name]
    evaluated = _test_stimuli(stimuli) if held_out else np.ones(len(stimuli), dtype=bool)
    witnesses = judgments.where(judgments.count_in(evaluated) >= 2)
    own = witnesses.count_in(evaluated) >= at_least
    judgments = witnesses.where(own)
    if not len(judgments):
        raise DataError(
            "no judgment to evaluate on", where=f"protocol {name}", expected="at least one", got=0
        )
    complete = judgments.count_in(evaluated) == 3
    return Protocol(name, np.flatnonzero(evaluated), judgments, complete, witnesses, own)


def _test_stimuli(stimuli: StimulusSet) -> Bool[np.ndarray, " s"]:
    if not stimuli.test.any():
        raise DataError(
            "the data set has no test stimuli",
            expected="a split into train and test",
            hint="evaluate with --protocol all",
        )
    return stimuli.test
