"""PHASE generalisation set (Netanyahu et al. 2021): 100 animations of two agents and two objects."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from bgs._errors import DataError, listed
from bgs._typing import Float
from bgs.judgments.csv_table import Table, read_table
from bgs.stimuli import StimulusSet

_CLIPS = "PHASE/Videos_Test_humanratings"
_LABELS = "PHASE/Human_Experiment_Files/human_rating_labels_genset"
RELATIONS = ("friendly", "neutral", "adversarial")

_RECONSTRUCT: Any = np.zeros(0).__reduce__()[0]
#: The only names these pickles may refer to: numpy's array reconstruction, under its old and new module names.
_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


@dataclass(frozen=True)
class PhaseClip:
    """One animation, as published.

    Attributes:
        name: file name of the original clip.
        trajectories: (4, T, 5) x, y, two velocity components and heading of two agents, then two objects; truncated
            to the frames that all four share (in 62 clips the objects were recorded longer than the agents).
        radii: (4,) in the units of x and y.
        colours: entity number -> colour code.
        walls: (w, 2, 2) end points of the walls.
        landmarks: (4, 2) centres.
        physical_goals: one goal per agent.
        social_goal: friendly, neutral or adversarial.
    """

    name: str
    trajectories: Float[np.ndarray, "4 t 5"]
    radii: Float[np.ndarray, " 4"]
    colours: dict[int, int]
    walls: Float[np.ndarray, "w 2 2"]
    landmarks: Float[np.ndarray, "l 2"]
    physical_goals: tuple[tuple[str | int, ...], ...]
    social_goal: str


class _AllowListUnpickler(pickle.Unpickler):
    """Unpickles lists, dictionaries, numbers, strings and numpy arrays, and refuses everything else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it refers to {module}.{name}, which is not on the allow-list")
        return _ALLOWED[module, name]


def read_pickle(path: Path) -> Any:
    """Unpickle plain data and numpy arrays; anything that could run code is refused.

    Raises:
        DataError: the file is missing, is not a pickle, or refers to anything but numpy's array reconstruction.
    """
    try:
        with path.open("rb") as stream:
            return _load(path, stream)
    except OSError as error:
        raise DataError(f"cannot read: {error.strerror}", where=path) from error


def _load(path: Path, stream: IO[bytes]) -> Any:
    try:
        return _AllowListUnpickler(stream).load()
    except OSError:
        raise
    except (
        Exception
    ) as error:  # damaged pickles can raise almost any exception, according to the documentation of pickle
        raise DataError(f"refused to unpickle: {error}", where=path) from error


def load_phase(folder: Path, ratings: Path | None = None) -> tuple[StimulusSet, tuple[str, ...]]:
    """Load the 100 clips: ids are clip names, label ``relation`` is the raters' majority.

    Args:
        folder: the authors' repository (or just the files listed on the card).
        ratings: table with columns ``clip``, ``friendly``, ``neutral``, ``adversarial``: the number of people who chose each.
            With it, ratings ``friendly``, ``neutral``, ``adversarial`` (shares, 0–1) and ``n_raters`` are added.

    Raises:
        DataError: a file is inconsistent with itself or another.
    """
    names = tuple(clip.name for clip in read_clips(folder))
    labels = read_pickle(folder / _LABELS)
    if not isinstance(labels, dict) or set(labels) != set(names):
        raise DataError(
            "labels are for different clips",
            where=folder / _LABELS,
            expected=f"the {len(names)} clips of {_CLIPS}",
        )
    relation = tuple(labels[name]["relationship"] for name in names)
    if set(relation) - set(RELATIONS):
        raise DataError("unknown label", where=folder / _LABELS, expected=", ".join(RELATIONS))
    shares, notes = ({}, ()) if ratings is None else read_ratings(ratings, names)
    return StimulusSet(ids=names, labels={"relation": relation}, ratings=shares), notes


def read_ratings(
    path: Path, names: tuple[str, ...]
) -> tuple[dict[str, Float[np.ndarray, " n"]], tuple[str, ...]]:
    """Proportion of raters who chose each relation, and the number of raters per clip, matched by clip name.

    Also returns notes on how the table was interpreted.
    """
    table = read_table(path, ("clip", *RELATIONS), keep_others=False)
    record = {name: i for i, name in enumerate(table["clip"])}
    if set(record) != set(names) or len(table) != len(names):
        raise DataError(
            "ratings are for different clips", where=path, expected=f"the {len(names)} clips, each once",
            got=listed(sorted(set(record) ^ set(names))) or f"{len(table)} rows",
        )  # fmt: skip
    votes = _votes(table)[[record[name] for name in names]]
    n_raters = votes.sum(axis=1)
    shares = dict(zip(RELATIONS, (votes / n_raters[:, None]).T, strict=True))
    return {**shares, "n_raters": n_raters}, tuple(table.assumptions)


def _votes(table: Table) -> Float[np.ndarray, "n 3"]:
    votes = np.column_stack([table.integers(relation) for relation in RELATIONS]).astype(np.float64)
    bad = np.flatnonzero((votes < 0).any(axis=1) | (votes.sum(axis=1) == 0))
    if len(bad):
        raise DataError(
            "invalid vote counts",
            where=table.where(int(bad[0]), "friendly"),
            expected="counts ≥ 0, at least one rater",
        )
    return votes


def read_clips(folder: Path) -> tuple[PhaseClip, ...]:
    """Read the animations: the positions of all entities in every frame.

    Raises:
        DataError: the file does not have the published format.
    """
    path = folder / _CLIPS
    raw = read_pickle(path)
    try:
        return tuple(_clip(entry) for entry in raw)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"not a list of PHASE clips: {error}", where=path) from error


def _clip(entry: dict[str, Any]) -> PhaseClip:
    shared = min(len(path) for path in entry["trajectories"])
    return PhaseClip(
        name=entry["name"],
        trajectories=np.stack([path[:shared] for path in entry["trajectories"]]),
        radii=np.array(entry["entity_sizes"], dtype=np.float64),
        colours=dict(entry["entity_color_code"]),
        walls=np.array(entry["wall_segs"], dtype=np.float64).reshape(-1, 2, 2),
        landmarks=np.array(entry["landmark_centers"], dtype=np.float64),
        physical_goals=tuple(tuple(goal) for goal in entry["physical_goals"]),
        social_goal=entry["social_goals"],
    )
