"""A data set: stimuli, judgments where there are any, and where it all came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from bgs._errors import DataError
from bgs.judgments import Trials
from bgs.stimuli import StimulusSet


@dataclass(frozen=True)
class Dataset:
    """Stimuli and judgments with their provenance.

    Attributes:
        name: registered name, or the name of the folder.
        stimuli: the stimuli, in one fixed order.
        trials: odd-one-out trials over ``stimuli``; None where the data set has none.
        hashes: file (path inside ``folder``) -> SHA-256 of its bytes.
        licence: what may be done with it.
        citation: what to cite.
        folder: where the files lie; None for data made in memory.
        simulated: whether clips or judgments were made by a simulation. Every page and table that is made of them says
            so; whoever makes a data set has to say which it is.
        notes: how its files were understood where that could be otherwise, a sentence each.

    Raises:
        DataError: the trials index a stimulus set of another size.
    """

    name: str
    stimuli: StimulusSet
    trials: Trials | None
    hashes: Mapping[str, str]
    licence: str
    citation: str
    folder: Path | None = None
    _: KW_ONLY
    simulated: bool
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.trials is not None and self.trials.n_stimuli != len(self.stimuli):
            raise DataError(
                "trials belong to another stimulus set", where=self.name,
                expected=f"{len(self.stimuli)} stimuli", got=self.trials.n_stimuli,
            )  # fmt: skip

    def need_trials(self) -> Trials:
        """The trials.

        Raises:
            DataError: the data set has no odd-one-out trials.
        """
        if self.trials is None:
            raise DataError(
                "this data set has no odd-one-out trials", where=self.name,
                hint=f"`bgs data show {self.name}` shows what it has",
            )  # fmt: skip
        return self.trials
