"""Embeddings made elsewhere: one vector a stimulus from safetensors, NumPy, HDF5 or Parquet, known by stimulus id."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from bgs._errors import BgsError, ConfigError, DataError, listed
from bgs._files import damage_as_error
from bgs._optional import require
from bgs._typing import Array
from bgs.embeddings import Embeddings

#: Names of a dataset (HDF5) or column (Parquet) that holds stimulus ids.
_IDS = ("stimulus_id", "stimulus_ids", "ids", "file_names")
#: What counts as the ending of a file: ``.mp4``, ``.jpeg``, not ``.1``.
_ENDING = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}")
#: File of ids that thingsvision writes beside its features.
_BESIDE = "file_names.txt"


def read_features(path: str | Path, ids: str | Path | None = None) -> Embeddings:
    """Read one vector a stimulus.

    - ``.safetensors``: what ``bgs embed`` writes; it holds its ids.
    - ``.npy``: an (n, d) array, with the ids in a text file, one a line.
    - ``.h5``, ``.hdf5``: an (n, d) dataset ``features`` (or several, ``features_01`` …, as thingsvision writes large ones), with
      the ids in a dataset ``stimulus_id`` or in a text file.
    - ``.parquet``: a column ``stimulus_id``, and either one column of lists or one column of numbers a dimension.

    Args:
        path: the file.
        ids: text file with one stimulus id a line, in the order of the rows; by default ``<name>.ids.txt`` or thingsvision's
            ``file_names.txt`` beside the file. Not for formats that hold their own.

    Raises:
        BgsError: a file is missing or unreadable, holds no (n, d) numbers or another number of ids than rows, a value is not
            finite, an id is listed twice.
    """
    path = Path(path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ConfigError(
            "unknown kind of feature file", where=path, expected=", ".join(_READERS), got=path.suffix
        )
    if not path.is_file():
        raise BgsError(
            "no such embedding file",
            where=path,
            expected="one vector a stimulus",
            hint="make one with `bgs embed`",
        )
    return reader(path, None if ids is None else Path(ids))


def features_of(features: Embeddings, stimulus_ids: Sequence[str]) -> Embeddings:
    """Features for ``stimulus_ids``, in that order.

    Where an id is not there as it stands, file names are compared without folder and ending, if these tell all rows apart.

    Raises:
        DataError: some of the stimuli have no features.
    """
    known = set(features.stimulus_ids)
    if known.issuperset(stimulus_ids):
        return features.select(stimulus_ids)
    stems = [_stem(name) for name in features.stimulus_ids]
    shared = [stem for stem, count in Counter(stems).items() if count > 1]
    wanted = [_stem(name) for name in stimulus_ids]
    if shared or not set(stems).issuperset(wanted) or len(set(wanted)) < len(wanted):
        return features.select(stimulus_ids)  # which names those that are missing
    found = Embeddings(features.values, tuple(stems), features.source, features.details).select(wanted)
    return Embeddings(found.values, tuple(stimulus_ids), features.source, features.details)


def named_as(features: Embeddings, stimulus_ids: Sequence[str]) -> Embeddings:
    """The features as they are; by :func:`features_of` where only that finds all of ``stimulus_ids``."""
    try:
        return features_of(features, stimulus_ids)
    except DataError:  # whatever is asked of them names what is missing
        return features


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Damage that the libraries of HDF5 and Parquet report as an error of the operating system is one line, too."""
    with damage_as_error(path):
        try:
            yield
        except OSError as error:
            raise ValueError(" ".join(str(error).split())) from error


def _stem(name: str) -> str:
    """A file name without folder and ending; ``scene.1`` has none."""
    path = PurePosixPath(name.replace("\\", "/"))
    return path.stem if _ENDING.fullmatch(path.suffix) else path.name


def _safetensors(path: Path, ids: Path | None) -> Embeddings:
    if ids is not None:
        raise ConfigError("?ids=: a safetensors file holds its own stimulus ids", where=path, got=ids)
    return Embeddings.load(path)


def _numpy(path: Path, ids: Path | None) -> Embeddings:
    with damage_as_error(path):
        values = np.lib.format.open_memmap(path, mode="r")  # no pickles, and no archives under this name
    return _checked(np.array(values), _listed(path, ids), path)


