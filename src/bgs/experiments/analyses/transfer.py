"""Zero-shot transfer: base and tuned models on a second data set that no model was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bgs import evaluation
from bgs._errors import BgsError
from bgs._files import sha256_of
from bgs.datasets import Dataset, load_dataset
from bgs.embeddings import Embeddings
from bgs.evaluation import Metric, Transfer
from bgs.experiments.analyses.over_seeds import base_means, before_and_after, by_model, means, to_json
from bgs.experiments.applicable import NotApplicable
from bgs.experiments.cells import Cell
from bgs.experiments.conditions import Condition
from bgs.experiments.experiment_data import ExperimentData
from bgs.experiments.sections import TransferSettings
from bgs.stimuli import FrameCache, StimulusSet
from bgs.stimuli.content_hashes import file_hashes

if TYPE_CHECKING:
    from bgs.backbones import Backbone

#: Figures that are not about a model: guessing, and what people among themselves reach.
REFERENCES = ("chance", "one_rater", "new_panel")


def transfer(data: ExperimentData) -> dict[str, Any]:
    """Each model on the second data set.

    ``base``, ``tuned``, ``difference``: ``rsa_spearman``, ``odd_one_out_3afc`` and, where a label is decoded,
    ``balanced_accuracy`` -> mean over seeds; ``references``: chance and human raters of the decoding; ``classes``, and
    ``confusion`` of the first seed.
    """
    section = data.config.analyses.transfer
    assert section is not None
    second = _second(data, section)
    return {
        **by_model(data, lambda data, model: _of_model(data, model, section, second)),
        "data": second.name, "n_clips": len(second.stimuli), "citation": second.citation,
    }  # fmt: skip


def transfer_files(data: ExperimentData) -> str:
    """What the second data set is: its hash; empty where it cannot be loaded."""
    section = data.config.analyses.transfer
    assert section is not None
    try:
        stimuli = _second(data, section).stimuli
    except NotApplicable:
        return ""
    return sha256_of(stimuli.hash(), *_hashes(stimuli).values())


def _second(data: ExperimentData, section: TransferSettings) -> Dataset:
    try:
        return load_dataset(section.data, mirror=data.mirror, ratings=section.table)
    except BgsError as error:
        raise NotApplicable(f"the second data set is not on this machine: {error}") from None


def _of_model(data: ExperimentData, model: str, section: TransferSettings, second: Dataset) -> dict[str, Any]:
    from bgs.backbones import load_backbone

    first = next(iter(data.require(model, Condition.HYBRID).values()))
    _require_readable(model, load_backbone(first.config.reference), second)
    embed = partial(_embed, stimuli=second.stimuli, center=data.config.evaluation.center)
    found = {
        seed: _transfer(data, tuned, base, section, second.stimuli)
        for seed, base, tuned in before_and_after(data, model, embed)
    }
    return _tables(data, model, found)


def _require_readable(model: str, backbone: Backbone, second: Dataset) -> None:
    """See that a model can read the second data set at all."""
    from bgs.backbones.clip_reader import ClipReader
    from bgs.backbones.lookup import LookupBackbone

    videos = second.stimuli.videos
    if isinstance(backbone, LookupBackbone):
        raise NotApplicable(f"{model} is a table of the clips it was trained on and knows no others")
    if isinstance(backbone, ClipReader):
        if videos is None or None in videos:
            raise NotApplicable(f"the clips of {second.name} are not on this machine")
    elif second.stimuli.captions is None:
        raise NotApplicable(f"{model} reads captions, and {second.name} has none")


def _embed(reference: str, cell: Cell, stimuli: StimulusSet, center: bool) -> Embeddings:
    """Embeddings of the second data set, centred where evaluation is: on its own mean, since another world looks
    different throughout, and what all its clips share would drown what tells them apart."""
    from bgs.runs.embedder import embed_stimuli

    config = cell.config
    made = embed_stimuli(reference, stimuli, config.micro_batch, config.device, config.precision)
    return made.centred() if center else made


def _transfer(
    data: ExperimentData, tuned: Embeddings, base: Embeddings, section: TransferSettings, stimuli: StimulusSet
) -> Transfer:
    settings, trained = data.config.evaluation, data.study.stimuli
    positions = np.flatnonzero(trained.train)
    return evaluation.transfer(
        tuned, stimuli, section.ratings, against=base, target=section.target, label=section.label,
        raters=section.raters, trained_on=[trained.ids[i] for i in positions], video_hashes=_hashes(stimuli),
        trained_hashes=list(_hashes(trained.subset(positions)).values()), allow_overlap=section.allow_overlap,
        distance=settings.distance, resamples=settings.resamples, permutations=settings.permutations,
        seed=data.config.seeds[0],
    )  # fmt: skip


def _hashes(stimuli: StimulusSet) -> dict[str, str]:
    """Stimulus id -> hash of its file, of those that have one."""
    videos = stimuli.videos or (None,) * len(stimuli)
    there = {name: path for name, path in zip(stimuli.ids, videos, strict=True) if path and path.is_file()}
    digests = file_hashes(list(there.values()), FrameCache().folder / "hashes.json")
    return dict(zip(there, digests, strict=True))


def _tables(data: ExperimentData, model: str, found: Mapping[int, Transfer]) -> dict[str, Any]:
    first = found[min(found)]
    tables = {
        "base": to_json(base_means(data, model, {s: with_decoding(r, "against") for s, r in found.items()})),
        "tuned": to_json(means({s: with_decoding(r, "embeddings") for s, r in found.items()})),
        "difference": to_json(means({s: with_decoding(r, "difference") for s, r in found.items()})),
    }
    decoding = first.decoding
    references = (
        {} if decoding is None else {k: v.to_json() for k, v in decoding.metrics.items() if k in REFERENCES}
    )
    about = {} if decoding is None else {"classes": decoding.classes, "confusion": decoding.confusion}
    return {**tables, "references": references, **about, "provenance": first.provenance}


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
