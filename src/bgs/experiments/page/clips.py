"""The clips themselves: matrices, a map, and triplets that tuning repaired or broke."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bgs.evaluation import Disagreement
from bgs.experiments.applicable import NotApplicable
from bgs.experiments.page.chapter import Chapter, Findings
from bgs.experiments.page.source import Source
from bgs.experiments.showcase import STRIP, strips
from bgs.reports import (
    FigureBlock,
    Table,
    TripletBlock,
    TripletSpec,
    clip_map,
    contrast_sentence,
    rdm_figure,
    triplet_spec,
)
from bgs.reports.page import Cell


def _matrices(source: Source) -> Findings:
    shown, stimuli = source.shown, source.data.study.stimuli
    groups = next(iter(stimuli.labels.values()), None)
    labels = None if groups is None else [groups[i] for i in shown.positions]
    judges = source.words.judges
    sentence = (
        f"Dark cells are clips that go together. The more a model's picture looks like that of {judges}, the more it sees "
        "what they see."
    )
    caption = f"{len(shown.positions)} held-out clips{'' if labels is None else ', by what happens in them'}."
    return Findings((sentence,), (FigureBlock(rdm_figure(shown.triptych, labels), caption),))


def _map(source: Source) -> Findings:
    shown, stimuli = source.shown, source.data.study.stimuli
    if shown.frames is None:
        raise NotApplicable("there are no clips on this machine to show")
    valence = stimuli.ratings["valence"][shown.positions] if "valence" in stimuli.ratings else None
    figure = clip_map(
        shown.triptych, [stimuli.ids[i] for i in shown.positions], shown.frames[:, STRIP // 2, ::2, ::2],
        values=valence, values_name="valence" if valence is not None else "",
    )  # fmt: skip
    caption = f"The same clips on the maps of {source.words.judges}, base and tuned model."
    return Findings(("Clips that are alike lie close together.",), (FigureBlock(figure, caption),))


def _triplets(source: Source) -> Findings:
    models, notes = source.by_model(source.result("disagreement"))
    words, tables, blocks = list[str](), list[Table](), list[TripletBlock]()
    for model, found in models.items():
        words += _words(source, model, found)
        tables.append(_counts(source, model, found))
        blocks += _blocks(source, model, found)
    return Findings(tuple(words), (), tuple(tables), tuple(blocks), notes)


def _words(source: Source, model: str, found: Mapping[str, Any]) -> list[str]:
    first = found["counts"][str(found["seed"])]
    judges = source.words.judges
    sentences = [
        f"Of {first['n_triplets']:,} triplets of held-out clips, tuning{'' if len(source.models) == 1 else f' {model}'} repaired "
        f"{first['n_repaired']:,} (base errs, tuned agrees with {judges}) and broke {first['n_broken']:,}."
    ]
    change = source.headline.differences[model].get("hybrid - base")
    if change is not None:
        metric = change["odd_one_out_3afc"].mean
        what = f"odd-one-out agreement with {judges}"
        sentences.append(contrast_sentence(metric, source.tuned(model), source.base(model), what, "trials"))
    return sentences


def _counts(source: Source, model: str, found: Mapping[str, Any]) -> Table:
    keys = ("n_triplets", "n_repaired", "n_broken", "n_people_tied", "n_models_tied")
    rows: list[tuple[Cell, ...]] = [
        (f"seed {seed}", *(row[key] for key in keys)) for seed, row in found["counts"].items()
    ]
    header = ("", "triplets", "repaired", "broken", f"{source.words.judges} tied", "models tied")
    return Table(
        source.called(model, "Triplets of held-out clips on which everybody decides, or ties"),
        header,
        tuple(rows),
    )


def _blocks(source: Source, model: str, found: Mapping[str, Any]) -> list[TripletBlock]:
    judges = source.words.judges
    return [
        TripletBlock(
            source.called(model, "Repaired"), f"Base leaves out another clip than {judges}; tuned agrees with them.",
            _specs(source, found["repaired"]),
        ),
        TripletBlock(
            source.called(model, "Broken"), f"Base agrees with {judges}; tuned does not.", _specs(source, found["broken"])
        ),
    ]  # fmt: skip


def _specs(source: Source, rows: Sequence[Mapping[str, Any]]) -> tuple[TripletSpec, ...]:
    stimuli = source.data.study.stimuli
    ids = list(dict.fromkeys(name for row in rows for name in row["ids"]))
    positions = stimuli.positions(ids)
    decoded = strips(source.data, positions)
    frames = {} if decoded is None else dict(zip(positions.tolist(), decoded, strict=True))
    captions = [] if stimuli.captions is None else [next(iter(said), "") for said in stimuli.captions]
    found = [
        Disagreement.from_json({key: value for key, value in row.items() if key != "ids"}) for row in rows
    ]
    return tuple(triplet_spec(row, stimuli.ids, frames, captions, source.words) for row in found)


MATRICES = Chapter(
    "matrices", "What is like what",
    "Dissimilarities among held-out clips, as ranks; of a model with several seeds those of the first one.", _matrices,
)  # fmt: skip
MAP = Chapter(
    "map", "A map of the clips",
    "Metric multidimensional scaling of each matrix; maps are turned onto that of {judges}.", _map,
)  # fmt: skip
TRIPLETS = Chapter(
    "triplets", "Where base errs and tuned agrees with {judges}",
    "Trials of the same three clips are one triplet, answered by the majority. Ranked by how sure both models and {judges} "
    "are; no pair of clips comes twice, and triplets without a majority are left out. Examples are those of the first seed.",
    _triplets,
)  # fmt: skip
