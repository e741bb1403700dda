"""Small trial tables, made by hand or drawn by hypothesis."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from bgs.judgments import Trials


def make_trials(stimuli: np.ndarray, odd: np.ndarray, n_stimuli: int) -> Trials:
    n = len(stimuli)
    return Trials(
        participant=np.array([f"p{i % 3}" for i in range(n)], dtype=np.str_),
        block=np.array(["b"] * n, dtype=np.str_),
        trial=np.arange(n),
        stimuli=np.asarray(stimuli, dtype=np.int64).reshape(-1, 3),
        odd=np.asarray(odd, dtype=np.int64),
        rt=np.full(n, np.nan),
        n_stimuli=n_stimuli,
    )


@st.composite
def any_trials(draw: st.DrawFn) -> Trials:
    """Trials over 3 to 8 stimuli, attention checks and degenerate trials among them."""
    n_stimuli = draw(st.integers(3, 8))
    slot = st.integers(0, n_stimuli - 1)
    rows = draw(st.lists(st.tuples(slot, slot, slot, st.integers(0, 2)), max_size=30))
    table = np.array(rows, dtype=np.int64).reshape(-1, 4)
    return make_trials(table[:, :3], table[:, 3], n_stimuli)
