"""Measures one encoder on every track that it can read: one row."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from bgs._errors import DataError
from bgs._files import sha256
from bgs._progress import note
from bgs._scale import mean_of_rows
from bgs._typing import Float64
from bgs.benchmarks.measurement import ceiling_of, measure
from bgs.benchmarks.origin import row_origin
from bgs.benchmarks.row import Candidate, Choice, Measurement, Row, State
from bgs.benchmarks.tracks import TRACKS, HeldOut, LoadedTrack, Track, evaluated, load_track
from bgs.datasets import Dataset
from bgs.embeddings import Embeddings
from bgs.evaluation import Metric

if TYPE_CHECKING:
    from bgs.backbones import Backbone
    from bgs.benchmarks.recipe import Map


def measure_model(
    model: str,
    name: str,
    *,
    tune: bool = False,
    seeds: Sequence[int] = (0, 1, 2),
    tracks: Sequence[Track] = TRACKS,
    twin_of: str | None = None,
    mirror: str | Path | None = None,
    ratings: str | Path | None = None,
    device: str = "auto",
) -> Row:
    """Measure an encoder, frozen and (with ``tune``) tuned by the standard recipe, on every data set that it can read.

    Layer and pooling are chosen, for each state by itself, and transforms trained, on the training clips of each track.

    Args:
        model: reference of the encoder, see :func:`bgs.backbones.load_backbone`.
        name: of the row.
        tune: also train the transform, once a seed.
        seeds: of the training.
        tracks: what to measure.
        twin_of: name of the row of which this is the random twin.
        mirror, ratings: see :func:`bgs.benchmarks.tracks.load_track`.
        device: as in :func:`bgs.load_model`.

    Raises:
        BgsError: the model cannot be loaded, clips cannot be decoded, or no data set can be read.
    """
    from bgs.runs.embedder import open_backbone

    backbone = open_backbone(model, device)
    measurements: list[Measurement] = []
    missing: dict[str, str] = {}
    choices: dict[str, dict[State, Choice]] = {}
    hashes: dict[str, dict[str, str]] = {}
    for track in tracks:
        try:
            entrant = _Entrant(backbone, model, load_track(track, mirror, ratings), tune, tuple(seeds))
        except DataError as error:
            missing |= {held_out.data: error.what for held_out in track.held_out}
            continue
        found, left_out = entrant.measurements()
        missing |= left_out
        measurements += found
        if found:
            choices[track.data] = entrant.choices
            hashes |= entrant.hashes()
    if not measurements:
        reasons = "; ".join(f"{data}: {reason}" for data, reason in missing.items())
        raise DataError("no data set can be measured", where=model, got=reasons)
    about = row_origin(
        portable(model), seeds if tune else (), hashes, tuned=tune, weights=backbone.spec.revision,
        settings={key: str(value) for key, value in backbone.spec.settings().items()},
        **({} if ratings is None else {"ratings_table": sha256(ratings)}),
    )  # fmt: skip
    return Row(name, portable(model), _kind(backbone), measurements, missing, choices, about, twin_of)


class _Readable(NamedTuple):
    """Held-out clips that an encoder reads: embeddings of all candidates, and the raters' ceiling."""

    held_out: HeldOut
    data: Dataset
    candidates: dict[str, Embeddings]
    ceiling: Metric | None

    def measure(
        self, settings: str, mean: Float64[np.ndarray, " d"], state: State, seed: int | None = None, apply: Map | None = None
    ) -> Measurement:  # fmt: skip
        """Measure a candidate, mapped by a transform in the tuned state."""
        embeddings = self.candidates[settings]
        embeddings = embeddings if apply is None else apply(embeddings)
        return measure(embeddings, mean, self.held_out, self.data, state, seed, self.ceiling)


