"""Shapes and types are checked in every test; real data come from a mirror or the download cache."""

from __future__ import annotations

import os
import signal
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tiny networks: threads would only wait for each other

# A script's `&` starts with interrupts ignored, and so would all processes that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import hypothesis
import pytest
from jaxtyping import install_import_hook

# How long an example takes depends on the machine, not on what is tested.
hypothesis.settings.register_profile("bgs", deadline=None)
hypothesis.settings.load_profile("bgs")

_HOOK = install_import_hook("bgs", "beartype.beartype")

# Random weights are "loaded" hundreds of times; nobody watches their progress bars.
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

MIRROR = Path(os.environ["BGS_DATA_MIRROR"]).resolve() if os.environ.get("BGS_DATA_MIRROR") else None
if MIRROR is not None:
    os.environ["BGS_DATA_MIRROR"] = str(MIRROR)  # absolute: tests change the working directory
REAL_DATA_REQUIRED = os.environ.get("BGS_REQUIRE_REAL_DATA") == "1"


@pytest.fixture(scope="session", autouse=True)
def _private_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test reads or writes the user's own cache."""
    os.environ["BGS_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The folder of published files; without one the test is skipped, or fails where real data are required."""
    if MIRROR is not None and MIRROR.is_dir():
        return MIRROR
    message = "skipped: no real data (set BGS_DATA_MIRROR to a mirror of the authors' repositories)"
    if REAL_DATA_REQUIRED:
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def all_heider_simmel_clips(mirror: Path) -> Path:
    """A mirror with the 1,156 clips of heider-simmel-verbs (195 MB); without them the test is skipped, or fails where
    ``BGS_REQUIRE_ALL_CLIPS=1`` asks for them."""
    from bgs.datasets.registry import HEIDER_SIMMEL_VERBS as CARD

    if (mirror / CARD.folder / CARD.clip_folder).is_dir():
        return mirror
    message = "skipped: the mirror lacks the clips of heider-simmel-verbs (lay out the folder of its card)"
    if os.environ.get("BGS_REQUIRE_ALL_CLIPS") == "1":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def garcia(mirror: Path):
    """The data set garcia-isik-2025, as published."""
    from bgs.datasets import load_dataset

    return load_dataset("garcia-isik-2025", mirror=mirror)


@pytest.fixture(scope="session")
def tiny_text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a random sentence encoder: BERT with 3 layers of width 32, dropout on, mean pooling, unit length."""
    import torch

    from tiny_models import save_tiny_text

    torch.set_num_threads(1)  # width 32: a second thread costs more than it brings
    return save_tiny_text(tmp_path_factory.mktemp("tiny-text"))


@pytest.fixture(scope="session")
def small_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder data set: 30 captioned stimuli in three kinds, 10 held out, 600 judgments that follow the kinds."""
    from tiny_models import save_small_study

    return save_small_study(tmp_path_factory.mktemp("study"))
