"""The tables of docs/heider-simmel.md and of the README, and what the page says is not measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from heider_simmel_chapters import BEYOND, MEASURES, Beyond, Moved
from heider_simmel_choices import Choice
from heider_simmel_grid import Missing
from heider_simmel_measured import Absent, Measured
from heider_simmel_names import STATES, name_of, names_of, ordered, place_of
from heider_simmel_verbs import COLUMNS, Line
from page_tables import number, table

from bgs.evaluation import Metric

_NOT_MEASURED = "Not measured yet."
#: Reference levels of decoding.
_LEVELS = {"chance": "chance", "one_rater": "one rater", "new_panel": "another panel of raters"}


def text_of(metric: Metric | None, signed: bool = False) -> str:
    """A value with its interval; empty where there is none."""
    return "" if metric is None else metric.words(signed=signed)


def change_of(metric: Metric | None) -> str:
    """A difference or a part of variance; bold where its interval excludes 0."""
    text = text_of(metric, signed=True)
    return f"**{text}**" if metric is not None and not metric.low <= 0 <= metric.high else text


def rows_of(lines: Sequence[Line]) -> Iterator[tuple[str, Line]]:
    """Name and line, encoder by encoder, each from frozen to tuned."""
    encoders = ordered(lines)
    names = names_of(encoders)
    for encoder in encoders:
        own = [line for line in lines if line.encoder == encoder]
        yield from ((names[encoder], line) for line in sorted(own, key=lambda line: place_of(line.state)))


def values_table(lines: Sequence[Line]) -> str:
    """Agreement of every encoder in every state."""
    head = ["encoder", "trained", "RSA, Spearman", "odd one out", "seeds"]
    return table(
        head,
        [
            [name, one.state, text_of(one.rsa), text_of(one.odd_one_out), str(len(one.rsa.seeds))]
            for name, one in rows_of(lines)
        ],
    )


def differences_table(lines: Sequence[Line]) -> str:
    """Paired differences in RSA."""
    head = ["encoder", "trained", *(f"− {name}" for name in COLUMNS)]
    return table(
        head,
        [
            [name, one.state, *(change_of(one.differences.get(column)) for column in COLUMNS)]
            for name, one in rows_of(lines)
        ],
    )


def seeds_text(lines: Sequence[Line]) -> str:
    """How far the seeds of an encoder lie apart: transforms, and networks."""
    spread: dict[str, float] = {}
    for line in lines:
        values = list(line.rsa.seeds.values())
        if line.state in STATES[1:] and len(values) > 1:
            spread[line.state] = max(spread.get(line.state, 0.0), max(values) - min(values))
    found = {how: number(most) for how, most in sorted(spread.items(), key=lambda one: place_of(one[0]))}
    apart = [
        f"{how}: the same value" if most == number(0.0) else f"{how}: up to {most} apart"
        for how, most in found.items()
    ]
    return f"Values are means over seeds ({'; '.join(apart)})." if apart else "One seed each."


def summary_text(lines: Sequence[Line]) -> str:
    """For the README: each encoder frozen, with a transform and trained; the best of these minus frozen and tuned pixels."""
    lines = [line for line in lines if line.state in STATES]
    encoders, rows = ordered(lines), []
    for encoder, name in names_of(encoders).items():
        own = {line.state: line for line in lines if line.encoder == encoder}
        best = max(own.values(), key=lambda line: line.rsa.value)
        network = own.get("LoRA", own.get("trained in full"))
        values = [
            text_of(line.rsa) if line else ""
            for line in (own.get("frozen"), own.get("linear transform"), network)
        ]
        changes = [change_of(best.differences.get(column)) for column in ("frozen", "tuned pixels")]
        rows.append([name, *values, *changes])
    in_full = any(line.state == "trained in full" for line in lines)
    last = "LoRA (from scratch: in full)" if in_full else "LoRA"
    head = ["RSA, Spearman", "frozen", "linear transform", last, "best − frozen", "best − tuned pixels"]
    return f"{table(head, rows)}\n\nBold: the interval of the difference excludes 0."


def choices_table(choices: Sequence[Choice]) -> str:
    """As listed."""
    return table(
        ["encoder", "trained", "before", "tuned on choices", "difference"],
        [
            [
                name_of(one.encoder),
                one.state,
                text_of(one.before),
                text_of(one.tuned),
                change_of(one.difference),
            ]
            for one in choices
        ],
    )


def transfer_text(measured: Measured) -> str:
    """Table, reference levels of decoding, and encoders that cannot read PHASE."""
    by_encoder = {one.encoder: one for one in measured.transfer}
    encoders = [name for name in ordered(measured.verbs) if name in by_encoder]
    rows = [row for encoder, name in names_of(encoders).items() for row in _moved(name, by_encoder[encoder])]
    head = ["encoder", "trained", "on PHASE", "frozen", "tuned", "difference", "seeds"]
    parts = [table(head, rows) if rows else _NOT_MEASURED]
    if encoders and (levels := by_encoder[encoders[0]].references):
        found = [f"{name} {text_of(levels[key])}" for key, name in _LEVELS.items() if key in levels]
        parts.append(f"Decoding: {'; '.join(found)}.")
    if measured.features_only:
        whose = ", ".join(names_of(measured.features_only).values())
        parts.append(f"Without transfer, since only embeddings of the triangles were computed: {whose}.")
    return "\n\n".join(parts)


def _moved(name: str, one: Moved) -> Iterator[list[str]]:
    for measure, called in MEASURES.items():
        if (change := one.changes.get(measure)) is not None:
            seeds = str(len(change.tuned.seeds))
            yield [
                name,
                one.state,
                called,
                text_of(change.base),
                text_of(change.tuned),
                change_of(change.difference),
                seeds,
            ]


def variance_text(measured: Measured) -> str:
    """Table, and what verbs explain beyond the encoders."""
    by_encoder = {one.encoder: one for one in measured.variance}
    encoders = [name for name in ordered(measured.verbs) if name in by_encoder]
    if not encoders:
        return _NOT_MEASURED
    head = [
        "tuned encoder",
        "trained",
        "alone",
        *(f"beyond {name}" for name in BEYOND.values()),
        "verbs beyond it",
        "seeds",
    ]
    return table(head, [_beyond(name, by_encoder[encoder]) for encoder, name in names_of(encoders).items()])


def _beyond(name: str, one: Beyond) -> list[str]:
    parts = [change_of(one.beyond.get(partition)) for partition in BEYOND]
    return [name, one.state, text_of(one.alone), *parts, change_of(one.verbs), str(len(one.alone.seeds))]


def absent_text(absent: Absent) -> str:
    """A list of what is planned and not measured; empty where nothing is."""
    by_encoder: dict[str, list[Missing]] = {}
    for one in absent.cells:
        by_encoder.setdefault(one.encoder, []).append(one)
    items = [f"{name_of(encoder)}: {'; '.join(map(_lacking, own))}" for encoder, own in by_encoder.items()]
    for what, encoders in (("transfer to PHASE", absent.transfer), ("unique variance", absent.variance)):
        if encoders:
            items.append(f"{what}: {'; '.join(name_of(encoder) for encoder in encoders)}")
    if absent.choices:
        names = [f"{name_of(encoder)}, {state}" for encoder, state in absent.choices]
        items.append(f"from choices to choices: {'; '.join(names)}")
    return "**Not measured yet**\n\n" + "\n".join(f"- {item}" for item in items) if items else ""


def _lacking(one: Missing) -> str:
    seeds = f"seed{'s' if len(one.seeds) > 1 else ''} {', '.join(map(str, one.seeds))}"
    return one.state if one.all_seeds else f"{one.state} ({seeds})"


def page_parts(measured: Measured) -> dict[str, str]:
    """Marker of docs/heider-simmel.md -> what stands there."""
    lines = measured.verbs
    return {
        "verbs": values_table(lines),
        "seeds": f"{seeds_text(lines)} The noise ceiling of RSA is {text_of(measured.ceiling)}.".strip(),
        "differences": differences_table(lines),
        "absent": absent_text(measured.absent),
        "transfer": transfer_text(measured),
        "variance": variance_text(measured),
        "choices": choices_table(measured.choices),
    }
