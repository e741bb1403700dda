"""Measures one encoder on every track that it can read: one row."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bgs._errors import DataError
from bgs._files import sha256
from bgs._progress import note
from bgs._scale import mean_of_rows
from bgs.benchmarks.measurement import measure
from bgs.benchmarks.row import Choice, Measurement, Row
from bgs.benchmarks.tracks import TRACKS, HeldOut, LoadedTrack, Track, evaluated, load_track
from bgs.datasets import Dataset
from bgs.embeddings import Embeddings
from bgs.runs.origins import git_commit, provenance, sources

if TYPE_CHECKING:
    from bgs.backbones import Backbone


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

    Layer and pooling are chosen, and transforms trained, on the training clips of each track.

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
    choices: dict[str, Choice] = {}
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
            choices[track.data] = entrant.choice
            hashes |= entrant.hashes()
    if not measurements:
        reasons = "; ".join(f"{data}: {reason}" for data, reason in missing.items())
        raise DataError("no data set can be measured", where=model, got=reasons)
    about = _about(backbone, model, seeds if tune else (), hashes)
    if ratings is not None:
        about["ratings_table"] = sha256(ratings)
    return Row(name, portable(model), _kind(backbone), measurements, missing, choices, about, twin_of)


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
        candidates = embed_candidates(backbone, model, track.train.stimuli)
        self.choice = choose(candidates, track.target)
        self.train = candidates[self.choice.settings]
        note(
            f"{track.track.data}: {self.choice.settings or 'the published embedding'} is best on training clips"
        )

    def measurements(self) -> tuple[list[Measurement], dict[str, str]]:
        """Of every set of held-out clips, and why the others have none."""
        from bgs.benchmarks.candidates import embed_candidates

        found: list[Measurement] = []
        missing = dict(self.track.missing)
        readable = []
        for held_out, data in self.track.held_out:
            stimuli = data.stimuli.subset(evaluated(data.stimuli))
            try:
                self.backbone.require_readable(stimuli)
                embeddings = embed_candidates(self.backbone, self.model, stimuli)[self.choice.settings]
                found.append(measure(embeddings, mean_of_rows(self.train.values), held_out, data, "frozen"))
            except DataError as error:
                missing[held_out.data] = error.what
                continue
            readable.append((held_out, data, embeddings))
        return found + (self._tuned(readable) if readable and self.seeds else []), missing

    def _tuned(self, readable: list[tuple[HeldOut, Dataset, Embeddings]]) -> list[Measurement]:
        from bgs.benchmarks.recipe import PULLS, TransformTrainer

        found = []
        with tempfile.TemporaryDirectory(prefix="bgs-benchmark-") as folder:
            trainer = TransformTrainer(self.track, self.train, folder)
            pulls = trainer.pulls()
            pull = PULLS[int(np.argmax([tried.value for tried in pulls]))]
            self.choice = replace(self.choice, pull=pull, pulls=pulls)
            for seed in self.seeds:
                apply = trainer.train(pull, seed)
                mean = mean_of_rows(apply(self.train).values)
                found += [
                    measure(apply(embeddings), mean, held_out, data, "tuned", seed)
                    for held_out, data, embeddings in readable
                ]
        return found

    def hashes(self) -> dict[str, dict[str, str]]:
        """Data set -> SHA-256 of its files."""
        return {
            data.name: dict(data.hashes) for data in (self.track.train, *(d for _, d in self.track.held_out))
        }


def _about(
    backbone: Backbone, model: str, seeds: Sequence[int], hashes: dict[str, dict[str, str]]
) -> dict[str, Any]:
    return provenance(
        command=f"bgs benchmark {portable(model)}" + (" --tune" if seeds else ""),
        date=datetime.now(UTC).date().isoformat(),
        seeds=list(seeds),
        weights=backbone.spec.revision,
        settings={key: str(value) for key, value in backbone.spec.settings().items()},
        data_hashes=hashes,
        sources=sources(),
        commit=git_commit(),
    )


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
