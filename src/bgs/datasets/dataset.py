"""A data set: stimuli, judgments where there are any, and where it all came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from bgs._errors import DataError
from bgs.datasets.registry import REGISTRY
from bgs.judgments import AS_IT_STANDS, TrialOptions, Trials, select_trials
from bgs.stimuli import StimulusSet


@dataclass(frozen=True)
class Dataset:
    """Stimuli and judgments with their provenance.

    Attributes:
        stimuli: the stimuli, in one fixed order.
        trials: odd-one-out trials over ``stimuli``; None where the data set has none.
        simulated: whether clips or judgments were made by a simulation. Every page and table that is made of them says
            so; whoever makes a data set has to say which it is.
        name: registered name, or the name of the folder.
        hashes: file (path inside ``folder``) -> SHA-256 of its bytes.
        licence: what may be done with it.
        citation: what to cite.
        folder: where the files lie; None for data made in memory.
        notes: how its files were understood where that could be otherwise, and what was left out, a sentence each.
        options: how response times were read, and which trials were to be left out.
        left_out: what was left out, as JSON types.

    Raises:
        DataError: the trials index a stimulus set of another size.
    """

    stimuli: StimulusSet
    trials: Trials | None = None
    _: KW_ONLY
    simulated: bool
    name: str = "data made in memory"
    hashes: Mapping[str, str] = field(default_factory=dict)
    licence: str = "your own data"
    citation: str = "none given"
    folder: Path | None = None
    notes: tuple[str, ...] = ()
    options: TrialOptions = AS_IT_STANDS
    left_out: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.trials is not None and self.trials.n_stimuli != len(self.stimuli):
            raise DataError(
                "trials belong to another stimulus set", where=self.name,
                expected=f"{len(self.stimuli)} stimuli", got=self.trials.n_stimuli,
            )  # fmt: skip

    @property
    def reference(self) -> str:
        """What it can be loaded by again, by :func:`bgs.load_dataset`; of data made in memory, its name."""
        named = self.folder is None or self.name in REGISTRY
        return self.name if named else str(self.folder)

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

    def select(self, options: TrialOptions) -> Dataset:
        """The data set with the trials that :func:`bgs.judgments.select_trials` leaves, saying so in its notes."""
        if self.trials is None:
            return replace(self, options=options)
        test = None if self.stimuli.split is None else self.stimuli.test
        found = select_trials(self.trials, options, test)
        notes = tuple(f"{self.name}: {note}" for note in found.notes)
        return replace(
            self, trials=found.trials, notes=self.notes + notes, options=options, left_out=found.record
        )

    def about_trials(self) -> dict[str, Any]:
        """What a provenance has to say of the options that trials were read with; empty where all are the usual ones."""
        if self.options == AS_IT_STANDS:
            return {}
        return {"judgments": {**asdict(self.options), "left_out": dict(self.left_out)}}
