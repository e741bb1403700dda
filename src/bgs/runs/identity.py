"""Who a model is: SHA-256 of everything that determines its vectors; known without torch where an adapter says it all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bgs._files import sha256_of
from bgs._typing import Float64
from bgs.backbones.adapter_about import read_about
from bgs.runs.run_folder import read_center


def model_identity(
    family: str,
    source: str,
    revision: str,
    settings: Mapping[str, Any],
    about: Mapping[str, Any] | None = None,
    center: Float64[np.ndarray, " d"] | None = None,
) -> str:
    """The identity of a model.

    Args:
        family, source, revision, settings: of its encoder; see :class:`bgs.backbones.backbone.BackboneSpec`.
        about: ``bgs.json`` of its adapter; None for a model that was not tuned.
        center: (d,) what is subtracted from its embeddings.
    """
    kind = family if revision else source  # without weights, the name is all there is
    adapter = (
        {} if about is None else {key: about.get(key) for key in ("lora", "head", "transform", "sha256")}
    )
    text = json.dumps([kind, revision, settings, adapter], sort_keys=True)
    return sha256_of(text, b"" if center is None else center.tobytes())


def tuned_identity(adapter: Path, center: Path | None) -> str:
    """The identity of a tuned model that is not loaded.

    Args:
        adapter: its folder.
        center: the file with its centre.

    Raises:
        DataError: a file is damaged.
    """
    about = read_about(adapter)
    encoder = (about["family"], about["model"], about["revision"], about["settings"])
    return model_identity(*encoder, about, None if center is None else read_center(center))
