"""What can be read out of a model's embeddings: how likely people are to agree, ratings, and whether a clip is familiar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from bgs._codec import Finite, JsonDataclass, Number
from bgs._errors import BgsError, DataError, listed
from bgs._files import atomic_folder, damage_as_error, read_json, sha256, write_json, write_tensors
from bgs._progress import note
from bgs.embeddings import Embeddings
from bgs.evaluation.readout.attributes import AttributeReadout, LinearProbe
from bgs.evaluation.readout.choice_rule import ChoiceRule
from bgs.evaluation.readout.familiarity import Density, Familiarity
from bgs.evaluation.readout.held_out import HeldOut, HeldOutTrials
from bgs.evaluation.readout.kept_together import KeptTogether
from bgs.evaluation.result import Metric
from bgs.judgments import Trials
from bgs.stimuli import StimulusSet

_FORMAT = "bgs-readout/1"
_JSON, _TENSORS = "readout.json", "readout.safetensors"
_AGAIN = "make it again with `bgs calibrate`"


@dataclass(frozen=True)
class Readout:
    """The link from a model's embeddings to what people see, fitted on clips that the model has not seen.

    Attributes:
        kept: probability that people keep two clips together, from their distance.
        choice: probability that each of three clips is the odd one out.
        attributes: one readout per rating; empty where the data set has no ratings.
        familiarity: whether a clip is like those of the study.
        about: data set, number of clips and trials, and how clips were held out; JSON types.
        measured: name -> figure on test clips, which took no part in fitting; empty if there are none.
    """

    kept: KeptTogether
    choice: ChoiceRule
    attributes: tuple[AttributeReadout, ...]
    familiarity: Familiarity
    about: dict[str, Any]
    measured: dict[str, Metric] = field(default_factory=dict)

    @property
    def blind(self) -> str | None:
        """What to say where people's choices among held-out clips do not follow the model's distances at all."""
        if self.kept.slope > 0.0 and self.choice.sharpness > 0.0:
            return None
        held = self.about["held_out_clips"]
        return (
            f"people's choices among the {held} clips held out of training do not follow the model's distances: its "
            "probabilities are those of guessing (more clips are held out by `bgs calibrate RUN --folds 3`)"
        )

    @classmethod
    def fit(
        cls,
        final: Embeddings,
        parts: Sequence[HeldOut],
        trials: Trials,
        stimuli: StimulusSet,
        about: dict[str, Any],
        attributes: Sequence[str] | None = None,
    ) -> Readout:
        """Fit everything.

        Args:
            final: embeddings by the finished model of the clips that it was trained on.
            parts: one or more splits of these clips, each embedded by a model that was trained on one side only.
            trials: judgments; only those among the clips of a part are used.
            stimuli: all stimuli of the study, with ratings.
            about: what to keep beside it.
            attributes: names of the ratings to predict; None: all.

        Raises:
            DataError: the stimuli have no such rating, or there are too few judgments of held-out clips.
        """
        judged = HeldOutTrials.all(parts, trials, stimuli)
        pairs = judged.held_pairs
        found = [
            AttributeReadout.fit(name, final, parts, stimuli) for name in stimuli.rating_names(attributes)
        ]
        return cls(
            KeptTogether.fit(judged.distances[pairs], judged.kept[pairs]),
            ChoiceRule.fit(judged.distances, judged.odd),
            tuple(one for one in found if one is not None),
            Familiarity.fit(final.values, parts),
            about | {"held_out_clips": sum(len(part.held) for part in parts)},
        )

    def save(self, folder: Path) -> None:
        """Write ``readout.json`` and ``readout.safetensors`` into a folder, which appears when it is whole.

        An earlier readout there is removed first.

        Raises:
            BgsError: the folder cannot be written.
        """
        density = self.familiarity.density
        tensors = {
            "mean": density.mean, "axes": density.axes, "variances": density.variances, "held": self.familiarity.held,
        }  # fmt: skip
        for number, one in enumerate(self.attributes):
            tensors |= {f"{number}.weights": one.probe.weights, f"{number}.errors": one.errors}
        for name in (_JSON, _TENSORS):
            (folder / name).unlink(missing_ok=True)
        with atomic_folder(folder) as temporary:
            write_tensors(temporary / _TENSORS, {k: np.ascontiguousarray(v) for k, v in tensors.items()}, {})
            written = sha256(temporary / _TENSORS)
            write_json(temporary / _JSON, self.summary() | {"sha256": written})

    def summary(self) -> dict[str, Any]:
        """What was fitted, on what, and what it is worth, without arrays; JSON types only."""
        return {
            "format": _FORMAT,
            "about": self.about,
            "measured": {name: metric.to_json() for name, metric in self.measured.items()},
            "kept": self.kept.to_json(),
            "choice": self.choice.to_json(),
            "floor": self.familiarity.density.floor,
            "attributes": [
                _Attribute(a.name, a.probe.intercept, a.scale, a.r_squared).to_json() for a in self.attributes
            ],
        }

    @classmethod
    def load(cls, folder: Path, width: int) -> Readout:
        """Read what :meth:`save` wrote.

        Args:
            folder: of the readout.
            width: dimensions of the model's embeddings.

        Raises:
            DataError: a file is missing, was changed, or belongs to a model of another width.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        plain = read_json(folder / _JSON, _AGAIN)
        if plain.get("format") != _FORMAT:
            raise DataError("not a readout", where=folder / _JSON, expected=_FORMAT, got=plain.get("format"))
        path = folder / _TENSORS
        if not path.is_file():
            raise DataError("a file of this readout is missing", where=path, hint=_AGAIN)
        if sha256(path) != plain.get("sha256"):
            raise DataError("damaged: the file does not match its hash", where=path, hint=_AGAIN)
        try:
            tensors = load_file(path)
        except SafetensorError as error:
            raise DataError(f"not a safetensors file: {error}", where=path) from error
        with damage_as_error(folder / _JSON, _AGAIN):
            found = cls._of(plain, tensors)
        if len(found.familiarity.density.mean) != width:
            raise BgsError(
                "this readout belongs to another model", where=folder,
                expected=f"{width} dimensions", got=len(found.familiarity.density.mean),
            )  # fmt: skip
        if found.blind:
            note(found.blind)
        return found

    @classmethod
    def _of(cls, plain: dict[str, Any], tensors: dict[str, np.ndarray]) -> Readout:
        found = _Written.from_json(plain)
        left = dict(tensors)
        mean, variances = _take(left, "mean", -1), _take(left, "variances", -1)
        density = Density(mean, _take(left, "axes", len(variances), len(mean)), variances, found.floor)
        familiarity = Familiarity(density, _take(left, "held", -1))
        attributes = tuple(
            AttributeReadout(
                a.name, LinearProbe(_take(left, f"{k}.weights", len(mean)), a.intercept), _take(left, f"{k}.errors", -1),
                a.scale, a.r_squared,
            )
            for k, a in enumerate(found.attributes)
        )  # fmt: skip
        if left:
            raise ValueError(f"unexpected arrays {listed(sorted(left))}")
        if (variances <= 0).any():
            raise ValueError("variances: expected numbers above 0")
        return cls(found.kept, found.choice, attributes, familiarity, plain["about"], found.measured)


