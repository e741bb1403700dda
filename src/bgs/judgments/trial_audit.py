"""Audit of a trial table: its contents and data quality."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from bgs._typing import Bool, Float
from bgs.judgments.agreement import RepeatAgreement, repeat_agreement
from bgs.judgments.careless import Flag, flag_careless
from bgs.judgments.duplicates import DuplicateCount, find_duplicates
from bgs.judgments.pair_counts import PairCounts
from bgs.judgments.participation import ParticipantAudit, participants, passed_checks
from bgs.judgments.quality_rules import RuleReport, RuleSet, apply_rules
from bgs.judgments.trials import Kind, Trials
from bgs.stimuli import StimulusSet

#: A response time is an outlier beyond this many robust standard deviations (1.4826 MAD) of log time.
OUTLIER_DEVIATIONS = 5.0


@dataclass(frozen=True)
class AttentionChecks:
    """Trials that show one clip twice; passed if the other clip was chosen. ``pass_rate`` in 0–1."""

    shown: int
    passed: int
    pass_rate: float


@dataclass(frozen=True)
class ResponseTimes:
    """Response times in seconds; ``outliers`` lie outside ``low`` to ``high``, as defined by ``rule``."""

    known: int
    minimum: float
    median: float
    mean: float
    maximum: float
    rule: str
    low: float
    high: float
    outliers: int


@dataclass(frozen=True)
class SlotShare:
    """Proportion of judgments with the odd one in a slot, with its 95 % interval (Wilson 1927); about 1/3 without bias."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class PairCoverage:
    """Number of distinct pairs, number and proportion shown at least once, and mean number of times a pair was shown."""

    pairs: int
    observed: int
    share: float
    times_shown: float


@dataclass(frozen=True)
class Leakage:
    """Number of trials with 0, 1, 2 or 3 slots that show a test clip; 1 and 2 mix the splits."""

    rows: tuple[int, int, int, int]
    judgments: tuple[int, int, int, int]
    mixed_judgments: int


@dataclass(frozen=True)
class Comparison:
    """Comparison of a published file with the trials: number of values compared, number that differ, and why."""

    file: str
    unit: str
    compared: int
    differing: int
    remark: str


