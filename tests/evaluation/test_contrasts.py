"""Differences among many models are those that two models at a time give."""

from __future__ import annotations

import numpy as np
import pytest

from bgs import BgsError, Embeddings
from bgs.evaluation import contrasts, evaluate
from bgs.simulation import planted_dataset

STIMULI, TRIALS = planted_dataset(60, 2500, 12)


def noisy(scale: float) -> Embeddings:
    """What observers go by, and noise."""
    truth = np.stack(list(STIMULI.ratings.values()), axis=1)
    noise = scale * np.random.default_rng(int(100 * scale)).standard_normal(truth.shape)
    return Embeddings(truth + noise, STIMULI.ids, f"noise {scale}")


def test_every_pair_is_as_evaluated_by_itself():
    models = {name: noisy(scale) for name, scale in (("good", 0.1), ("fair", 0.4), ("bad", 2.0))}
    pairs = [("good", "bad"), ("fair", "good")]
    settings = {"protocol": "held-out-pairs", "center": True}
    found = contrasts(models, pairs, STIMULI, TRIALS, **settings)
    for (first, second), metrics in zip(pairs, found, strict=True):
        alone = evaluate(models[first], STIMULI, TRIALS, against=models[second], permutations=0, **settings)
        assert metrics.keys() == alone.differences.keys()
        for name, metric in alone.differences.items():
            for key in ("value", "low", "high"):
                assert getattr(metrics[name], key) == pytest.approx(getattr(metric, key), abs=1e-12)
    assert found[0]["rsa_spearman"].low > 0


def test_what_cannot_be_compared():
    assert contrasts({"a": noisy(1.0)}, [], STIMULI, TRIALS) == []
    with pytest.raises(BgsError, match="no such model to compare; expected a, got b"):
        contrasts({"a": noisy(1.0)}, [("a", "b")], STIMULI, TRIALS)
