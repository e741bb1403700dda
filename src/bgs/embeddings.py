"""Embeddings: one vector per stimulus, indexed by stimulus id, stored as safetensors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from bgs._errors import BgsError, DataError, listed
from bgs._files import damage_as_error, require_output, sha256_of, write_tensors
from bgs._scale import mean_of_rows
from bgs._typing import Float

_FORMAT = "bgs-embeddings/1"
#: Key of ``details``: JSON, data set -> ids of the stimuli that the model was trained on.
TRAINED_ON = "trained on"
#: The suffix of embedding files.
SUFFIXES = (".safetensors",)


@dataclass(frozen=True, repr=False)
class Embeddings:
    """One finite vector per stimulus.

    Attributes:
        values: (n, d) floats, one row per stimulus.
        stimulus_ids: n distinct ids; two sets are aligned by these, never by position.
        source: how they were computed, e.g. ``"text:minilm"``.
        details: anything else worth keeping (versions, hashes), as strings.

    Raises:
        DataError: an id is repeated, ids and rows differ in number, or a value is not finite.
    """

    values: Float[np.ndarray, "n d"]
    stimulus_ids: tuple[str, ...]
    source: str
    details: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        n, d = self.values.shape
        return f"Embeddings({self.source}: {n:,} stimuli × {d:,} dimensions)"

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or len(self.values) != len(self.stimulus_ids):
            raise DataError(
                "embeddings and stimulus ids do not match",
                expected=f"({len(self.stimulus_ids)}, d) values",
                got=f"shape {self.values.shape}",
            )
        if not self.values.shape[1]:
            raise DataError(
                "embeddings without dimensions", where=self.source, expected="(n, d) values, d ≥ 1"
            )
        if len(set(self.stimulus_ids)) != len(self.stimulus_ids):
            twice = sorted({i for i in self.stimulus_ids if self.stimulus_ids.count(i) > 1})
            raise DataError(f"stimulus listed twice: {listed(twice)}", where=self.source)
        finite = np.isfinite(self.values).all(axis=1)
        if not finite.all():
            bad = [self.stimulus_ids[i] for i in np.flatnonzero(~finite)]
            raise DataError(
                "an embedding is not finite",
                where=self.source,
                expected="finite numbers",
                got=f"NaN or inf for {listed(bad)}",
                hint="the largest float16 is 65,504: store them as float32"
                if self.values.dtype == np.float16
                else None,
            )

    def __len__(self) -> int:
        return len(self.stimulus_ids)

    def select(self, stimulus_ids: Sequence[str]) -> Embeddings:
        """Select the embeddings of ``stimulus_ids``, in that order.

        Raises:
            DataError: a stimulus has no embedding.
        """
        position = {name: i for i, name in enumerate(self.stimulus_ids)}
        missing = [name for name in stimulus_ids if name not in position]
        if missing:
            raise DataError(
                f"{len(missing)} of {len(stimulus_ids)} stimuli have no embedding: {listed(missing)}",
                where=self.source,
                hint="embed the whole data set again",
            )
        rows = [position[name] for name in stimulus_ids]
        return Embeddings(self.values[rows], tuple(stimulus_ids), self.source, self.details)

    def centred(self) -> Embeddings:
        """Subtract the mean over stimuli."""
        return replace(self, values=self.values.astype(np.float64) - mean_of_rows(self.values))

    def trained_on(self) -> dict[str, list[str]]:
        """Data set -> ids of the stimuli that the model was trained on; empty where that is not known."""
        trained: dict[str, list[str]] = json.loads(self.details.get(TRAINED_ON, "{}"))
        return trained

    def hash(self) -> str:
        """SHA-256 of ids and values."""
        return sha256_of(
            json.dumps(self.stimulus_ids), str(self.values.dtype), np.ascontiguousarray(self.values).tobytes()
        )

    def save(self, path: str | Path) -> None:
        """Write a safetensors file atomically, with ids, source and a hash in its header.

        Raises:
            BgsError: the suffix is not ``.safetensors``, or the file cannot be written.
        """
        require_output(path, SUFFIXES)
        header = {
            "format": _FORMAT,
            "source": self.source,
            "stimulus_ids": json.dumps(self.stimulus_ids),
            "details": json.dumps(self.details),
            "sha256": self.hash(),
        }
        write_tensors(path, {"embeddings": np.ascontiguousarray(self.values)}, header)

    @classmethod
    def load(cls, path: str | Path) -> Embeddings:
        """Read what :meth:`save` wrote.

        Raises:
            BgsError: the file is missing, is not an embedding file, or was changed since (files of older versions
                have no hash and are not checked).
        """
        from safetensors import SafetensorError, safe_open

        if not Path(path).is_file():
            raise BgsError("no such embedding file", where=path, hint="make one with `bgs embed`")
        try:
            with safe_open(path, framework="numpy") as file:
                header = file.metadata() or {}
                if header.get("format") != _FORMAT:
                    raise DataError(
                        "not an embedding file", where=path, expected=_FORMAT, got=header.get("format")
                    )
                values = file.get_tensor("embeddings")
        except SafetensorError as error:
            raise DataError(f"not a safetensors file: {error}", where=path) from error
        with damage_as_error(path):
            ids, details = tuple(json.loads(header["stimulus_ids"])), json.loads(header["details"])
            source, known = header["source"], header.get("sha256")
        try:
            found = cls(values, ids, source, details)
        except DataError as error:
            raise DataError(
                error.what, where=path, expected=error.expected, got=error.got, hint=error.hint
            ) from error
        if known is not None and known != found.hash():
            raise DataError(
                "damaged: the values do not match their hash", where=path,
                expected=f"SHA-256 {known[:12]}", got=found.hash()[:12], hint="embed again",
            )  # fmt: skip
        return found
