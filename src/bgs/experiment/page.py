"""The report page of an experiment, from what its cells left on disk."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from bgs.evaluation import Disagreement, Metric, disagreements
from bgs.experiment.conditions import Condition
from bgs.experiment.experiment_data import ExperimentData
from bgs.experiment.provenance import provenance
from bgs.experiment.results import ProtocolResults, ResultsTable
from bgs.experiment.showcase import STRIP, Showcase, showcase
from bgs.report import (
    Estimate,
    FigureBlock,
    GapFigure,
    GapPanel,
    Page,
    Section,
    Table,
    TripletBlock,
    ceiling_sentence,
    change_sentence,
    clip_map,
    contrast_sentence,
    rdm_figure,
    triplet_spec,
)
from bgs.report.palette import Role

SIMULATED = "SIMULATED clips and SIMULATED observers: nobody was filmed, and no person judged anything."
_TITLES = {
    "held-out-trials": "Trials among held-out clips",
    "held-out-pairs": "Every pair of held-out clips",
    "all": "All clips",
}
_ROLES: dict[Condition, Role] = {Condition.BASE: "base", Condition.HYBRID: "tuned"}


def experiment_page(data: ExperimentData, table: ResultsTable, title: str, lead: str, rerun: str) -> Page:
    """A page with the gap to people and what lies behind it, for the first model of an experiment.

    Args:
        data: the finished experiment; it needs the conditions base and hybrid.
        table: its results.
        title, lead: of the page.
        rerun: command that makes it again.
    """
    model = next(iter(data.config.models))
    shown = showcase(data, model)
    sections = [gap_section(table, model, rerun), matrices_section(data, shown, rerun)]
    if shown.frames is not None:
        sections += [map_section(data, shown, rerun), triplet_section(data, shown, rerun)]
    simulated = data.study.dataset.licence == "simulated"
    about = provenance(
        seeds=list(data.config.seeds),
        data=data.study.dataset.name,
        data_hashes=dict(data.study.dataset.hashes),
    )
    return Page(title, lead, SIMULATED if simulated else "", tuple(sections), about)


def gap_section(table: ResultsTable, model: str, rerun: str) -> Section:
    """How near to people each condition comes, on clips that were not trained on."""
    panels = tuple(_panel(_TITLES[name], results, model) for name, results in table.protocols.items())
    last = list(table.protocols.values())[-1]
    rows, differences = last.models[model], last.differences[model]
    base, tuned = (
        rows[condition.value]["rsa_spearman"].mean for condition in (Condition.BASE, Condition.HYBRID)
    )
    change = differences["hybrid - base"]["rsa_spearman"].mean
    words = [change_sentence(change, base.value, tuned.value, "agreement with people (Spearman)")]
    if "hybrid - captions" in differences:
        beside = differences["hybrid - captions"]["rsa_spearman"].mean
        words.append(contrast_sentence(beside, "the tuned model", "an embedding of the captions"))
    words.append(ceiling_sentence(tuned, last.ceilings["rsa_ceiling"]))
    return Section(
        "gap",
        "The gap to people, before and after",
        " ".join(words),
        figures=(
            FigureBlock(
                GapFigure(panels, "95 % intervals over clips and observers"),
                "Agreement with people, and the most that any model can reach.",
            ),
        ),
        tables=tuple(_table(_TITLES[name], results, model) for name, results in table.protocols.items()),
        method="Spearman correlation between model distances and the share of times two clips were not kept together, over "
        "pairs of clips that no model was trained on. The noise ceiling says how well the judgments could be predicted by "
        "what is behind them. Intervals resample clips and observers; differences are paired.",
        rerun=rerun,
    )


def _panel(title: str, results: ProtocolResults, model: str) -> GapPanel:
    rows = (
        [Estimate.of("captions", results.captions["rsa_spearman"].mean, "captions")]
        if results.captions
        else []
    )
    for name, row in results.models[model].items():
        condition = Condition(name)
        label = {"base": "base", "hybrid": "tuned on people"}.get(name, name)
        figure = row["rsa_spearman"]
        mean = Estimate.of(label, figure.mean, _ROLES.get(condition, "control"))
        rows.append(mean)
    ceiling = results.ceilings.get("rsa_ceiling")
    return GapPanel(
        title,
        "Spearman correlation with people",
        tuple(rows),
        Estimate.of("noise ceiling", ceiling, "ceiling") if ceiling else None,
    )


def _table(title: str, results: ProtocolResults, model: str) -> Table:
    header = ("", "RSA, Spearman", "share of the ceiling", "odd one out (chance 1/3)")
    named = {"captions": results.captions} if results.captions else {}
    rows: list[tuple[str | Metric | None, ...]] = []
    for name, row in (named | results.models[model]).items():
        share = results.share_of_ceiling(row).get("rsa_spearman")
        rows.append((name, row["rsa_spearman"].mean, share, row["odd_one_out_3afc"].mean))
    rows.append(
        ("noise ceiling", results.ceilings["rsa_ceiling"], None, results.ceilings["odd_one_out_ceiling"])
    )
    return Table(title, header, tuple(rows), (1, 2, 3))


def _groups(data: ExperimentData, shown: Showcase) -> list[str] | None:
    labels = data.study.stimuli.labels.get("behaviour")
    return None if labels is None else [labels[i] for i in shown.positions]


def matrices_section(data: ExperimentData, shown: Showcase, rerun: str) -> Section:
    """Dissimilarities of people, base and tuned side by side."""
    wanted = {name: shown.rdms[name] for name in ("people", "base", "tuned")}
    return Section(
        "matrices",
        "What is like what",
        "Dark cells are clips that go together. The more a model's picture looks like that of "
        "people, the more it sees what they see.",
        figures=(
            FigureBlock(
                rdm_figure(wanted, _groups(data, shown)),
                f"{len(shown.positions)} held-out clips, by what happens in them.",
            ),
        ),
        method="Dissimilarities among held-out clips, as ranks.",
        rerun=rerun,
    )


def map_section(data: ExperimentData, shown: Showcase, rerun: str) -> Section:
    """Maps of the clips, with thumbnails."""
    assert shown.frames is not None
    wanted = {name: shown.rdms[name] for name in ("people", "base", "tuned")}
    stimuli = data.study.stimuli
    thumbnails = shown.frames[:, STRIP // 2, ::2, ::2]
    valence = stimuli.ratings["valence"][shown.positions] if "valence" in stimuli.ratings else None
    return Section(
        "map",
        "A map of the clips",
        "Clips that are alike lie close together.",
        figures=(
            FigureBlock(
                clip_map(
                    wanted,
                    [stimuli.ids[i] for i in shown.positions],
                    thumbnails,
                    values=valence,
                    values_name="valence" if valence is not None else "",
                ),
                "The same clips on the maps of people, base and tuned model.",
            ),
        ),
        method="Metric multidimensional scaling of each matrix; maps are turned onto that of people.",
        rerun=rerun,
    )


def triplet_section(data: ExperimentData, shown: Showcase, rerun: str) -> Section:
    """Triplets that tuning repaired, and triplets that it broke."""
    local = data.study.trials.judgments
    mask = np.zeros(len(data.study.stimuli), dtype=bool)
    mask[shown.positions] = True
    inside = local.within(mask)
    moved = replace(
        inside, stimuli=np.searchsorted(shown.positions, inside.stimuli), n_stimuli=len(shown.positions)
    )
    found = disagreements(moved, shown.rdms["base"], shown.rdms["tuned"], most=6)
    judged = found.n_triplets
    sentence = (
        f"Of {judged:,} triplets of held-out clips, tuning repaired {found.n_repaired:,} (base errs, tuned agrees with "
        f"people) and broke {found.n_broken:,}."
    )
    return Section(
        "triplets",
        "Where base errs and tuned agrees with people",
        sentence,
        triplets=(
            TripletBlock(
                "Repaired",
                "Base leaves out another clip than people; tuned agrees with them.",
                _specs(data, shown, found.repaired[:6]),
            ),
            TripletBlock(
                "Broken", "Base agrees with people; tuned does not.", _specs(data, shown, found.broken[:3])
            ),
        ),
        method="The most certain ones first; no pair of clips comes twice. Triplets without a majority are left out.",
        rerun=rerun,
    )


def _specs(data: ExperimentData, shown: Showcase, found: tuple[Disagreement, ...]) -> tuple[Any, ...]:
    assert shown.frames is not None
    stimuli, frames = data.study.stimuli, dict(enumerate(shown.frames))
    names = [stimuli.ids[i] for i in shown.positions]
    captions = (
        [] if stimuli.captions is None else [next(iter(stimuli.captions[i]), "") for i in shown.positions]
    )
    return tuple(triplet_spec(row, names, frames, captions) for row in found)
