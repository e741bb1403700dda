"""Silences the progress bars of third-party libraries, since we show our own."""

from __future__ import annotations

import os


def quiet_libraries() -> None:
    """Silence transformers' loading bars and the tokenizers' fork warning; call before they are imported."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
