"""Zero-shot transfer: base and tuned models on a second data set, on which no model was trained."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from bgs import evaluation
from bgs._config import Settings
from bgs._errors import BgsError, DataError
from bgs._files import sha256_of
from bgs.datasets import Dataset, load_dataset
from bgs.embeddings import Embeddings
from bgs.evaluation import Metric, Transfer
from bgs.experiments.chapters.chapter import Chapter, Findings, NotApplicable
from bgs.experiments.chapters.context import Context, estimate, p_text, reasons, seeds_text
from bgs.experiments.chapters.over_seeds import Change, before_and_after, by_model, changes
from bgs.experiments.conditions import Condition
from bgs.reports import Estimate, FigureBlock, ForestFigure, ForestPanel, ForestRow, Table, change_sentence
from bgs.reports.page import Cell as TableCell
from bgs.stimuli import StimulusSet
from bgs.stimuli.content_hashes import clip_hashes

if TYPE_CHECKING:
    from bgs.backbones import Backbone
    from bgs.experiments.cells import Cell
    from bgs.experiments.experiment import Experiment

#: Reference levels of decoding: chance, and agreement among human raters.
REFERENCES = ("chance", "one_rater", "new_panel")
_RATERS = {"one_rater": "one rater", "new_panel": "new panel"}
#: Measure -> its name, its chance level (None: see the references), and what its n counts.
_MEASURES: dict[str, tuple[str, float | None, str]] = {
    "rsa_spearman": ("agreement with rated similarity (Spearman)", 0.0, "pairs"),
    "odd_one_out_3afc": ("odd-one-out agreement with the ratings", 1 / 3, "triplets"),
    "balanced_accuracy": ("balanced accuracy of label decoding", None, "clips"),
}


class TransferSettings(Settings):
    """Base and tuned models on a second data set, without training on it."""

    data: str
    """Name of a data set, or a folder."""
    table: Path | None = None
    """For ``phase-genset``: a table of how many people chose each relation."""
    ratings: tuple[str, ...] = Field(min_length=1)
    """Rating columns from which its dissimilarities are computed."""
    target: Literal["hellinger", "euclidean"] = "hellinger"
    """``hellinger``: they hold counts or shares of labels; ``euclidean``: each is a scale."""
    label: str | None = None
    """Column of the label to decode."""
    raters: str | None = None
    """Rating column with the number of raters, for the agreement among raters."""
    allow_overlap: bool = False
    """Measure even if some of its clips were trained on."""


@dataclass(frozen=True)
class ModelTransfer:
    """One model.

    Attributes:
        changes: ``rsa_spearman``, ``odd_one_out_3afc`` and, where a label is decoded, ``balanced_accuracy`` -> means.
        first: full result of the first seed: references and confusion matrix of the decoding, provenance.
    """

    changes: dict[str, Change]
    first: Transfer

    @property
    def references(self) -> dict[str, Metric]:
        """Chance level and human raters of the decoding."""
        found = {} if self.first.decoding is None else self.first.decoding.metrics
        return {name: found[name] for name in REFERENCES if name in found}


@dataclass(frozen=True)
class Transferred:
    """Each model, model -> why the analysis does not apply to it, and the second data set."""

    models: dict[str, ModelTransfer]
    not_applicable: dict[str, str]
    data: str
    n_clips: int
    citation: str


def analyse(experiment: Experiment, settings: TransferSettings) -> Transferred:
    """Each model on the second data set."""
    second = _second(experiment, settings)
    models, left_out = by_model(experiment, lambda model: _of_model(experiment, model, settings, second))
    return Transferred(models, left_out, second.name, len(second.stimuli), second.citation)


def rests_on(experiment: Experiment, settings: TransferSettings) -> str:
    """Hash of the second data set; empty where it cannot be loaded."""
    try:
        stimuli = _second(experiment, settings).stimuli
    except NotApplicable:
        return ""
    return sha256_of(stimuli.hash(), *clip_hashes(stimuli).values())


def _second(experiment: Experiment, settings: TransferSettings) -> Dataset:
    try:
        return load_dataset(settings.data, mirror=experiment.mirror, ratings=settings.table)
    except BgsError as error:
        raise NotApplicable(f"the second data set is not on this machine: {error}") from None


def _of_model(
    experiment: Experiment, model: str, settings: TransferSettings, second: Dataset
) -> ModelTransfer:
    from bgs.backbones import load_backbone

    first = next(iter(experiment.require(model, Condition.HYBRID).values()))
    _require_readable(model, load_backbone(first.config.reference), second)
    embed = partial(_embed, stimuli=second.stimuli, center=experiment.config.evaluation.center)
    found = {
        seed: _transfer(experiment, tuned, base, settings, second.stimuli)
        for seed, base, tuned in before_and_after(experiment, model, embed)
    }
    base, tuned, difference = (
        {seed: with_decoding(one, side) for seed, one in found.items()}
        for side in ("against", "embeddings", "difference")
    )
    sides = {seed: (base[seed], tuned[seed], difference[seed]) for seed in found}
    return ModelTransfer(changes(experiment, model, sides), found[min(found)])


def _require_readable(model: str, backbone: Backbone, second: Dataset) -> None:
    """Raise NotApplicable where a model cannot read the second data set."""
    from bgs.backbones.clip_reader import ClipReader
    from bgs.backbones.features import FeaturesBackbone
    from bgs.backbones.lookup import LookupBackbone

    videos = second.stimuli.videos
    if isinstance(backbone, LookupBackbone):
        raise NotApplicable(f"{model} is a lookup table and has no embeddings of other clips")
    if isinstance(backbone, ClipReader):
        if videos is None or None in videos:
            raise NotApplicable(f"the clips of {second.name} are not on this machine")
    elif isinstance(backbone, FeaturesBackbone):
        try:
            backbone.require_readable(second.stimuli)
        except DataError as error:
            raise NotApplicable(f"{model} is known by its features alone: {error.what}") from None
    elif second.stimuli.captions is None:
        raise NotApplicable(f"{model} reads captions, and {second.name} has none")


def _embed(reference: str, cell: Cell, stimuli: StimulusSet, center: bool) -> Embeddings:
    """Embeddings of the second data set, centred on their own mean where evaluation centres embeddings: its clips differ from
    the training clips in ways that they all share, which would mask the differences among them."""
    from bgs.runs.embedder import embed_stimuli

    config = cell.config
    made = embed_stimuli(reference, stimuli, config.batch_size, config.device, config.precision)
    return made.centred() if center else made


def _transfer(
    experiment: Experiment,
    tuned: Embeddings,
    base: Embeddings,
    settings: TransferSettings,
    stimuli: StimulusSet,
) -> Transfer:
    measured, trained = experiment.config.evaluation, experiment.study.stimuli
    positions = np.flatnonzero(trained.train)
    return evaluation.transfer(
        tuned, stimuli, settings.ratings, against=base, target=settings.target, label=settings.label,
        raters=settings.raters, trained_on=[trained.ids[i] for i in positions], video_hashes=clip_hashes(stimuli),
        trained_hashes=list(clip_hashes(trained.subset(positions)).values()), allow_overlap=settings.allow_overlap,
        distance=measured.distance, resamples=measured.resamples, permutations=measured.permutations,
        seed=experiment.config.seeds[0],
    )  # fmt: skip


def with_decoding(result: Transfer, which: str) -> dict[str, Metric]:
    """RSA, odd-one-out and balanced accuracy of one side: ``embeddings``, ``against`` or ``difference``."""
    tables = {
        "embeddings": result.metrics,
        "against": result.against_metrics,
        "difference": result.differences,
    }
    decoding = result.decoding
    if decoding is None:
        return tables[which]
    accuracy = decoding.difference if which == "difference" else decoding.metrics[which]
    assert accuracy is not None
    return {**tables[which], "balanced_accuracy": accuracy}


def present(result: Transferred, context: Context) -> Findings:
    """What tuning changed on the second data set: sentences, a panel and tables for each model."""
    words, panels, tables = list[str](), list[ForestPanel](), list[Table]()
    for model, found in result.models.items():
        words += _words(context, model, found)
        panels.append(_panel(context, model, found))
        tables += _results(context, model, found)
    caption = f"{result.n_clips} clips of {result.data}, on which no model was trained."
    note = "95 % intervals over clips; dotted lines: chance."
    return Findings(
        tuple(words), (FigureBlock(ForestFigure(tuple(panels), note), caption),), tuple(tables),
        notes=(*reasons(result.not_applicable), f"{result.data}: {result.citation}"),
    )  # fmt: skip


def _words(context: Context, model: str, found: ModelTransfer) -> list[str]:
    return [
        change_sentence(one.difference, one.base.value, one.tuned.value, what, context.cause(model), counted)
        for key, (what, _, counted) in _MEASURES.items()
        if (one := found.changes.get(key)) is not None
    ]


def _panel(context: Context, model: str, found: ModelTransfer) -> ForestPanel:
    references = found.references
    chance_level = references["chance"].value if "chance" in references else None
    rows = [
        ForestRow(
            {"rsa_spearman": "RSA, Spearman", "odd_one_out_3afc": "odd one out"}.get(key, "decoding"),
            (estimate("base", one.base, "base"), estimate("tuned", one.tuned, "tuned")),
            chance_level if chance is None else chance,
        )
        for key, (_, chance, _) in _MEASURES.items()
        if (one := found.changes.get(key)) is not None
    ]
    rows += [
        ForestRow(f"decoding, {called}", (Estimate.of("raters", references[name], "people"),))
        for name, called in _RATERS.items()
        if name in references
    ]
    return ForestPanel(
        context.called(model, "Transfer to another data set"), "correlation or proportion", tuple(rows)
    )


def _results(context: Context, model: str, found: ModelTransfer) -> list[Table]:
    lines: list[tuple[TableCell, ...]] = [
        (
            what, one.base, one.tuned, one.difference, p_text(one.difference.p), one.difference.n, counted,
            seeds_text(one.tuned),
        )
        for key, (what, _, counted) in _MEASURES.items()
        if (one := found.changes.get(key)) is not None
    ]  # fmt: skip
    for name, called in {"chance": "labels shuffled", **_RATERS}.items():
        if name in found.references:
            metric = found.references[name]
            lines.append((f"decoding, {called}", metric, None, None, "–", metric.n, "clips", ""))
    header = ("", "base", "tuned", "difference", "p", "n", "of", "tuned, by seed")
    tables = [Table(context.called(model, "Zero-shot transfer"), header, tuple(lines), (1, 2, 3, 4, 5))]
    if (decoding := found.first.decoding) is not None:
        named = zip(decoding.classes, decoding.confusion, strict=True)
        rows: tuple[tuple[TableCell, ...], ...] = tuple((name, *row) for name, row in named)
        caption = context.called(
            model, "Confusion matrix of the tuned model, first seed (rows: labels given by raters)"
        )
        tables.append(Table(caption, ("", *decoding.classes), rows))
    return tables


TRANSFER = Chapter(
    name="transfer",
    title="Zero-shot transfer to another data set",
    method=(
        "RSA: Spearman correlation of model distances with distances between the ratings of a second data set. Odd one out: "
        "proportion of triplets on which the model chooses as the ratings imply (chance 1/3). Decoding: balanced accuracy of a "
        "ridge classifier of the label, leaving out one clip at a time.\n\n"
        "No model was trained on the second data set; clips that occur in the training data are refused. Embeddings are "
        "centred on their mean over the second data set. Intervals resample clips; differences are paired."
    ),
    settings=TransferSettings,
    analyse=analyse,
    result=Transferred,
    present=present,
    rests_on=rests_on,
    optional=True,
)
