"""The first three results: the gap to people, what closes it, and how near to the noise ceiling that comes."""

from __future__ import annotations

from collections.abc import Iterable

from bgs.experiment.conditions import Condition
from bgs.experiment.page.chapter import Chapter, Findings
from bgs.experiment.page.source import PROTOCOLS, Source, estimate, role, seeds_text
from bgs.experiment.results import ProtocolResults, Row
from bgs.report import (
    Estimate,
    FigureBlock,
    ForestFigure,
    ForestPanel,
    ForestRow,
    GapFigure,
    GapPanel,
    Table,
    ceiling_sentence,
    change_sentence,
    contrast_sentence,
    level_sentence,
)
from bgs.report.page import Cell

_BASE, _HYBRID = Condition.BASE.value, Condition.HYBRID.value
_MEASURES = {"rsa_spearman": "Spearman correlation", "odd_one_out_3afc": "odd one out, three-way"}


def _gap(source: Source) -> Findings:
    results, words = source.headline, []
    for model in source.having(_BASE):
        base = results.models[model][_BASE]["rsa_spearman"].mean
        name, what = source.base(model), f"agreement with {source.words.judges}"
        gap = results.differences[model].get("base - captions")
        if gap is None:
            words.append(level_sentence(base, f"{what} of {name} (Spearman)", 0.0))
        else:
            words.append(
                contrast_sentence(gap["rsa_spearman"].mean, name, "an embedding of the captions", what)
            )
    wanted = [[(model, _BASE) for model in source.models]] * len(source.table.protocols)
    return Findings(
        tuple(words),
        (_gap_block(source, wanted, "Models before training, and an embedding of the captions."),),
        tuple(_levels(source, name, [_BASE]) for name in source.table.protocols),
        notes=_published_notes(source),
    )


def _closing(source: Source) -> Findings:
    results, words, what = source.headline, list[str](), f"agreement with {source.words.judges}"
    for model in source.having(_BASE, _HYBRID):
        base, tuned = (results.models[model][name]["rsa_spearman"].mean for name in (_BASE, _HYBRID))
        change = results.differences[model]["hybrid - base"]["rsa_spearman"].mean
        cause = "Tuning" if len(source.models) == 1 else f"Tuning {model}"
        words.append(change_sentence(change, base.value, tuned.value, f"{what} (Spearman)", cause))
        if "hybrid - captions" in results.differences[model]:
            beside = results.differences[model]["hybrid - captions"]["rsa_spearman"].mean
            words.append(contrast_sentence(beside, source.tuned(model), "an embedding of the captions", what))
        words += _controls(source, model)
    every = [
        [(m, name) for m in source.models for name in found.models[m]]
        for found in source.table.protocols.values()
    ]
    return Findings(
        tuple(words),
        (
            _gap_block(
                source, every, f"Agreement with {source.words.judges}, and the most that any model can reach."
            ),
            FigureBlock(_differences_figure(source), "Paired differences between conditions."),
        ),
        (
            *(_levels(source, name) for name in source.table.protocols),
            *(_differences(source, name) for name in source.table.protocols),
        ),
    )


def _controls(source: Source, model: str) -> list[str]:
    """One sentence on the controls that the hybrid is ahead of, one on the others."""
    found = {
        pair.removeprefix("hybrid - "): figures["rsa_spearman"].mean
        for pair, figures in source.headline.differences[model].items()
        if pair.startswith("hybrid - ") and pair not in ("hybrid - base", "hybrid - captions")
    }
    ahead = [name for name, metric in found.items() if metric.low > 0]
    behind = [name for name, metric in found.items() if metric.high < 0]
    level = [name for name in found if name not in (*ahead, *behind)]
    name, sentences = source.tuned(model), []
    if ahead:
        sentences.append(f"the agreement of {name} is higher than that with {_among(ahead)}")
    if behind:
        sentences.append(f"it is lower than that with {_among(behind)}")
    if level:
        sentences.append(
            f"there is no evidence that the agreement of {name} differs from that with {_among(level)}"
        )
    text = "; ".join(sentences)
    return [f"Controls: {text}."] if text else []


