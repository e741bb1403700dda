"""A data set: stimuli, optional judgments, and their provenance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from bgs._errors import DataError
from bgs.datasets.registry import REGISTRY
from bgs.judgments import DEFAULT_OPTIONS, TrialOptions, Trials, select_trials
from bgs.stimuli import StimulusSet

#: Anchored comparisons in a folder: kept, but not odd-one-out trials (:mod:`bgs.judgments.readers.salmon`).
COMPARISONS = "comparisons.csv"


@dataclass(frozen=True, repr=False)
class Dataset:
    """Stimuli and judgments with their provenance.

    Attributes:
        stimuli: the stimuli, in one fixed order.
        trials: odd-one-out trials over ``stimuli``; None if the data set has none.
        simulated: whether clips or judgments are simulated. Every report and table made from them says
            so. There is no default.
        name: registered name, or the name of the folder.
        hashes: file (path inside ``folder``) -> SHA-256 of its bytes.
        licence: terms of use.
        citation: what to cite.
        folder: location of the files; None for data created in memory.
        notes: how ambiguous files were interpreted and what was excluded, one sentence each.
        options: how response times were read, and which trials to exclude.
        left_out: what was excluded, as JSON types.

    Raises:
        DataError: the trials index a stimulus set of a different size.
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
    options: TrialOptions = DEFAULT_OPTIONS
    left_out: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        simulated = "SIMULATED " if self.simulated else ""
        return f"Dataset({simulated}{self.name}: {self.stimuli}, {self.trials or 'no trials'})"

    def __post_init__(self) -> None:
        if self.trials is not None and self.trials.n_stimuli != len(self.stimuli):
            raise DataError(
                "trials belong to another stimulus set", where=self.name,
                expected=f"{len(self.stimuli)} stimuli", got=self.trials.n_stimuli,
            )  # fmt: skip

    @property
    def reference(self) -> str:
        """The argument with which :func:`bgs.load_dataset` loads it again; for data created in memory, its name."""
        named = self.folder is None or self.name in REGISTRY
        return self.name if named else str(self.folder)

    def need_trials(self) -> Trials:
        """The trials.

        Raises:
            DataError: the data set has no odd-one-out trials.
        """
        if self.trials is None:
            raise DataError(
                "this data set has no odd-one-out trials", where=self.name, hint=self._where_trials_are()
            )
        return self.trials

    def _where_trials_are(self) -> str:
        """What to do without trials."""
        if self.folder is not None and (self.folder / COMPARISONS).exists():
            return f"the answers in {COMPARISONS} are anchored comparisons, which are not odd-one-out choices"
        if self.folder is not None and (self.folder / "schedule.csv").exists():
            export = f"bgs collect export {self.folder} --out {self.folder / 'trials.csv'}"
            return f"`{export}` writes the answers of a study into its folder"
        return f"`bgs data show {self.name}` shows its contents"

    def select(self, options: TrialOptions) -> Dataset:
        """Exclude trials with :func:`bgs.judgments.select_trials`; the notes record what was excluded."""
        if self.trials is None:
            return replace(self, options=options)
        test = None if self.stimuli.split is None else self.stimuli.test
        found = select_trials(self.trials, options, test)
        notes = tuple(f"{self.name}: {note}" for note in found.notes)
        return replace(
            self, trials=found.trials, notes=self.notes + notes, options=options, left_out=found.record
        )

    def about_trials(self) -> dict[str, Any]:
        """Provenance of the options with which trials were read; empty if all are the defaults."""
        if self.options == DEFAULT_OPTIONS:
            return {}
        return {"judgments": {**asdict(self.options), "left_out": dict(self.left_out)}}
