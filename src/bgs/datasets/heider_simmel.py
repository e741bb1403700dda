"""Yun & Lu (arXiv:2509.20673): two moving triangles, the verbs people chose for them, and odd-one-out judgments.

File names of the clips hold the verb that the animation was made to show. Stimulus ids are "hs" and the clip's number alone,
the same in both data sets, so that no name says what a clip shows and a clip of both sets is known to be one clip.
"""

from __future__ import annotations

import ast
from pathlib import Path, PurePosixPath

import numpy as np

from bgs._errors import DataError, listed
from bgs._typing import Float, Int
from bgs.datasets.registry import HEIDER_SIMMEL_TRIPLETS, HEIDER_SIMMEL_VERBS, DatasetCard
from bgs.judgments import Trials
from bgs.judgments.csv_table import Table, read_table
from bgs.judgments.response_times import read_response_times
from bgs.judgments.tables import odd_slots
from bgs.stimuli import StimulusSet

#: What raters chose from; names of the ratings that hold their shares.
VERBS = (
    "accompany", "approach", "argue with", "avoid", "block", "bother", "capture", "chase", "creep up on", "encircle",
    "escape", "examine", "fight", "flirt with", "follow", "herd", "hit", "huddle with", "hug", "ignore", "kiss", "lead",
    "leave", "mimic", "play with", "poke", "pull", "push", "scratch", "talk to", "throw", "tickle",
)  # fmt: skip
#: Least and greatest number of raters a clip had. The table gives shares only.
_RATERS = (37, 48)
_POSITIONS = ("left", "middle", "right")


def clip_id(name: str) -> str:
    """Stimulus id of a clip: ``1012_push`` (or its path, with or without ending) is ``hs1012``."""
    return "hs" + PurePosixPath(name).name.partition("_")[0]


def load_heider_simmel(card: DatasetCard, folder: Path) -> tuple[StimulusSet, Trials | None]:
    """Load the stimuli of one of the two data sets, in the order of their numbers, and the trials of the triplets.

    Ratings: the share of raters who chose each of :data:`VERBS` and ``n_raters``, how many they were. Labels: ``verb``,
    what most raters chose ("" where two verbs tie), and ``intended``, the verb that the animation was made to show.

    Args:
        card: of the triplets or of the verbs; its clips are the stimuli.
        folder: the authors' repository (or the files of it that the card lists).

    Raises:
        DataError: a file contradicts itself or another.
    """
    verbs, triplets = HEIDER_SIMMEL_VERBS, HEIDER_SIMMEL_TRIPLETS
    stimuli = read_verbs(folder / verbs.files[0].path, _intended(card))
    if card is triplets:
        return stimuli, read_trials(folder / triplets.files[0].path, stimuli)
    test = set(_intended(triplets))
    split = tuple("test" if name in test else "train" for name in stimuli.ids)
    return StimulusSet(stimuli.ids, split=split, ratings=stimuli.ratings, labels=stimuli.labels), None


def _intended(card: DatasetCard) -> dict[str, str]:
    """Stimulus id -> intended verb, of every clip of a data set."""
    stems = [PurePosixPath(clip.path).stem for clip in card.clips]
    return {clip_id(stem): stem.partition("_")[2] for stem in stems}


def read_verbs(path: Path, intended: dict[str, str]) -> StimulusSet:
    """The stimuli in ``intended`` (id -> verb) with the shares of verbs that raters chose.

    Raises:
        DataError: a stimulus is not in the table, or shares are not those of 37 to 48 raters.
    """
    table = read_table(path, VERBS, unnamed="clip")
    record = {clip_id(name): i for i, name in enumerate(table["clip"])}
    missing = [name for name in intended if name not in record]
    if missing or len(record) != len(table):
        raise DataError(
            "ratings of other clips", where=path, expected=f"{len(intended)} clips, each once",
            got=f"none of {listed(missing)}" if missing else "a clip twice",
        )  # fmt: skip
    pick = np.array([record[name] for name in intended])
    shares = np.column_stack([table.floats(verb) for verb in VERBS])[pick]
    raters = _n_raters(table, shares, pick)
    return StimulusSet(
        ids=tuple(intended),
        ratings=dict(zip(VERBS, shares.T, strict=True)) | {"n_raters": raters},
        labels={"verb": _most_chosen(shares), "intended": tuple(intended.values())},
    )


def _n_raters(
    table: Table, shares: Float[np.ndarray, "n 32"], records: Int[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """(n,) how many raters each clip had: the one number in the known range of which all its shares are whole parts."""
    possible = np.arange(_RATERS[0], _RATERS[1] + 1)
    votes = shares[:, :, None] * possible
    whole = (np.abs(votes - votes.round()) < 1e-6).all(axis=1) & np.isclose(shares.sum(axis=1), 1)[:, None]
    unclear = np.flatnonzero(whole.sum(axis=1) != 1)
    if len(unclear):
        raise DataError(
            "not shares of raters", where=table.where(int(records[unclear[0]]), VERBS[0]),
            expected=f"parts of {_RATERS[0]} to {_RATERS[1]} raters that add up to 1",
        )  # fmt: skip
    raters: Float[np.ndarray, " n"] = possible[whole.argmax(axis=1)].astype(np.float64)
    return raters


def _most_chosen(shares: Float[np.ndarray, "n 32"]) -> tuple[str, ...]:
    """What most raters chose; "" where several verbs tie."""
    top = shares >= shares.max(axis=1, keepdims=True) - 1e-9
    return tuple(VERBS[row.argmax()] if row.sum() == 1 else "" for row in top)


def read_trials(path: Path, stimuli: StimulusSet) -> Trials:
    """Odd-one-out trials.

    ``rt`` of the table is a clock that starts when a participant's first trial appears (``startTime`` in the authors'
    ``js/trial.js``): response times are its differences.

    Raises:
        DataError: a trial shows an unknown clip, or ``choice`` and ``choicePos`` disagree.
    """
    columns = ("subjNum", "exptVer", "trialIndex", "options", "choice", "choicePos", "rt")
    table = read_table(path, columns, keep_others=False)
    shown = np.array([_shown(table, record, stimuli) for record in range(len(table))])
    odd = odd_slots(shown, np.array([stimuli.index.get(clip_id(name), -1) for name in table["choice"]]))
    position = np.array([_POSITIONS.index(cell) if cell in _POSITIONS else -1 for cell in table["choicePos"]])
    wrong = np.flatnonzero((odd < 0) | (odd != position))
    if len(wrong):
        raise DataError(
            "the odd one is not in its position", where=table.where(int(wrong[0]), "choicePos"),
            expected=f"the place of {table['choice'][wrong[0]]} in {table['options'][wrong[0]]}",
            got=repr(table["choicePos"][wrong[0]]),
        )  # fmt: skip
    who, block, trial = table.text("subjNum"), table.text("exptVer"), table.integers("trialIndex")
    times = read_response_times(table, who, block, trial, kind="elapsed")
    rt = np.where(trial == 0, table.floats("rt"), times)
    return Trials(who, block, trial, shown, odd, rt, len(stimuli))


def _shown(table: Table, record: int, stimuli: StimulusSet) -> list[int]:
    """Positions of the three clips of a trial, from a Python list literal of their names."""
    cell = table["options"][record]
    try:
        first, second, third = (stimuli.index[clip_id(name)] for name in ast.literal_eval(cell))
    except (ValueError, SyntaxError, TypeError, KeyError) as error:
        raise DataError(
            "not a trial",
            where=table.where(record, "options"),
            expected="a list of three known clips",
            got=cell,
        ) from error
    return [first, second, third]