@dataclass(frozen=True)
class Audit:
    """The results of the audit.

    ``leakage`` is None if the stimuli have no split, ``rt`` if no response time is known;
    ``published`` is empty if the authors published no files to compare the trials with. ``flagged`` are
    participants who seem careless according to :func:`bgs.judgments.careless.flag_careless`, ``by_rules`` those whom a set
    of rules flags, None without rules. ``copies`` and ``doubles`` count the rows found by
    :func:`bgs.judgments.find_duplicates`; ``odd_by_slot`` is empty without judgments.
    """

    rows: int
    judgments: int
    degenerate: int
    copies: DuplicateCount
    doubles: DuplicateCount
    odd_by_slot: tuple[SlotShare, ...]
    attention: AttentionChecks
    participants: tuple[ParticipantAudit, ...]
    rt: ResponseTimes | None
    coverage: dict[str, PairCoverage]
    agreement: RepeatAgreement
    leakage: Leakage | None
    published: tuple[Comparison, ...] = ()
    flagged: tuple[Flag, ...] = ()
    by_rules: RuleReport | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries and lists; None in place of NaN."""
        return {name: _without_nan(value) for name, value in asdict(self).items()}


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def audit(trials: Trials, stimuli: StimulusSet, rules: RuleSet | None = None) -> Audit:
    """Audit a trial table against its stimuli, and by ``rules`` if there are any.

    All results except ``rows``, ``leakage.rows``, ``rt``, duplicates and attention checks refer only to similarity
    judgments, i.e. trials of three distinct clips.
    """
    people = participants(trials)
    duplicates = find_duplicates(trials, None if stimuli.split is None else stimuli.test)
    return Audit(
        rows=len(trials),
        judgments=len(trials.judgments),
        degenerate=int((trials.kind == Kind.DEGENERATE).sum()),
        copies=duplicates.copies,
        doubles=duplicates.doubles,
        odd_by_slot=odd_by_slot(trials.judgments),
        attention=attention_checks(trials),
        participants=people,
        rt=response_times(trials.rt),
        coverage=coverage(trials, stimuli),
        agreement=repeat_agreement(trials),
        leakage=None if stimuli.split is None else leakage(trials, stimuli.test),
        flagged=flag_careless(people),
        by_rules=None if rules is None else apply_rules(trials, rules, people),
    )


def attention_checks(trials: Trials) -> AttentionChecks:
    """Attention checks over all participants; the pass rate is NaN where none was shown."""
    shown, passed = int((trials.kind == Kind.CATCH).sum()), int(passed_checks(trials).sum())
    return AttentionChecks(shown, passed, passed / shown if shown else math.nan)


def odd_by_slot(judgments: Trials) -> tuple[SlotShare, ...]:
    """How often the clip in each slot was chosen as odd."""
    n, z2 = len(judgments), 1.959964**2
    if not n:
        return ()
    shares = np.bincount(judgments.odd, minlength=3) / n
    middle = (shares + z2 / (2 * n)) / (1 + z2 / n)
    reach = np.sqrt(z2 * (shares * (1 - shares) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    columns = (shares, middle - reach, middle + reach)
    return tuple(SlotShare(*row) for row in zip(*(column.tolist() for column in columns), strict=True))


def response_times(rt: Float[np.ndarray, " n"]) -> ResponseTimes | None:
    """Summary and outliers of response times in seconds; None where no time is known."""
    known = rt[~np.isnan(rt)]
    if not len(known):
        return None
    log = np.log(np.maximum(known, 1e-3))  # a time of 0 has no finite logarithm
    middle = np.median(log)
    reach = OUTLIER_DEVIATIONS * 1.4826 * np.median(np.abs(log - middle))
    return ResponseTimes(
        known=len(known),
        minimum=float(known.min()),
        median=float(np.median(known)),
        mean=float(known.mean()),
        maximum=float(known.max()),
        rule=f"log time more than {OUTLIER_DEVIATIONS:g} robust SD (1.4826 MAD) from its median",
        low=float(np.exp(middle - reach)),
        high=float(np.exp(middle + reach)),
        outliers=int((np.abs(log - middle) > reach).sum()),
    )


def coverage(trials: Trials, stimuli: StimulusSet) -> dict[str, PairCoverage]:
    """Pair coverage: ``all``, and with a split ``train``, ``test`` and ``mixed`` pairs, from all judgments;
    ``train trials`` and ``test trials`` count only judgments whose three clips lie in that split."""
    train, test = stimuli.train, stimuli.test
    counts = PairCounts.from_trials(trials)
    found = {"all": _pair_coverage(counts, np.ones((len(stimuli), len(stimuli)), dtype=bool))}
    if stimuli.split is None:
        return found
    for name, mask in (("train", train), ("test", test)):
        pairs = np.outer(mask, mask)
        found[name] = _pair_coverage(counts, pairs)
        found[f"{name} trials"] = _pair_coverage(PairCounts.from_trials(trials.within(mask)), pairs)
    found["mixed"] = _pair_coverage(counts, train[:, None] != train[None, :])
    return found


def _pair_coverage(counts: PairCounts, pairs: Bool[np.ndarray, "n n"]) -> PairCoverage:
    shown = counts.shown[np.triu(pairs, 1)]
    if not len(shown):
        return PairCoverage(0, 0, math.nan, math.nan)
    observed = int((shown > 0).sum())
    return PairCoverage(len(shown), observed, observed / len(shown), float(shown.mean()))


def leakage(trials: Trials, test: Bool[np.ndarray, " s"]) -> Leakage:
    """Count trials by the number of test clips they show."""
    rows = _by_test_clips(trials, test)
    judgments = _by_test_clips(trials.judgments, test)
    return Leakage(rows, judgments, judgments[1] + judgments[2])


def _by_test_clips(trials: Trials, test: Bool[np.ndarray, " s"]) -> tuple[int, int, int, int]:
    none, one, two, three = np.bincount(trials.count_in(test), minlength=4).tolist()
    return none, one, two, three
