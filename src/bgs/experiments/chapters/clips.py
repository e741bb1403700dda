"""The clips themselves: matrices and a map. Nothing is computed that would be kept."""

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
        f"Dark cells are clips that go together. The more a model's picture looks like that of {judges}, the more it sees "
        "what they see."
    )
    caption = f"{len(shown.positions)} held-out clips{'' if labels is None else ', by what happens in them'}."
    return Findings((sentence,), (FigureBlock(rdm_figure(shown.triptych, labels), caption),))


def _map(_: None, context: Context) -> Findings:
    shown, stimuli = context.shown, context.experiment.study.stimuli
    if shown.frames is None:
        raise NotApplicable("there are no clips on this machine to show")
    valence = stimuli.ratings["valence"][shown.positions] if "valence" in stimuli.ratings else None
    figure = clip_map(
        shown.triptych, [stimuli.ids[i] for i in shown.positions], shown.frames[:, STRIP // 2, ::2, ::2],
        values=valence, values_name="valence" if valence is not None else "",
    )  # fmt: skip
    caption = f"The same clips on the maps of {context.words.judges}, base and tuned model."
    return Findings(("Clips that are alike lie close together.",), (FigureBlock(figure, caption),))


MATRICES = Chapter[Settings, None](
    name="matrices",
    title="What is like what",
    method=(
        "Dissimilarities among held-out clips, as ranks; of a model with several seeds those of the first one."
    ),
    present=_matrices,
)
MAP = Chapter[Settings, None](
    name="map",
    title="A map of the clips",
    method=("Metric multidimensional scaling of each matrix; maps are turned onto that of {judges}."),
    present=_map,
)
