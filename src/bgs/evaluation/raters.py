"""Human agreement on a label, as a reference for decoding accuracy."""

from __future__ import annotations

import numpy as np

from bgs._errors import DataError
from bgs._rng import generator
from bgs._typing import Float64, Int
from bgs.evaluation.clip_scores import clip_balanced_accuracy, paired_metrics
from bgs.evaluation.resampling import clip_copies
from bgs.evaluation.result import Metric
from bgs.stimuli import StimulusSet

#: Number of panels of raters drawn for each clip.
_PANELS = 2000


def rater_reference(
    stimuli: StimulusSet, label: str, raters: str, *, resamples: int = 2000, seed: int = 0
) -> dict[str, Metric]:
    """Balanced accuracy of people for a majority label.

    Args:
        stimuli: stimuli with ratings named after the labels: the proportion of raters who chose each, or their number.
        label: label column, the raters' majority.
        raters: rating column with the number of raters of each clip.
        resamples: bootstrap resamples of clips.
        seed: seed of the panels and the resamples.

    Returns:
        "one_rater": how often one rater agrees with the majority of the *others* (ties share credit). "new_panel": how
        often the majority of as many new raters, drawn from the clip's proportions, is the clip's label. Both are means over
        labels of means over clips, with intervals over clips.

    Raises:
        DataError: a column is missing, a clip has no label or fewer than two raters, or proportions do not correspond to counts.
    """
    classes = tuple(sorted(set(stimuli.labels[label]) - {""}))
    missing = [name for name in (*classes, raters) if name not in stimuli.ratings]
    if missing:
        raise DataError(
            "no votes for this label", where=label, expected=f"ratings {', '.join((*classes, raters))}"
        )
    labelled = np.flatnonzero(np.array(stimuli.labels[label]) != "")
    votes = rater_votes(stimuli, classes, raters, labelled)
    codes = np.array([classes.index(stimuli.labels[label][i]) for i in labelled])
    copies = np.concatenate([np.ones((1, len(codes))), clip_copies(len(codes), resamples, seed)])
    found = {}
    for name, share in (("one_rater", _one_rater(votes)), ("new_panel", _new_panel(votes, codes, seed))):
        draws = clip_balanced_accuracy(share, codes, copies)
        metrics, _ = paired_metrics(
            [float(draws[0])], [draws[1:]], (0.0, 1.0), len(codes), "balanced accuracy"
        )
        found[name] = metrics[0]
    return found


def rater_votes(
    stimuli: StimulusSet, columns: tuple[str, ...], raters: str, positions: Int[np.ndarray, " m"]
) -> Int[np.ndarray, "m k"]:
    """(m, k) number of raters of the stimuli at ``positions`` who chose each of k labels.

    Args:
        stimuli: with rating columns of shares or of numbers.
        columns: the labels.
        raters: rating column with the number of raters of each stimulus.
        positions: (m,) stimuli.

    Raises:
        DataError: shares do not correspond to whole votes, or a stimulus has fewer than two raters.
    """
    votes = np.stack([stimuli.ratings[name][positions] for name in columns], axis=1)
    n_raters = stimuli.ratings[raters][positions]
    total = votes.sum(axis=1)
    counts = np.where(np.isclose(total, 1.0)[:, None], votes * n_raters[:, None], votes)
    whole = np.isclose(counts, np.round(counts), atol=1e-6).all(axis=1) & np.isclose(
        counts.sum(axis=1), n_raters
    )
    bad = np.flatnonzero(~whole | ~(n_raters >= 2))
    if len(bad):
        raise DataError(
            "votes do not add up", where=stimuli.ids[positions[bad[0]]],
            expected=f"{n_raters[bad[0]]:g} raters, at least 2", got=votes[bad[0]].tolist(),
        )  # fmt: skip
    return np.round(counts).astype(np.int64)


def _one_rater(votes: Int[np.ndarray, "m k"]) -> Float64[np.ndarray, " m"]:
    """Mean over a clip's raters of whether the rater's label is the majority label of the others."""
    agreement = np.zeros(len(votes))
    for choice in range(votes.shape[1]):
        others = votes - np.eye(votes.shape[1], dtype=np.int64)[choice]
        best = others == others.max(axis=1, keepdims=True)
        agreement += votes[:, choice] * best[:, choice] / best.sum(axis=1)
    shares: Float64[np.ndarray, " m"] = agreement / votes.sum(axis=1)
    return shares


def _new_panel(
    votes: Int[np.ndarray, "m k"], codes: Int[np.ndarray, " m"], seed: int
) -> Float64[np.ndarray, " m"]:
    random = generator(seed, "raters", "panels")
    shares = np.empty(len(votes))
    for clip, (row, code) in enumerate(zip(votes, codes, strict=True)):
        panels = random.multinomial(row.sum(), row / row.sum(), size=_PANELS)
        best = panels == panels.max(axis=1, keepdims=True)
        shares[clip] = (best[:, code] / best.sum(axis=1)).mean()
    return shares
