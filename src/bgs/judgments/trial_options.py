"""How a trial table is read and what is left out of it, before anything is measured or trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bgs._errors import some
from bgs._typing import Bool
from bgs.judgments.careless import flag_careless, untested
from bgs.judgments.duplicates import find_duplicates
from bgs.judgments.participation import participants
from bgs.judgments.response_times import RtKind, RtUnit
from bgs.judgments.trials import Trials


@dataclass(frozen=True)
class TrialOptions:
    """What to make of a trial table; the defaults take it as it stands.

    Attributes:
        rt_unit, rt_kind: what ``rt`` of a folder's table counts, see :mod:`bgs.judgments.response_times`.
        drop_duplicates: leave out rows that :func:`bgs.judgments.find_duplicates` finds.
        exclude_flagged: then leave out participants whom :func:`bgs.judgments.careless.flag_careless` flags.
    """

    rt_unit: RtUnit = "s"
    rt_kind: RtKind = "response"
    drop_duplicates: bool = False
    exclude_flagged: bool = False


#: Seconds from the start of the trial, and every row kept.
AS_IT_STANDS = TrialOptions()


@dataclass(frozen=True)
class Selection:
    """What is left of a trial table.

    Attributes:
        trials: the rows that stay.
        notes: a sentence on each kind of row that was left out.
        record: the same for a provenance, as JSON types; empty where nothing was to be left out.
    """

    trials: Trials
    notes: tuple[str, ...]
    record: dict[str, Any]


def select_trials(
    trials: Trials, options: TrialOptions, test: Bool[np.ndarray, " s"] | None = None
) -> Selection:
    """Leave out what the options say: duplicates first, then flagged participants among what stays.

    Args:
        trials: of any kind, attention checks included: they tell who is careless.
        options: what to leave out.
        test: (n_stimuli,) mask of test clips, for counts.
    """
    notes: list[str] = []
    record: dict[str, Any] = {}
    if options.drop_duplicates:
        found = find_duplicates(trials, test)
        trials = trials.where(~found.rows)
        notes.append(f"duplicates left out: {found}" if found else "no duplicates to leave out")
        record["duplicates"] = found.to_json()
    if options.exclude_flagged:
        people = participants(trials)
        names, unknown = [flag.participant for flag in flag_careless(people)], untested(people)
        flagged = np.isin(trials.participant, names)
        lost = trials.where(flagged)
        trials = trials.where(~flagged)
        notes.append(
            f"{len(names)} flagged participants left out, with {len(lost):,} trials, {len(lost.judgments):,} of them "
            f"judgments: {some(names, limit=12)}"
            if names
            else "no participant is flagged, so none is left out"
        )
        if unknown:
            reasons = ", ".join(f"{test} ({why})" for test, why in unknown.items())
            notes.append(f"whether participants take part was not tested by {reasons}")
        record["flagged"] = {"participants": names, "rows": len(lost), "judgments": len(lost.judgments)}
    return Selection(trials, tuple(notes), record)
