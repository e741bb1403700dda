"""How good a readout is: on test clips, which neither the model nor the readout has seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bgs._typing import Bool, Float64, Int
from bgs.embeddings import Embeddings
from bgs.evaluation.readout.calibration import Reliability, calibration_error, error_if_perfect, reliability
from bgs.evaluation.readout.held_out import HeldOut, HeldOutTrials
from bgs.evaluation.readout.readout import Readout
from bgs.evaluation.resampling import clip_copies, percentile_interval
from bgs.evaluation.result import Metric
from bgs.judgments import Trials
from bgs.judgments.trials import KEPT_PAIR
from bgs.stimuli import StimulusSet

#: The level of prediction intervals.
LEVEL = 0.9
_ECE = "expected calibration error"
_PAIRS = "pairs of trials"
#: Probabilities, what happened, and how often each event is in each resample.
_Events = tuple[Float64[np.ndarray, " k"], Bool[np.ndarray, " k"], Float64[np.ndarray, "r k"]]


def measure(
    readout: Readout,
    embeddings: Embeddings,
    trials: Trials,
    stimuli: StimulusSet,
    *,
    centred: bool,
    resamples: int = 500,
    seed: int = 0,
) -> Readout:
    """The readout with its figures on test clips.

    ``kept together`` and ``odd one out``: calibration error of the probabilities, over trials that show two or three test
    clips, and what it would be if they were perfect; ``coverage``: share of ratings inside their 90 % intervals;
    ``flagged``: share of test clips said to be far from anything seen. Intervals resample test clips.

    Args:
        readout: fitted to training clips.
        embeddings: of training and test clips, by the finished model.
        trials: judgments of both.
        stimuli: with a split.
        centred: whether distances are measured from the mean of the training clips.
        resamples: bootstrap resamples of test clips.
        seed: of these.
    """
    test, judged = _test_trials(embeddings, trials, stimuli, centred)
    copies = clip_copies(len(test), resamples, seed)
    far = readout.familiarity.is_far(test.values)[:, None].astype(float)
    measured = {
        "flagged": _mean(far, copies, "share of test clips"),
        "coverage": _mean(_covered(readout, test, stimuli), copies, "share of ratings of test clips"),
    }
    if judged.held_pairs.any():
        measured |= _calibration("kept together", _kept(readout, judged, copies), _PAIRS)
        chosen = readout.choice.probabilities(judged.distances)
        weights = np.repeat(_trial_weights(copies, judged.clips), 3, axis=1)
        measured |= _calibration(
            "odd one out", (chosen.ravel(), judged.kept.ravel(), weights), "clips of trials"
        )
    return replace(readout, measured={name: metric for name, metric in measured.items() if metric.n})


def kept_together_reliability(
    readout: Readout,
    embeddings: Embeddings,
    trials: Trials,
    stimuli: StimulusSet,
    *,
    centred: bool,
    resamples: int = 500,
    seed: int = 0,
) -> list[Reliability]:
    """How often test clips were kept together, by the probability of it, in bins of equal size; arguments as :func:`measure`."""
    test, judged = _test_trials(embeddings, trials, stimuli, centred)
    return reliability(*_kept(readout, judged, clip_copies(len(test), resamples, seed)), unit=_PAIRS)


def _test_trials(
    embeddings: Embeddings, trials: Trials, stimuli: StimulusSet, centred: bool
) -> tuple[Embeddings, HeldOutTrials]:
    """Embeddings of the test clips, and trials that show two or three of them."""
    ids = np.array(stimuli.ids)
    train, test = (embeddings.select(tuple(ids[side].tolist())) for side in (stimuli.train, stimuli.test))
    return test, HeldOut(train, test, centred).trials(trials, stimuli)


def _kept(readout: Readout, judged: HeldOutTrials, copies: Float64[np.ndarray, "r n"]) -> _Events:
    """Probability that a pair of test clips is kept together, whether it was, and how often it is in each resample."""
    pairs = judged.held_pairs
    first, second = _pair_clips(judged.clips)
    weights = copies[:, first[pairs]] * copies[:, second[pairs]]
    return readout.kept.probability(judged.distances[pairs]), judged.kept[pairs], weights


def _pair_clips(clips: Int[np.ndarray, "t 3"]) -> tuple[Int[np.ndarray, "t 3"], Int[np.ndarray, "t 3"]]:
    """Clips of the pair that is kept together when slot 0, 1 or 2 is odd."""
    first, second = np.array(KEPT_PAIR).T
    return clips[:, first], clips[:, second]


def _trial_weights(
    copies: Float64[np.ndarray, "r n"], clips: Int[np.ndarray, "t 3"]
) -> Float64[np.ndarray, "r t"]:
    """How often a trial is in a resample: the product of its held-out clips' copies."""
    one = np.concatenate(
        [copies, np.ones((len(copies), 1))], axis=1
    )  # −1, the last: a clip that is not resampled
    found: Float64[np.ndarray, "r t"] = one[:, clips].prod(axis=2)
    return found


def _covered(readout: Readout, test: Embeddings, stimuli: StimulusSet) -> Float64[np.ndarray, "n a"]:
    """1 where a rating is inside its interval, 0 where it is not, NaN where there is no rating."""
    at = stimuli.positions(test.stimulus_ids)
    columns = []
    for one in readout.attributes:
        error = np.abs(stimuli.ratings[one.name][at] - one.probe.predict(test.values))
        columns.append(np.where(np.isfinite(error), error <= one.half_width(LEVEL), np.nan))
    return np.stack(columns, axis=1) if columns else np.full((len(test), 1), np.nan)


def _mean(values: Float64[np.ndarray, "n a"], copies: Float64[np.ndarray, "r n"], unit: str) -> Metric:
    """Mean over all entries that are known; the interval resamples rows."""
    known = np.isfinite(values)
    if not known.any():
        return Metric(np.nan, np.nan, np.nan, 0, unit)
    total, number = np.where(known, values, 0.0).sum(axis=1), known.sum(axis=1).astype(float)
    value = float(total.sum() / number.sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        draws = (copies @ total) / (copies @ number)
    return Metric(value, *percentile_interval(draws, value, (0.0, 1.0)), int(known.sum()), unit)


def _calibration(name: str, events: _Events, unit: str) -> dict[str, Metric]:
    """The calibration error, and what it would be for perfect probabilities of the same number of events."""
    p, happened, weights = events
    value, none, unit = float(calibration_error(p, happened)[0]), float("nan"), f"{_ECE}, {unit}"
    interval = percentile_interval(calibration_error(p, happened, weights), value, (0.0, 1.0))
    return {
        name: Metric(value, *interval, len(p), unit),
        f"{name}, if perfect": Metric(error_if_perfect(p), none, none, len(p), unit),
    }