class _Entrant:
    """An encoder on a track.

    Raises:
        DataError: it cannot read the training clips.
    """

    def __init__(
        self, backbone: Backbone, model: str, track: LoadedTrack, tune: bool, seeds: tuple[int, ...]
    ) -> None:
        from bgs.benchmarks.candidates import choose, embed_candidates

        self.backbone, self.model, self.track = backbone, model, track
        drawn = seeds if track.track.ratings else seeds[:1]  # nothing else is random in training a transform
        self.seeds = drawn if tune else ()
        backbone.require_readable(track.train.stimuli)
        self.candidates = embed_candidates(backbone, model, track.train.stimuli)
        self.choices: dict[State, Choice] = {}
        self._choose("frozen", choose(self.candidates, track.target))

    def _choose(self, state: State, choice: Choice) -> None:
        self.choices[state] = choice
        pull = "" if choice.pull is None else f" with a pull of {choice.pull:g}"
        best = f"{choice.settings or 'the published embedding'}{pull}"
        note(f"{self.track.track.data}, {state}: {best} is best on training clips")

    def measurements(self) -> tuple[list[Measurement], dict[str, str]]:
        """Of every set of held-out clips, and why the others have none."""
        from bgs.benchmarks.candidates import embed_candidates

        found: list[Measurement] = []
        missing = dict(self.track.missing)
        readable: list[_Readable] = []
        settings = self.choices["frozen"].settings
        mean = mean_of_rows(self.candidates[settings].values)
        for held_out, data in self.track.held_out:
            stimuli = data.stimuli.subset(evaluated(data.stimuli))
            try:
                self.backbone.require_readable(stimuli)
                candidates = embed_candidates(self.backbone, self.model, stimuli)
                one = _Readable(held_out, data, candidates, ceiling_of(held_out, data))
                found.append(one.measure(settings, mean, "frozen"))
            except DataError as error:
                missing[held_out.data] = error.what
                continue
            readable.append(one)
        return found + (self._tuned(readable) if readable and self.seeds else []), missing

    def _tuned(self, readable: list[_Readable]) -> list[Measurement]:
        from bgs.benchmarks.recipe import TransformTrainer, validated_pairs
        from bgs.benchmarks.search import search
        from bgs.runs.pull import PULLS

        pairs = validated_pairs(self.track)
        found = []
        with tempfile.TemporaryDirectory(prefix="bgs-benchmark-") as folder:

            @cache
            def trainer(settings: str) -> TransformTrainer:
                return TransformTrainer(
                    self.track, self.candidates[settings], Path(folder) / f"of {settings}"
                )

            def validate(settings: str, pull: float) -> Candidate:
                return Candidate(settings, trainer(settings).validate(pull), pairs, pull)

            choice = search(self.choices["frozen"], PULLS, validate)
            self._choose("tuned", choice)
            assert choice.pull is not None
            for seed in self.seeds:
                apply = trainer(choice.settings).train(choice.pull, seed)
                mean = mean_of_rows(apply(self.candidates[choice.settings]).values)
                found += [one.measure(choice.settings, mean, "tuned", seed, apply) for one in readable]
        return found

    def hashes(self) -> dict[str, dict[str, str]]:
        """Data set -> SHA-256 of its files."""
        return {
            data.name: dict(data.hashes) for data in (self.track.train, *(d for _, d in self.track.held_out))
        }


def _kind(backbone: Backbone) -> Literal["clips", "captions", "features"]:
    kinds: dict[str, Literal["captions", "features"]] = {"text": "captions", "features": "features"}
    return kinds.get(backbone.spec.family, "clips")


def portable(model: str) -> str:
    """A reference that names no folder of this machine: local files and folders by their last name only."""
    family, colon, rest = model.partition(":")
    name, mark, settings = rest.partition("?")
    if family == "features" and settings:
        mark, settings = "", ""  # ?ids=FILE
    return (
        f"{family}{colon}{Path(name).name if Path(name).exists() else name}{mark}{settings}"
        if name
        else model
    )