def _hdf5(path: Path, ids: Path | None) -> Embeddings:
    h5py = require("h5py", "features")
    if not h5py.is_hdf5(path):
        raise DataError("not an HDF5 file", where=path)
    with _damage(path), h5py.File(path) as file:
        numbered = [(int(name[9:]), name) for name in file if re.fullmatch(r"features_\d+", name)]
        parts = ["features"] if "features" in file else [name for _, name in sorted(numbered)]
        if not parts:
            raise DataError(
                "no features",
                where=path,
                expected="a dataset 'features'",
                got=listed(sorted(file)) or "nothing",
            )
        values = np.concatenate([np.atleast_2d(file[name][()]) for name in parts])
        own = next((name for name in _IDS if name in file), None)
        names = None if own is None else [str(name) for name in file[own].asstr()[()]]
    if names is not None and ids is not None:
        raise ConfigError("?ids=: this file holds its own stimulus ids", where=path, got=ids)
    return _checked(values, _listed(path, ids) if names is None else names, path)


def _parquet(path: Path, ids: Path | None) -> Embeddings:
    if ids is not None:
        raise ConfigError("?ids=: a Parquet file holds its own stimulus ids", where=path, got=ids)
    require("pyarrow", "features")
    table: Any = require("pandas", "features")
    with _damage(path):
        frame = table.read_parquet(path)
    own = next((name for name in _IDS if name in frame.columns), None)
    if own is None:
        raise DataError(
            "no stimulus ids", where=path, expected="a column 'stimulus_id'", got=listed(frame.columns)
        )
    if frame[own].isna().any():
        row = int(frame[own].isna().to_numpy().argmax())
        raise DataError("a stimulus id is missing", where=f"{path}, row {row + 1}", expected="one per row")
    rest = frame.drop(columns=own)
    if rest.shape[1] == 1 and any(isinstance(row, (list, np.ndarray)) for row in rest.iloc[:, 0]):
        lengths = {0 if row is None else len(row) for row in rest.iloc[:, 0]}
        if len(lengths) > 1:
            raise DataError(
                "vectors of unequal length", where=path, expected="one length", got=listed(sorted(lengths))
            )
        values = np.stack(rest.iloc[:, 0].to_list())
    else:
        text = [str(name) for name, kind in rest.dtypes.items() if not table.api.types.is_numeric_dtype(kind)]
        if text:
            raise DataError(
                f"columns without numbers: {listed(text)}", where=path, expected="one number a dimension"
            )
        values = rest.to_numpy()
    return _checked(values, [str(name) for name in frame[own]], path)


_READERS: dict[str, Callable[[Path, Path | None], Embeddings]] = {
    ".safetensors": _safetensors,
    ".npy": _numpy,
    ".h5": _hdf5,
    ".hdf5": _hdf5,
    ".parquet": _parquet,
}


def _listed(path: Path, ids: Path | None) -> list[str]:
    """Stimulus ids from a text file, one a line."""
    beside = [ids] if ids is not None else [path.with_suffix(".ids.txt"), path.with_name(_BESIDE)]
    found = next((place for place in beside if place.is_file()), None)
    if found is None:
        expected = " or ".join(place.name for place in beside)
        raise DataError(
            "no stimulus ids for these features", where=path, expected=f"{expected}, one id a line",
            hint=f"write it, or name one with features:{path.name}?ids=FILE",
        )  # fmt: skip
    with damage_as_error(found):
        return [line.strip() for line in found.read_text(encoding="utf-8-sig").rstrip("\n").split("\n")]


def _checked(values: Array, ids: Sequence[str], path: Path) -> Embeddings:
    """Vectors and ids as embeddings; faults name the file."""
    if values.ndim != 2 or not np.issubdtype(values.dtype, np.number) or np.iscomplexobj(values):
        raise DataError(
            "not one vector a stimulus", where=path, expected="(n, d) real numbers", got=f"{values.shape} of {values.dtype}"
        )  # fmt: skip
    if len(ids) != len(values):
        raise DataError(
            "ids and features do not match", where=path, expected=f"{len(values):,} ids", got=f"{len(ids):,}"
        )
    kept = values if np.issubdtype(values.dtype, np.floating) else values.astype(np.float64)
    return Embeddings(kept, tuple(ids), f"features:{path}")
