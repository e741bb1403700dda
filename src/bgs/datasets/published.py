"""Checks of published files (splits, counts, matrices) against the published trials."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from bgs._typing import Bool, Float
from bgs.datasets.dataset import Dataset
from bgs.datasets.garcia_isik import read_matrix, read_split, read_triplets, similarity_file
from bgs.datasets.registry import GARCIA_ISIK
from bgs.judgments import PairCounts, Trials
from bgs.judgments.quality_rules import RuleSet
from bgs.judgments.trial_audit import Audit, Comparison, audit
from bgs.judgments.trials import KEPT_PAIR
from bgs.stimuli import StimulusSet

#: part -> published triplets, pair counts, similarity matrix
_FILES = {
    "train": ("train_triplets.csv", "count_df_train.csv", "sim_judg_train_rsm.csv"),
    "test": ("test_triplets.csv", "test_df_counts.csv", "sim_judg_test_rsm.csv"),
}


def audit_dataset(dataset: Dataset, rules: RuleSet | None = None) -> Audit:
    """Audit a data set's trials (by ``rules`` too, if given), and compare them with other files published by its authors.

    Raises:
        DataError: the data set has no trials.
    """
    trials = dataset.need_trials()
    found = audit(trials, dataset.stimuli, rules)
    if dataset.name == GARCIA_ISIK.name and dataset.folder is not None:
        return replace(found, published=compare_garcia_isik(dataset.folder, dataset.stimuli, trials))
    return found


def compare_garcia_isik(folder: Path, stimuli: StimulusSet, trials: Trials) -> tuple[Comparison, ...]:
    """Compare the published splits, trial files, pair counts and similarity matrices with the trials."""
    found: list[Comparison] = []
    for part, (triplets, counts, similarity) in _FILES.items():
        mask = stimuli.train if part == "train" else stimuli.test
        inside = trials.within(mask)
        published = read_triplets(similarity_file(folder, triplets), len(stimuli))
        found += [
            compare_split(f"{part}.csv", read_split(folder, part), np.array(stimuli.ids)[mask].tolist()),
            compare_trials(triplets, published, inside.judgments),
            compare_counts(counts, read_matrix(folder, counts, len(stimuli)), inside),
            compare_similarity(similarity, read_matrix(folder, similarity, len(stimuli)), inside),
        ]
    return tuple(found)


def compare_split(file: str, published: tuple[str, ...], derived: list[str]) -> Comparison:
    """Compare a published list of clips with the split in the annotations."""
    differing = set(published) ^ set(derived)
    return Comparison(file, "clips", len(published), len(differing), "the split of annotations.csv")


def compare_trials(file: str, published: Trials, derived: Trials) -> Comparison:
    """Compare published trials with the judgments within the split: count rows present in only one of them."""
    differing = np.setxor1d(_records(published), _records(derived))
    return Comparison(
        file, "trials", len(published), len(differing), "judgments (no attention checks) within the split"
    )


def _records(trials: Trials) -> np.ndarray:
    """One comparable record per trial: participant, trial, clips, choice, response time."""
    columns = [trials.participant, trials.block, trials.trial, *trials.stimuli.T, trials.odd, trials.rt]
    return np.rec.fromarrays(columns)


def compare_counts(file: str, published: Float[np.ndarray, "n n"], inside: Trials) -> Comparison:
    """Compare published pair counts with those of the judgments within the split, cell by cell."""
    differing = _cells(published != PairCounts.from_trials(inside).shown, published)
    with_checks = _cells(published != counts_with_checks(inside).shown, published)
    return Comparison(file, "cells", _off_diagonal(published), differing, _remark(differing, with_checks))


def compare_similarity(file: str, published: Float[np.ndarray, "n n"], inside: Trials) -> Comparison:
    """Compare published similarities (kept together / shown together) with the judgments within the split.

    The files give 0 where a pair was never shown; such cells are counted separately, not as differences.
    """
    counts = PairCounts.from_trials(inside)
    differing = _cells(~np.isclose(published, _similarity(counts)), published)
    with_checks = _cells(~np.isclose(published, _similarity(counts_with_checks(inside))), published)
    unseen = _cells((counts.shown == 0) & (published == 0), published)
    remark = f"{_remark(differing, with_checks)}; {unseen:,} cells are 0 because no judgment shows the pair"
    return Comparison(file, "cells", _off_diagonal(published), differing, remark)


def counts_with_checks(trials: Trials) -> PairCounts:
    """Pair counts that result if attention checks are mistaken for judgments."""
    n = trials.n_stimuli
    shown, together = np.zeros((n, n), dtype=np.int64), np.zeros((n, n), dtype=np.int64)
    for slot, (first, second) in enumerate(KEPT_PAIR):
        pair = trials.stimuli[:, (first, second)]
        np.add.at(shown, tuple(pair.T), 1)
        np.add.at(together, tuple(pair[trials.odd == slot].T), 1)
    return PairCounts(together + together.T, shown + shown.T)


def _similarity(counts: PairCounts) -> Float[np.ndarray, "n n"]:
    similarity: Float[np.ndarray, "n n"] = counts.together / np.maximum(counts.shown, 1)
    return similarity


def _cells(differs: Bool[np.ndarray, "n n"], published: Float[np.ndarray, "n n"]) -> int:
    """Number of cells that differ: both triangles, off the diagonal, within the stimuli of the file."""
    counted: Bool[np.ndarray, "n n"] = differs & ~np.isnan(published) & ~np.eye(len(published), dtype=bool)
    return int(counted.sum())


def _off_diagonal(published: Float[np.ndarray, "n n"]) -> int:
    return _cells(np.ones(published.shape, dtype=bool), published)


def _remark(differing: int, with_checks: int) -> str:
    if not differing:
        return "equal to the judgments"
    return f"{with_checks} differ if attention checks are counted as judgments"
