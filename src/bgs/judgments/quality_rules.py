"""Quality control by rules that are fixed before the data are seen: a YAML file that can be registered with the study.

A rule sets a limit to a figure of one participant. Whoever breaks a rule is flagged, with the finding; nothing is deleted. The
figures are those of :mod:`bgs.judgments.participation` and :mod:`bgs.judgments.careless`, whose own flags (`bgs data audit`)
adapt to the sample instead: see docs/quality-control.md for both, and for how often each rule is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from bgs._config import Settings, read_settings, validate
from bgs._typing import Float
from bgs.judgments.careless import TESTS, p_values
from bgs.judgments.participation import ParticipantAudit, participants
from bgs.judgments.trials import Kind, Trials


class CheckRule(Settings):
    """Failed attention checks (one clip shown twice, and not the other one chosen)."""

    most: float = Field(0.25, ge=0, le=1)
    """Largest share of checks that may be failed."""
    fewest: int = Field(4, ge=1)
    """Fewest checks that a participant must have seen for the rule to apply."""


class FastRule(Settings):
    """Answers that are too fast."""

    seconds: float = Field(0.8, gt=0)
    """An answer is too fast below this time."""
    most: float = Field(0.25, ge=0, le=1)
    """Largest share of answers that may be too fast."""


class SlowRule(Settings):
    """Answers that are too slow."""

    seconds: float = Field(60.0, gt=0)
    """An answer is too slow above this time."""
    most: float = Field(0.25, ge=0, le=1)
    """Largest share of answers that may be too slow."""


class SideRule(Settings):
    """The same position chosen too often, among similarity judgments."""

    most: float = Field(0.6, ge=1 / 3, le=1)
    """Largest share of judgments with the odd one in the same slot; 1/3 on average without a preference."""
    fewest: int = Field(30, ge=1)
    """Fewest judgments for the rule to apply."""


class AgreementRule(Settings):
    """Low agreement with the others: choices that a geometry fitted to other people's choices hardly predicts."""

    p: float = Field(0.001, gt=0, lt=1)
    """Flagged if choices so hard to predict are at most this probable for an attentive participant."""


class CompleteRule(Settings):
    """Blocks that were not finished."""

    fewest: float = Field(0.9, ge=0, le=1)
    """Smallest share of the trials of their blocks that a participant must have answered."""
    trials: int | None = Field(None, ge=1)
    """Trials in a whole block; null: the number that most blocks of the table have."""


class RuleSet(Settings):
    """Rules of exclusion. A rule that is null is not applied."""

    checks: CheckRule | None = CheckRule()
    too_fast: FastRule | None = FastRule()
    too_slow: SlowRule | None = SlowRule()
    one_sided: SideRule | None = SideRule()
    agreement: AgreementRule | None = AgreementRule()
    incomplete: CompleteRule | None = CompleteRule()


@dataclass(frozen=True)
class Breach:
    """A rule that a participant broke: its name, and the finding in words."""

    rule: str
    finding: str


@dataclass(frozen=True)
class RuleFlag:
    """A flagged participant, with the rules broken, and how many rows and judgments are theirs."""

    participant: str
    breaches: tuple[Breach, ...]
    rows: int
    judgments: int


@dataclass(frozen=True)
class RuleReport:
    """Whom a set of rules flags.

    Attributes:
        rules: the rules as applied, as JSON types.
        flagged: the participants, sorted by name.
        untested: rule -> why it could not be applied to anybody.
    """

    rules: dict[str, Any]
    flagged: tuple[RuleFlag, ...]
    untested: dict[str, str]


#: What a rule finds: place of a participant -> finding, or why nobody could be tested.
_Findings = dict[int, str] | str


def read_rules(path: str | Path) -> RuleSet:
    """Read a set of rules (`bgs config init rules` prints one).

    Raises:
        ConfigError: the file is missing or not YAML, a key is unknown, or a value is out of range.
    """
    return validate(RuleSet, read_settings(path), path)


def apply_rules(
    trials: Trials, rules: RuleSet, people: Sequence[ParticipantAudit] | None = None
) -> RuleReport:
    """Apply rules to every participant of a table.

    Args:
        trials: trials of any kind.
        rules: the rules.
        people: :func:`bgs.judgments.participation.participants` of the same trials, if known already.
    """
    people = participants(trials) if people is None else people
    found = {
        name: _APPLY[name](rule, trials, people)
        for name in RuleSet.model_fields
        if (rule := getattr(rules, name)) is not None
    }
    judgments = np.bincount(trials.participant_codes[trials.kind == Kind.JUDGMENT], minlength=len(people))
    flags = []
    for k, person in enumerate(people):
        broken = [
            Breach(name, each[k]) for name, each in found.items() if isinstance(each, dict) and k in each
        ]
        if broken:
            flags.append(RuleFlag(person.participant, tuple(broken), person.rows, int(judgments[k])))
    untested = {name: each for name, each in found.items() if isinstance(each, str)}
    return RuleReport(rules.model_dump(mode="json"), tuple(flags), untested)