@dataclass(frozen=True)
class _Attribute(JsonDataclass):
    """An attribute without its arrays."""

    name: str
    intercept: Finite
    scale: tuple[Finite, Finite]
    r_squared: Number


@dataclass(frozen=True)
class _About:
    """What every readout of a run says of itself."""

    data: str
    simulated: bool
    clips: int
    held_out: str
    held_out_clips: int
    hashes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Written(JsonDataclass):
    """What is in ``readout.json`` besides format and hash."""

    about: _About
    measured: dict[str, Metric]
    kept: KeptTogether
    choice: ChoiceRule
    floor: Annotated[Finite, Field(gt=0)]
    attributes: tuple[_Attribute, ...]


def _take(tensors: dict[str, np.ndarray], name: str, *shape: int) -> np.ndarray:
    """Take an array out of those that were read; −1 is any length.

    Raises:
        KeyError, ValueError: it is missing, or not such an array of finite numbers.
    """
    found = tensors.pop(name)
    fits = found.ndim == len(shape) and all(
        n in (-1, have) for n, have in zip(shape, found.shape, strict=True)
    )
    if not fits or found.dtype != np.float64 or not np.isfinite(found).all():
        raise ValueError(
            f"{name}: expected finite float64 of shape {shape}, got {found.dtype} of shape {found.shape}"
        )
    return found
