"""The clips themselves: dissimilarity matrices and maps, computed when the report is written."""

from __future__ import annotations

from bgs._config import Settings
from bgs.experiments.chapters.chapter import Chapter, Findings, NotApplicable
from bgs.experiments.chapters.context import Context
from bgs.experiments.showcase import STRIP
from bgs.reports import FigureBlock, clip_map, rdm_figure


def _matrices(_: None, context: Context) -> Findings:
    shown, stimuli = context.shown, context.experiment.study.stimuli
    groups = next(iter(stimuli.labels.values()), None)
    labels = None if groups is None else [groups[i] for i in shown.positions]
    judges = context.words.judges
    sentence = (
        f"Dark cells are pairs of similar clips. The more a model's matrix resembles that of {judges}, the better the model "
        "captures the similarities that they see."
    )
    caption = f"{len(shown.positions)} held-out clips{'' if labels is None else ', grouped by what happens in them'}."
    return Findings((sentence,), (FigureBlock(rdm_figure(shown.triptych, labels), caption),))


def _map(_: None, context: Context) -> Findings:
    shown, stimuli = context.shown, context.experiment.study.stimuli
    if shown.frames is None:
        raise NotApplicable("the clips are not on this machine")
    valence = stimuli.ratings["valence"][shown.positions] if "valence" in stimuli.ratings else None
    figure = clip_map(
        shown.triptych, [stimuli.ids[i] for i in shown.positions], shown.frames[:, STRIP // 2, ::2, ::2],
        values=valence, values_name="valence" if valence is not None else "",
    )  # fmt: skip
    caption = f"Maps of the same clips for {context.words.judges}, base and tuned model."
    return Findings(("Similar clips lie close together.",), (FigureBlock(figure, caption),))


MATRICES = Chapter[Settings, None](
    name="matrices",
    title="Dissimilarity matrices",
    method=(
        "Dissimilarities among held-out clips, shown as ranks; for a model with several seeds, those of the first."
    ),
    present=_matrices,
)
MAP = Chapter[Settings, None](
    name="map",
    title="Maps of the clips",
    method=(
        "Metric multidimensional scaling of each matrix; maps are aligned to that of {judges} (Procrustes)."
    ),
    present=_map,
)