def _checks(rule: CheckRule, trials: Trials, people: Sequence[ParticipantAudit]) -> _Findings:
    tested = [k for k, person in enumerate(people) if person.checks >= rule.fewest]
    if not tested:
        return f"nobody saw at least {rule.fewest} checks"
    failed = {k: people[k].checks - people[k].passed for k in tested}
    return {
        k: f"failed {n} of {people[k].checks} checks"
        for k, n in failed.items()
        if n > rule.most * people[k].checks
    }


def _too_fast(rule: FastRule, trials: Trials, people: Sequence[ParticipantAudit]) -> _Findings:
    shares = _share(trials, trials.rt < rule.seconds, np.isfinite(trials.rt), len(people))
    return _beyond(shares, rule.most, f"of answers below {rule.seconds:g} s")


def _too_slow(rule: SlowRule, trials: Trials, people: Sequence[ParticipantAudit]) -> _Findings:
    shares = _share(trials, trials.rt > rule.seconds, np.isfinite(trials.rt), len(people))
    return _beyond(shares, rule.most, f"of answers above {rule.seconds:g} s")


def _one_sided(rule: SideRule, trials: Trials, people: Sequence[ParticipantAudit]) -> _Findings:
    judgment = trials.kind == Kind.JUDGMENT
    codes, size = trials.participant_codes[judgment], len(people)
    counts = np.bincount(codes * 3 + trials.odd[judgment], minlength=3 * size).reshape(size, 3)
    total = counts.sum(axis=1)
    if not (total >= rule.fewest).any():
        return f"nobody gave at least {rule.fewest} judgments"
    over = (total >= rule.fewest) & (counts.max(axis=1) > rule.most * total)
    return {
        k: f"position {int(counts[k].argmax()) + 1} in {counts[k].max() / total[k]:.0%} of judgments"
        for k in np.flatnonzero(over).tolist()
    }


def _agreement(rule: AgreementRule, trials: Trials, people: Sequence[ParticipantAudit]) -> _Findings:
    p = p_values(people)[:, TESTS.index("choices")] if people else np.empty(0)
    if not np.isfinite(p).any():
        return "too few participants or judgments"
    return {
        k: f"predictability {people[k].predictability:.2f} ± {people[k].predictability_sd:.2f} (p {p[k]:.1g})"
        for k in np.flatnonzero(p <= rule.p).tolist()
    }


def _incomplete(rule: CompleteRule, trials: Trials, people: Sequence[ParticipantAudit]) -> _Findings:
    block = np.unique(trials.block, return_inverse=True)[1]
    session, size = np.unique(np.stack([trials.participant_codes, block], axis=1), axis=0, return_counts=True)
    if not len(size):
        return "no trials"
    most_often = np.bincount(size)
    whole = rule.trials or int(np.flatnonzero(most_often == most_often.max())[-1])
    begun = np.bincount(session[:, 0], minlength=len(people)) * whole
    given = np.bincount(session[:, 0], np.minimum(size, whole), minlength=len(people))
    return {
        k: f"{int(given[k])} of {int(begun[k])} trials"
        for k in np.flatnonzero(given < rule.fewest * begun).tolist()
    }


def _share(trials: Trials, which: np.ndarray, known: np.ndarray, size: int) -> Float[np.ndarray, " q"]:
    """(q,) share of each participant's rows with a known time; NaN where none is known."""
    codes = trials.participant_codes
    hits, total = (np.bincount(codes[rows], minlength=size) for rows in (which & known, known))
    shares: Float[np.ndarray, " q"] = np.full(size, np.nan)
    np.divide(hits, total, out=shares, where=total > 0)
    return shares


def _beyond(shares: Float[np.ndarray, " q"], most: float, words: str) -> _Findings:
    if not np.isfinite(shares).any():
        return "no response time is known"
    return {k: f"{shares[k]:.0%} {words}" for k in np.flatnonzero(shares > most).tolist()}


_APPLY: dict[str, Any] = {
    "checks": _checks,
    "too_fast": _too_fast,
    "too_slow": _too_slow,
    "one_sided": _one_sided,
    "agreement": _agreement,
    "incomplete": _incomplete,
}
