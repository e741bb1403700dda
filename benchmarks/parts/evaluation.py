"""(e) Evaluation beside rsatoolbox, beside a plain loop and beside one line of numpy, and the memory it takes.

- A clip bootstrap of a Spearman RSA: one fixed model against one RDM of human dissimilarities with the ties of counts.
  rsatoolbox's ``eval_bootstrap_pattern`` runs with ``method="spearman"`` and without its noise ceiling; like ours it leaves
  out the pairs of an item with its own copy. The loop is what one would write with scipy: it draws clips, lists their
  pairs, and ranks both sides. All three include all preparation; a thousand resamples are half of what an interval takes by
  default.
- Odd-one-out accuracy, three-way and two-way, beside one line that scores three-way and ignores ties.
- ``evaluate`` as a whole, with a p-value from permutations, of SIMULATED choices, in a process of its own.

Times are those of the processor, which a busy machine distorts least; all of this runs on one core.
"""

from __future__ import annotations

import contextlib
import io
import time
from dataclasses import dataclass
from functools import partial

import numpy as np

from bgs._rng import generator
from bgs.embeddings import Embeddings
from bgs.evaluation import evaluate, model_rdm, pair_vector, trial_scores
from bgs.evaluation.resampled_spearman import ResampledSpearman
from bgs.evaluation.resampling import multiplicities
from bgs.evaluation.rsa import dense_ranks
from bgs.judgments import Trials
from bgs.stimuli import StimulusSet
from parts.rows import Row, Spread, Target
from parts.timing import alone, in_turns, peak_megabytes, ratio_row, seconds


@dataclass(frozen=True)
class Whole:
    """A whole evaluation, and bounds on its seconds and megabytes."""

    clips: int
    trials: int
    permutations: int
    most_seconds: float | None = None
    most_megabytes: float | None = None


@dataclass(frozen=True)
class Size:
    """Resamples by clips, trials of the odd-one-out accuracy, whole evaluations, rounds."""

    resamples: dict[int, int]
    trials: int
    wholes: tuple[Whole, ...]
    repeats: int


PUBLISHED = Whole(250, 47_126, 1000, most_seconds=15)
SIZES = {
    "full": Size(
        {50: 1000, 250: 1000}, 47_126, (PUBLISHED, Whole(1854, 1_000_000, 10, most_megabytes=1000)), 7
    ),
    "quick": Size({50: 200, 250: 20}, 47_126, (PUBLISHED,), 3),
    "smallest": Size({12: 20}, 500, (Whole(12, 600, 20),), 1),
}


def measure(size: str) -> list[Row]:
    """Rows of this part."""
    wanted = SIZES[size]
    rows = [row for n, count in wanted.resamples.items() for row in bootstrap(n, count, wanted.repeats)]
    return [*rows, odd_one_out(wanted), *(row for whole in wanted.wholes for row in evaluated(whole))]


def made_up(n: int) -> tuple[np.ndarray, np.ndarray]:
    """(n, n) model distances, and human dissimilarities from 1 to 12 showings of each pair."""
    rng = generator(0, "clip bootstrap", n)
    positions = rng.normal(size=(n, 5))
    model = model_rdm(positions + rng.normal(size=positions.shape))
    shown = rng.integers(1, 13, size=(n, n))
    human = 1 - rng.binomial(shown, 1 - model_rdm(positions) / 2) / shown
    return model, np.triu(human, 1) + np.triu(human, 1).T


def ours(model: np.ndarray, human: np.ndarray, resamples: int) -> np.ndarray:
    """(resamples,) Spearman correlations over resamples of clips."""
    first, second = np.triu_indices(len(model), 1)
    ranked = ResampledSpearman.of(dense_ranks(pair_vector(model))[None], dense_ranks(pair_vector(human)))
    copies = multiplicities(generator(0, "bootstrap"), len(model), resamples)
    return ranked.over_clips(copies, first, second)[:, 0]


def plain_loop(model: np.ndarray, human: np.ndarray, resamples: int) -> np.ndarray:
    """The same, a resample after the other, with its pairs written out."""
    from scipy.stats import rankdata

    rng, draws = generator(0, "bootstrap"), np.empty(resamples)
    first, second = np.triu_indices(len(model), 1)
    for k in range(resamples):
        clips = rng.integers(len(model), size=len(model))
        a, b = clips[first], clips[second]
        a, b = a[a != b], b[a != b]
        draws[k] = np.corrcoef(rankdata(model[a, b]), rankdata(human[a, b]))[0, 1]
    return draws


def rsatoolbox(model: np.ndarray, human: np.ndarray, resamples: int) -> np.ndarray:
    """The same with rsatoolbox, from its own random numbers."""
    from rsatoolbox.inference import eval_bootstrap_pattern
    from rsatoolbox.model import ModelFixed
    from rsatoolbox.rdm import RDMs

    fixed, data = ModelFixed("model", pair_vector(model)), RDMs(pair_vector(human)[None])
    with contextlib.redirect_stderr(io.StringIO()):  # its progress bar
        result = eval_bootstrap_pattern(fixed, data, method="spearman", N=resamples, boot_noise_ceil=False)
    return np.asarray(result.evaluations).ravel()


