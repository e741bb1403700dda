"""Options for reading a trial table and excluding trials, before training or evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bgs._errors import listed
from bgs._typing import Bool
from bgs.judgments.careless import flag_careless, untested
from bgs.judgments.duplicates import find_duplicates
from bgs.judgments.participation import participants
from bgs.judgments.quality_rules import apply_rules, read_rules
from bgs.judgments.response_times import RtKind, RtUnit
from bgs.judgments.trials import Trials


@dataclass(frozen=True)
class TrialOptions:
    """Options for reading a trial table; the defaults keep every row but those that the table itself marks as excluded.

    Attributes:
        rt_unit, rt_kind: unit and zero point of ``rt`` in a folder's table, see :mod:`bgs.judgments.response_times`.
        with_excluded: keep rows of a folder's table that its column ``excluded`` marks.
        drop_duplicates: drop rows found by :func:`bgs.judgments.find_duplicates`.
        exclude_flagged: then exclude participants flagged by :func:`bgs.judgments.careless.flag_careless`, or by ``rules``.
        rules: YAML file of rules of exclusion (:mod:`bgs.judgments.quality_rules`) for ``exclude_flagged``.
    """

    rt_unit: RtUnit = "s"
    rt_kind: RtKind = "response"
    drop_duplicates: bool = False
    exclude_flagged: bool = False
    rules: str | None = None
    with_excluded: bool = False


#: Seconds from the start of the trial, and every row kept.
DEFAULT_OPTIONS = TrialOptions()


@dataclass(frozen=True)
class Selection:
    """The selected trials of a table.

    Attributes:
        trials: the remaining rows.
        notes: a sentence on each kind of excluded row.
        record: the same as JSON types, for provenance; empty if no exclusion was requested.
    """

    trials: Trials
    notes: tuple[str, ...]
    record: dict[str, Any]


def select_trials(
    trials: Trials, options: TrialOptions, test: Bool[np.ndarray, " s"] | None = None
) -> Selection:
    """Apply the options: drop duplicates first, then exclude participants flagged on the remaining rows.

    Args:
        trials: trials of any kind, including attention checks, which help to identify careless participants.
        options: what to exclude.
        test: (n_stimuli,) mask of test clips, for counts.
    """
    notes: list[str] = []
    record: dict[str, Any] = {}
    if options.drop_duplicates:
        found = find_duplicates(trials, test)
        trials = trials.where(~found.rows)
        notes.append(f"duplicates dropped: {found}" if found else "no duplicates to drop")
        record["duplicates"] = found.to_json()
    if options.exclude_flagged:
        names, unknown, why = _flagged(trials, options.rules)
        flagged = np.isin(trials.participant, names)
        lost = trials.where(flagged)
        trials = trials.where(~flagged)
        notes.append(
            f"{len(names)} flagged participants excluded, with {len(lost):,} trials, {len(lost.judgments):,} of them "
            f"judgments: {listed(names, limit=12)}"
            if names
            else "no participant is flagged, so none is excluded"
        )
        if unknown:
            reasons = ", ".join(f"{test} ({why})" for test, why in unknown.items())
            notes.append(f"careless participants were not tested for by {reasons}")
        record["flagged"] = {
            "participants": names,
            "rows": len(lost),
            "judgments": len(lost.judgments),
            **why,
        }
    return Selection(trials, tuple(notes), record)


def _flagged(trials: Trials, rules: str | None) -> tuple[list[str], dict[str, str], dict[str, Any]]:
    """Who is flagged, by the audit or by rules; tests that could not be run; and for rules, these and each finding."""
    people = participants(trials)
    if rules is None:
        return [flag.participant for flag in flag_careless(people)], untested(people), {}
    found = apply_rules(trials, read_rules(rules), people)
    why = {flag.participant: {b.rule: b.finding for b in flag.breaches} for flag in found.flagged}
    return [*why], found.untested, {"rules": found.rules, "reasons": why}
