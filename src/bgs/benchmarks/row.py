"""A row of the benchmark: everything measured of one encoder, in one JSON file."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bgs._codec import JsonDataclass, Number
from bgs._errors import ConfigError, DataError
from bgs._files import damage_as_error, read_json, write_json
from bgs._typing import Float, Float64
from bgs.evaluation import Metric

FORMAT = "bgs-benchmark/2"
State = Literal["frozen", "tuned"]
_AGAIN = "measure it again (--again)"


@dataclass(frozen=True)
class Measurement(JsonDataclass):
    """One state of an encoder on one set of held-out clips.

    Attributes:
        data: name of the data set.
        state: ``frozen``, or ``tuned`` on the training clips of the track.
        metrics: ``rsa_spearman``; for choices also ``odd_one_out_3afc`` and the ceilings.
        seed: of the training; None where nothing was trained.
        distances: for choices, the model's distance of every pair of held-out clips, see :func:`packed`.
        without_each: for ratings, the Spearman correlation without each clip, in the order of the data set.
    """

    data: str
    state: State
    metrics: dict[str, Metric]
    seed: int | None = None
    distances: str = ""
    without_each: list[Number] = field(default_factory=list)


@dataclass(frozen=True)
class Candidate(JsonDataclass):
    """A layer and pooling, with its correlation on training clips.

    Attributes:
        settings: what is added to the reference of the model, ``layer=8&pool=cls&time=mean``; "" for its published embedding.
        value: Spearman correlation with people's dissimilarities: frozen, of all training clips; tuned, of the fifth of them that
            the transform was not trained on.
        n: number of pairs.
        pull: of the transform's pull towards the identity; None where nothing was trained.
    """

    settings: str
    value: Number
    n: int
    pull: float | None = None


@dataclass(frozen=True)
class Choice(JsonDataclass):
    """What was chosen for one state on the training clips of a track.

    Attributes:
        settings: layer and pooling: those of the best candidate.
        candidates: all that were tried.
        pull: that of the best candidate; None where nothing was trained.
    """

    settings: str
    candidates: list[Candidate]
    pull: float | None = None


@dataclass(frozen=True)
class Row(JsonDataclass):
    """Everything measured of one encoder.

    Attributes:
        name: of the row and of its file.
        model: the reference of the encoder; local folders by their last name only.
        kind: ``clips``, ``captions``, ``features`` or ``people``.
        measurements: on every data set that it can read.
        not_measured: data set -> why it was not measured.
        choices: data set of a track -> state -> layer, pooling and pull chosen there.
        twin_of: name of the row of which this is the random twin.
        provenance: versions, hashes of data and weights, command, date, seeds.
    """

    name: str
    model: str
    kind: Literal["clips", "captions", "features", "people"]
    measurements: list[Measurement]
    not_measured: dict[str, str]
    choices: dict[str, dict[State, Choice]]
    provenance: dict[str, Any]
    twin_of: str | None = None
    format: Literal["bgs-benchmark/2"] = FORMAT  # type: ignore[assignment]

    def of(self, data: str, state: State) -> list[Measurement]:
        """Measurements on a data set in one state, one a seed."""
        return [one for one in self.measurements if one.data == data and one.state == state]

    @property
    def tuned(self) -> bool:
        """Whether it was tuned as well."""
        return any(one.state == "tuned" for one in self.measurements)

    def save(self, folder: str | Path) -> Path:
        """Write ``<folder>/<name>.json`` atomically."""
        path = row_path(folder, self.name)
        write_json(path, self.to_json())
        return path


def row_path(folder: str | Path, name: str) -> Path:
    """The file of a row.

    Raises:
        ConfigError: not a name for a file.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,79}", name):
        raise ConfigError(
            "not a name for a row", where="--name", expected="letters, digits, . _ + -", got=name
        )
    return Path(folder) / f"{name}.json"


def read_row(path: Path) -> Row:
    """One row.

    Raises:
        DataError: the file is not a row of this format, or its name is another than the row's.
    """
    with damage_as_error(path, _AGAIN):
        value = read_json(path)
        found = value.get("format", FORMAT) if isinstance(value, dict) else FORMAT
        if found != FORMAT:
            raise DataError("a row of another format", where=path, expected=FORMAT, got=found, hint=_AGAIN)
        row = Row.from_json(value)
    if row.name != path.stem:
        raise DataError("a row under another name", where=path, expected=f"{row.name}.json")
    return row


def read_rows(folder: str | Path) -> list[Row]:
    """All rows in a folder, by name.

    Raises:
        DataError: there are none, or a file is not a row.
    """
    rows = [read_row(path) for path in sorted(Path(folder).glob("*.json"))]
    if not rows:
        raise DataError("no rows here", where=folder, hint="bgs benchmark MODEL writes one")
    return rows


def packed(rdm: Float[np.ndarray, "m m"]) -> str:
    """The upper triangle of distances, row by row: little-endian float32 in base64, 7.6 kB for 54 clips."""
    values = rdm[np.triu_indices(len(rdm), 1)].astype("<f4")
    return base64.b64encode(values.tobytes()).decode("ascii")


def unpacked(text: str, m: int) -> Float64[np.ndarray, "m m"]:
    """The symmetric matrix of m clips that :func:`packed` wrote.

    Raises:
        DataError: it is of another number of clips.
    """
    values = np.frombuffer(base64.b64decode(text), dtype="<f4")
    if len(values) != m * (m - 1) // 2:
        raise DataError("distances of other clips", expected=f"{m * (m - 1) // 2} pairs", got=len(values))
    rdm = np.zeros((m, m))
    rdm[np.triu_indices(m, 1)] = values
    return rdm + rdm.T