def _among(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _nearness(source: Source) -> Findings:
    results, words, rows = source.headline, list[str](), list[ForestRow]()
    ceiling = results.ceilings["rsa_ceiling"]
    for model in source.having(_HYBRID):
        tuned = results.models[model][_HYBRID]["rsa_spearman"].mean
        name = source.tuned(model)
        words.append(ceiling_sentence(tuned, ceiling, f"{name[:1].upper()}{name[1:]}", source.words.judges))
        shares = {
            c: results.share_of_ceiling(figures).get("rsa_spearman") for c, figures in _rows(results, model)
        }
        rows += [
            ForestRow(source.called(model, source.label(c)), (estimate(role(c), share, role(c)),))
            for c, share in shares.items()
            if share is not None
        ]
    panel = ForestPanel("Share of the noise ceiling", "share (Spearman)", tuple(rows), 1.0, "noise ceiling")
    return Findings(
        tuple(words),
        (
            FigureBlock(
                ForestFigure((panel,), _footnote(source)), "Model over ceiling; 1 is the noise ceiling."
            ),
        ),
        tuple(_ceilings(source, name, found) for name, found in source.table.protocols.items()),
        notes=("A share leaves the ceiling's own uncertainty out; its interval stands in the table.",),
    )


def _rows(results: ProtocolResults, model: str) -> list[tuple[str, Row]]:
    """Captions, if there are any, then every condition of a model."""
    captions = [("captions", results.captions)] if results.captions else []
    return [*captions, *results.models[model].items()]


def _gap_block(source: Source, wanted: list[list[tuple[str, str]]], caption: str) -> FigureBlock:
    panels = [
        _panel(source, PROTOCOLS[name], results, rows)
        for (name, results), rows in zip(source.table.protocols.items(), wanted, strict=True)
    ]
    return FigureBlock(GapFigure(tuple(panels), _footnote(source)), caption)


def _panel(source: Source, title: str, results: ProtocolResults, wanted: list[tuple[str, str]]) -> GapPanel:
    rows = [estimate("captions", results.captions["rsa_spearman"], "captions")] if results.captions else []
    rows += [
        estimate(
            source.called(model, source.label(name)), results.models[model][name]["rsa_spearman"], role(name)
        )
        for model, name in wanted
        if name in results.models[model]
    ]
    ceiling = results.ceilings.get("rsa_ceiling")
    mark = Estimate.of("noise ceiling", ceiling, "ceiling") if ceiling else None
    return GapPanel(title, f"Spearman correlation with {source.words.judges}", tuple(rows), mark)


def _footnote(source: Source) -> str:
    seeds = len(source.data.config.seeds)
    over = f" Means over {seeds} seeds; each is a tick." if seeds > 1 else ""
    return f"95 % intervals over clips and {source.words.judges}.{over}"


def _levels(source: Source, protocol: str, only: list[str] | None = None) -> Table:
    results = source.table.protocols[protocol]
    header = (
        "",
        "RSA, Spearman",
        "squared",
        "odd one out (chance 1/3)",
        "pairs",
        "trials",
        "seed by seed, Spearman",
    )
    found = [("captions", results.captions)] if results.captions else []
    for model, rows in results.models.items():
        found += [
            (source.called(model, source.label(c)), r) for c, r in rows.items() if only is None or c in only
        ]
    lines: list[tuple[Cell, ...]] = [_level(name, figures) for name, figures in found]
    ceilings = results.ceilings
    lines.append(
        (
            "noise ceiling", ceilings.get("rsa_ceiling"), ceilings.get("rsa_ceiling_squared"),
            ceilings.get("odd_one_out_ceiling"), None, None, "",
        )
    )  # fmt: skip
    return Table(
        f"{PROTOCOLS[protocol]}: agreement with {source.words.judges}", header, tuple(lines), (1, 2, 3)
    )


def _level(name: str, figures: Row) -> tuple[Cell, ...]:
    rsa, odd = figures["rsa_spearman"], figures["odd_one_out_3afc"]
    return (
        name, rsa.mean, figures["rsa_spearman_squared"].mean, odd.mean, rsa.mean.n, odd.mean.n, seeds_text(rsa),
    )  # fmt: skip


def _differences(source: Source, protocol: str) -> Table:
    results = source.table.protocols[protocol]
    lines: list[tuple[Cell, ...]] = []
    for model, pairs in results.differences.items():
        for pair, figures in pairs.items():
            rsa, odd = figures["rsa_spearman"], figures["odd_one_out_3afc"]
            lines.append((source.called(model, pair), rsa.mean, odd.mean, seeds_text(rsa)))
    header = ("", "RSA, Spearman", "odd one out", "seed by seed, Spearman")
    return Table(f"{PROTOCOLS[protocol]}: paired differences", header, tuple(lines), (1, 2))


def _differences_figure(source: Source) -> ForestFigure:
    def panel(measure: str, title: str) -> ForestPanel:
        rows = [
            ForestRow(source.called(model, pair), (estimate("difference", figures[measure], "tuned"),))
            for model, pairs in source.headline.differences.items()
            for pair, figures in pairs.items()
        ]
        return ForestPanel(title, "difference", tuple(rows), 0.0, "no difference")

    return ForestFigure(tuple(panel(*measure) for measure in _MEASURES.items()), _footnote(source))


def _ceilings(source: Source, protocol: str, results: ProtocolResults) -> Table:
    shares = {
        (model, name): results.share_of_ceiling(figures)
        for model in source.models
        for name, figures in _rows(results, model)
    }
    lines: list[tuple[Cell, ...]] = [
        (source.called(model, source.label(name)), *map(found.get, _MEASURES))
        for (model, name), found in shares.items()
    ]
    of = (results.ceilings.get(key) for key in ("rsa_ceiling", "odd_one_out_ceiling"))
    lines.append(("the ceiling itself", *of))
    header = ("", "share of the RSA ceiling", "share of the odd-one-out ceiling")
    return Table(PROTOCOLS[protocol], header, tuple(lines), (1, 2))


def _published_notes(source: Source) -> tuple[str, ...]:
    return tuple(
        f"{PROTOCOLS.get(protocol, protocol)}, squared Spearman of {name}: {value:.3f}."
        for protocol, figures in source.data.config.report.published.items()
        for name, value in figures.items()
    )


_MEASURED = (
    "Spearman correlation between model distances and the share of times {judges} did not keep two clips together, over "
    "pairs of clips that no model was trained on; odd one out is the share of their trials that the model answers alike.\n\n"
    "Intervals resample clips and {judges}; differences are paired on the same resamples, and values are means over seeds."
)
GAP = Chapter("gap", "The gap to {judges}", _MEASURED, _gap)
CLOSING = Chapter(
    "conditions", "What tuning on the choices of {judges} changes",
    _MEASURED + "\n\nControls: parts of the objective alone (triplet-only, rsa-only), as many constraints without the matrix "
    "(budget-matched), the same training towards captions (language-distillation) or towards shuffled clips (shuffled).",
    _closing,
)  # fmt: skip
CEILING = Chapter(
    "ceiling", "How near to the noise ceiling",
    "The noise ceiling is the most that a perfect model can expect: the square root of the reliability of the judgments, from "
    "halves of {judges} (Spearman-Brown). For odd one out: how often repeated trials give the most frequent answer.\n\n"
    "A share is the model's correlation over the ceiling.",
    _nearness,
)  # fmt: skip
