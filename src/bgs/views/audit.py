"""Tables of an audit."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table

from bgs._numbers import counted
from bgs.datasets import Dataset
from bgs.judgments.careless import TESTS, Flag, untested
from bgs.judgments.participation import ParticipantAudit
from bgs.judgments.quality_rules import RuleReport
from bgs.judgments.trial_audit import Audit, Leakage, PairCoverage, ResponseTimes, SlotShare
from bgs.views.console import facts, table


def audit_view(dataset: Dataset, audit: Audit) -> Group:
    """Tables of an audit; individual participants only where they stand out."""
    parts: list[RenderableType] = [facts(f"Audit of {dataset.name}", _summary(audit)), ""]
    if audit.flagged:
        parts.append(_flagged(audit.flagged))
    if audit.by_rules is not None:
        parts.append(_by_rules(audit.by_rules))
    parts.append(_coverage(audit.coverage))
    if audit.leakage is not None:
        parts.append(_leakage(audit.leakage))
    if audit.published:
        rows = [(c.file, f"{c.compared:,} {c.unit}", f"{c.differing:,}", c.remark) for c in audit.published]
        header = ("published file", "compared", "differ", "from the trials")
        parts.append(table("Published files against the trials", header, rows, numbers=(1, 2)))
    return Group(*parts)


def _summary(audit: Audit) -> list[tuple[str, object]]:
    checks, repeats = audit.attention, audit.agreement
    rows: list[tuple[str, object]] = [
        ("rows", f"{audit.rows:,}"),
        ("judgments", f"{audit.judgments:,} (three distinct clips)"),
        ("degenerate", f"{audit.degenerate:,} (one clip three times)"),
        ("copied rows", audit.copies.in_words()),
        ("submitted twice", audit.doubles.in_words()),
        ("participants", _participants(audit.participants)),
        ("attention checks", f"{checks.shown:,} (one clip twice), {_percent(checks.pass_rate)} passed"),
        ("", _failures(audit.participants)),
        ("careless?", f"{len(audit.flagged)} of {len(audit.participants):,} participants flagged"),
    ]
    rows += [("", f"not tested: {test} ({why})") for test, why in untested(audit.participants).items()]
    rows.append(("odd one by slot", _slots(audit.odd_by_slot)))
    rows += [("response time", line) for line in _times(audit.rt)][:1]
    rows += [("", line) for line in _times(audit.rt)[1:]]
    agreement = f"{repeats.over_pairs:.3f} over {repeats.pairs:,} pairs of judgments of the same triplet"
    rows.append(("repeat agreement", agreement if repeats.pairs else "no triplet was repeated"))
    if repeats.pairs:
        rows.append(
            ("", f"{repeats.over_triplets:.3f} over {repeats.repeated_triplets:,} triplets (chance 0.333)")
        )
    return rows


def _slots(slots: tuple[SlotShare, ...]) -> str:
    shares = (f"{_percent(slot.value)} [{_percent(slot.low)}, {_percent(slot.high)}]" for slot in slots)
    return ", ".join(shares) or "no judgments"


def _participants(participants: tuple[ParticipantAudit, ...]) -> str:
    rows = sorted(person.rows for person in participants)
    return f"{len(rows):,}, with {rows[0]} to {rows[-1]} trials, median {rows[len(rows) // 2]}"


def _failures(participants: tuple[ParticipantAudit, ...]) -> str:
    failed = sorted((p for p in participants if p.passed < p.checks), key=lambda p: p.passed / p.checks)
    if not any(person.checks for person in participants):
        return "no checks were shown"
    if not failed:
        return "every participant passed every check shown"
    worst = ", ".join(f"{p.participant} {p.passed}/{p.checks}" for p in failed[:5])
    return f"{counted(len(failed), 'participant')} failed at least one; worst: {worst}"


def _flagged(flags: tuple[Flag, ...], limit: int = 20) -> Table:
    rows = []
    for flag in flags[:limit]:
        found = {reason.test: reason.finding for reason in flag.reasons}
        rows.append((flag.participant, f"{flag.p:.1g}", *(found.get(test, "–") for test in TESTS)))
    more = f", the first {limit} of {len(flags)} (--json has all)" if len(flags) > limit else ""
    return table(f"Flagged participants{more}", ("participant", "p", *TESTS), rows, numbers=(1,))


def _by_rules(report: RuleReport, limit: int = 20) -> Table:
    """Participants whom the rules flag, with every finding; rules that could not be applied come last."""
    rows = [
        (flag.participant, f"{flag.judgments:,}", "; ".join(f"{b.rule}: {b.finding}" for b in flag.breaches))
        for flag in report.flagged[:limit]
    ]
    rows += [("–", "–", f"{rule}: not applied ({why})") for rule, why in report.untested.items()]
    more = (
        f", the first {limit} of {len(report.flagged)} (--json has all)"
        if len(report.flagged) > limit
        else ""
    )
    title = f"By the rules: {len(report.flagged)} participants flagged, none deleted{more}"
    return table(title, ("participant", "judgments", "broken rules"), rows, numbers=(1,))


def _times(rt: ResponseTimes | None) -> list[str]:
    if rt is None:
        return ["unknown"]
    return [
        f"median {rt.median:.2f} s, mean {rt.mean:.2f} s, {rt.minimum:.2f} to {rt.maximum:,.2f} s",
        f"{rt.outliers:,} outliers beyond {rt.low:.2f} to {rt.high:.2f} s: {rt.rule}",
    ]


def _coverage(coverage: dict[str, PairCoverage]) -> Table:
    rows = [
        (name, f"{found.pairs:,}", f"{found.observed:,}", _percent(found.share), f"{found.times_shown:.2f}")
        for name, found in coverage.items()
    ]
    return table(
        "Pairs of clips", ("pairs", "number", "observed", "share", "times shown"), rows, numbers=(1, 2, 3, 4)
    )


def _leakage(leakage: Leakage) -> Table:
    rows = [
        ("all rows", *(f"{n:,}" for n in leakage.rows)),
        ("judgments", *(f"{n:,}" for n in leakage.judgments)),
    ]
    title = f"Trials by test clips shown; {leakage.mixed_judgments:,} judgments mix the splits"
    return table(title, ("trials", "0", "1", "2", "3"), rows, numbers=(1, 2, 3, 4))


def _percent(share: float) -> str:
    return "–" if share != share else f"{share:.1%}"