def choices(n_clips: int, n_trials: int) -> tuple[StimulusSet, Trials, Embeddings]:
    """SIMULATED choices by 1 participant for each 200 trials, and embeddings that know something of them."""
    rng = generator(0, "choices", n_clips)
    points = rng.normal(size=(n_clips, 8))
    a = rng.integers(n_clips, size=n_trials)
    b = (a + rng.integers(1, n_clips // 2, size=n_trials)) % n_clips
    c = (b + rng.integers(1, n_clips // 2, size=n_trials)) % n_clips  # the third is never the first again
    apart = [((points[x] - points[y]) ** 2).sum(axis=1) for x, y in ((b, c), (a, c), (a, b))]
    odd = (np.stack(apart) + 4 * rng.normal(size=(3, n_trials))).argmin(axis=0)
    people = np.array([f"p{k:05}" for k in range(n_trials // 200 + 1)])[np.arange(n_trials) // 200]
    block, nothing = np.full(n_trials, "b"), np.full(n_trials, np.nan)
    stimuli = np.stack([a, b, c], axis=1)
    trials = Trials(people, block, np.arange(n_trials), stimuli, odd, nothing, n_clips)
    ids = tuple(f"clip {k:04}" for k in range(n_clips))
    values = (points + rng.normal(size=points.shape)).astype(np.float32)
    return StimulusSet(ids), trials, Embeddings(values, ids, "made up")


def one_line(rdm: np.ndarray, i: np.ndarray, j: np.ndarray, k: np.ndarray, odd: np.ndarray) -> float:
    """Three-way accuracy as one would write it."""
    return float(np.mean(np.argmin([rdm[j, k], rdm[i, k], rdm[i, j]], axis=0) == odd))


def bootstrap(n: int, resamples: int, repeats: int) -> list[Row]:
    """Time a resample; mean and deviation of the draws show that all three compute the same."""
    sides = made_up(n)
    competitors = {way.__name__: partial(way, *sides, resamples) for way in (ours, plain_loop, rsatoolbox)}
    draws = {name: run() for name, run in competitors.items()}
    if not np.allclose(draws["ours"], draws["plain_loop"], atol=1e-12):
        raise AssertionError("the fast bootstrap differs from the loop")
    spent = in_turns(competitors, repeats, time.process_time)
    more = {"mean and sd": {name: [float(np.nanmean(d)), float(np.nanstd(d))] for name, d in draws.items()}}
    return [
        ratio_row(
            f"e: {name}, {n} clips", f"a clip-bootstrap resample of a Spearman RSA, {n} clips, beside {name}", spent["ours"],
            spent[way], target, scale=1e6 / resamples, unit="µs", more=more,
        )
        for name, way, target in (("rsatoolbox", "rsatoolbox", Target("≥", 50)), ("a plain loop", "plain_loop", None))
    ]  # fmt: skip


def odd_one_out(size: Size) -> Row:
    """Scores of trials beside one line."""
    clips = max(size.resamples)
    _, trials, embeddings = choices(clips, size.trials)
    rdm, shown = model_rdm(embeddings.values), trials.stimuli.T
    competitors = {
        "ours": lambda: trial_scores(rdm, trials.stimuli, trials.odd),
        "numpy": lambda: one_line(rdm, *shown, trials.odd),
    }
    spent = in_turns(competitors, 5 * size.repeats, time.process_time, times=20)  # short, so it costs little
    what = f"odd-one-out scores, three-way and two-way, of {size.trials:,} trials beside one line of numpy, three-way only"
    return ratio_row(
        "e: odd one out", what, spent["ours"], spent["numpy"], Target("≥", 1), scale=1e3, unit="ms"
    )


def evaluated(whole: Whole) -> list[Row]:
    """Seconds and peak memory of an evaluation."""
    spent, peak = alone(evaluate_all, whole)
    sizes = f"{whole.clips:,} clips, {whole.trials:,} trials, {whole.permutations:,} permutations"
    bounds = [most and Target("≤", most) for most in (whole.most_seconds, whole.most_megabytes)]
    return [
        Row(f"e: evaluate {whole.clips}", f"`evaluate`, {sizes}", Spread.of([spent]), "s", target=bounds[0]),
        Row(
            f"e: memory {whole.clips}",
            "its peak memory, Python and data included",
            Spread.of([peak]),
            "MB",
            target=bounds[1],
        ),
    ]


def evaluate_all(whole: Whole) -> tuple[float, float]:
    """Processor seconds of one evaluation, and peak megabytes of this process."""
    stimuli, trials, embeddings = choices(whole.clips, whole.trials)
    permutations = whole.permutations
    spent = seconds(
        lambda: evaluate(embeddings, stimuli, trials, protocol="all", permutations=permutations),
        time.process_time,
    )
    return spent, peak_megabytes()
