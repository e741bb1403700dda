"""Triplets of held-out clips that tuning repaired (only the tuned model agrees with people) and those that it broke."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from bgs._config import Settings
from bgs.evaluation import Disagreement, Disagreements, disagreements
from bgs.experiments.chapters.chapter import Chapter, Findings, NotApplicable
from bgs.experiments.chapters.context import Context, reasons
from bgs.experiments.chapters.over_seeds import by_model
from bgs.experiments.showcase import SIDE, strips
from bgs.judgments import Trials
from bgs.reports import Table, TripletBlock, TripletSpec, contrast_sentence, triplet_spec
from bgs.reports.page import Cell

if TYPE_CHECKING:
    from bgs.experiments.experiment import Experiment


class DisagreementSettings(Settings):
    """Trials on which exactly one of base and tuned agrees with people."""

    examples: int = Field(6, ge=1)
    """Number of examples of each kind to show."""


@dataclass(frozen=True)
class Disagreeing:
    """Model -> seed -> triplets, and model -> why the analysis does not apply to it."""

    models: dict[str, dict[int, Disagreements]]
    not_applicable: dict[str, str]


def analyse(experiment: Experiment, settings: DisagreementSettings) -> Disagreeing:
    """Triplets of each seed, the first seed first.

    Raises:
        NotApplicable: no trial shows three held-out clips.
    """
    inside = held_out_trials(experiment)
    if not len(inside):
        raise NotApplicable("no trial shows three held-out clips")
    return Disagreeing(*by_model(experiment, lambda model: _of_model(experiment, model, inside, settings)))


def held_out_trials(experiment: Experiment) -> Trials:
    """Judged trials that show three held-out clips."""
    mask = np.zeros(len(experiment.study.stimuli), dtype=bool)
    mask[experiment.evaluated] = True
    return experiment.study.trials.judgments.within(mask)


def _of_model(
    experiment: Experiment, model: str, inside: Trials, settings: DisagreementSettings
) -> dict[int, Disagreements]:
    return {
        seed: disagreements(
            inside, experiment.distances(base), experiment.distances(tuned), most=settings.examples
        )
        for seed, (base, tuned) in sorted(experiment.pairs(model).items())
    }


def present(result: Disagreeing, context: Context) -> Findings:
    """Counts in words and by seed, and the examples of the first seed clip by clip."""
    words, tables, blocks = list[str](), list[Table](), list[TripletBlock]()
    for model, seeds in result.models.items():
        first = seeds[min(seeds)]
        words += _words(context, model, first)
        tables.append(_counts(context, model, seeds))
        blocks += _blocks(context, model, first)
    return Findings(tuple(words), (), tuple(tables), tuple(blocks), reasons(result.not_applicable))


def _words(context: Context, model: str, first: Disagreements) -> list[str]:
    judges = context.words.judges
    sentences = [
        f"Of {first.n_triplets:,} triplets of held-out clips, tuning{'' if len(context.models) == 1 else f' {model}'} repaired "
        f"{first.n_repaired:,} (only the tuned model agrees with {judges}) and broke {first.n_broken:,} (only the base model "
        "does)."
    ]
    change = context.headline.differences[model].get("hybrid - base")
    if change is not None:
        what = f"odd-one-out agreement with {judges}"
        sentences.append(
            contrast_sentence(
                change.odd_one_out_3afc, context.tuned(model), context.base(model), what, "trials"
            )
        )
    return sentences


def _counts(context: Context, model: str, seeds: Mapping[int, Disagreements]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (f"seed {seed}", n.n_triplets, n.n_repaired, n.n_broken, n.n_people_tied, n.n_models_tied)
        for seed, n in seeds.items()
    ]
    header = ("", "triplets", "repaired", "broken", f"{context.words.judges} tied", "models tied")
    return Table(
        context.called(model, "Triplets of held-out clips by outcome"),
        header,
        tuple(rows),
    )


def _blocks(context: Context, model: str, found: Disagreements) -> list[TripletBlock]:
    judges = context.words.judges
    texts = {
        "Repaired": (f"The tuned model agrees with {judges}; the base model does not.", found.repaired),
        "Broken": (f"The base model agrees with {judges}; the tuned model does not.", found.broken),
    }
    return [
        TripletBlock(context.called(model, title), sentence, triplet_specs(context, rows))
        for title, (sentence, rows) in texts.items()
    ]


def triplet_specs(
    context: Context, rows: Sequence[Disagreement], size: int = SIDE
) -> tuple[TripletSpec, ...]:
    """Triplets with the frames of their clips (``size`` pixels a side) and their captions, where there are any."""
    stimuli = context.experiment.study.stimuli
    positions = np.array(list(dict.fromkeys(i for row in rows for i in row.stimuli)), dtype=np.intp)
    decoded = strips(context.experiment, positions, size=size)
    frames = {} if decoded is None else dict(zip(positions.tolist(), decoded, strict=True))
    captions = [] if stimuli.captions is None else [next(iter(said), "") for said in stimuli.captions]
    return tuple(triplet_spec(row, stimuli.ids, frames, captions, context.words) for row in rows)


DISAGREEMENT = Chapter(
    name="disagreement",
    address="triplets",
    title="Triplets on which base and tuned model differ",
    method=(
        "Trials that show the same three clips form one triplet, whose answer is that of the majority; triplets without a "
        "majority are excluded. Examples are ranked by how certain both models and {judges} are, no pair of clips appears "
        "twice, and all are from the first seed."
    ),
    settings=DisagreementSettings,
    analyse=analyse,
    result=Disagreeing,
    present=present,
)
