"""A model as everyday use needs it: the encoder, what is subtracted from its embeddings, and who it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bgs._errors import BgsError, DataError
from bgs._typing import Float, Float64
from bgs.backbones import Backbone
from bgs.backbones.adapter_about import read_about
from bgs.backbones.registry import load_shared
from bgs.backbones.shared_folder import SharedFolder, open_shared
from bgs.backbones.shared_reference import parse_shared
from bgs.embeddings import Embeddings
from bgs.evaluation.readout import Readout
from bgs.runs.embedder import Embedder, open_backbone, placed
from bgs.runs.identity import model_identity
from bgs.runs.quiet import quiet_libraries
from bgs.runs.run_folder import RunFolder, read_center
from bgs.stimuli import StimulusSet


@dataclass(frozen=True)
class OpenedModel:
    """A loaded encoder.

    Attributes:
        reference: what it was loaded from.
        backbone: the encoder.
        center: (d,) subtracted from embeddings before distances are computed: the mean of the training clips, for a run
            that was evaluated with centring. None: nothing is subtracted.
        identity: SHA-256 of everything that determines its distances: weights, settings, adapter and centre. Two models
            with the same identity give the same vectors, wherever they were loaded from.
        readout: probabilities, ratings and familiarity; None for a model that was not calibrated.
    """

    reference: str
    backbone: Backbone
    center: Float64[np.ndarray, " d"] | None
    identity: str
    readout: Readout | None = None

    def need_readout(self) -> Readout:
        """The readout.

        Raises:
            BgsError: the model has none.
        """
        if self.readout is None:
            raise BgsError(
                "this model has no readout: it cannot say how sure it is", where=self.reference,
                expected="a run, or a model shared from one, that was calibrated on judgments", hint="bgs calibrate RUN",
            )  # fmt: skip
        return self.readout

    def embed(self, stimuli: StimulusSet, micro_batch: int = 64, skip_bad: bool = False) -> Embeddings:
        """One vector per stimulus, as the encoder gives it.

        Raises:
            DataError: stimuli cannot be read.
        """
        return Embedder(self.backbone, stimuli, micro_batch, skip_bad).embed(self.reference)

    def centred(self, values: Float[np.ndarray, "n d"]) -> Float64[np.ndarray, "n d"]:
        """Vectors whose cosine distances are the model's: ``values`` minus :attr:`center`."""
        wide = values.astype(np.float64)
        return wide if self.center is None else wide - self.center


def open_model(reference: str, device: str = "auto", precision: str = "auto") -> OpenedModel:
    """Load a model by its reference; see :func:`bgs.backbones.load_backbone`.

    Raises:
        ConfigError: unknown model, device or precision.
        BgsError: the model cannot be loaded.
    """
    shared = parse_shared(reference)
    if shared is not None:
        return _open_shared(reference, open_shared(shared), device, precision)
    backbone = open_backbone(reference, device, precision)
    family, _, folder = reference.partition(":")
    if family != "run":
        return OpenedModel(reference, backbone, None, _identity(backbone, None, None))
    run = RunFolder(folder)
    readout = run.readout if run.readout.is_dir() else None
    return _tuned(reference, backbone, run.adapter, run.read_center(), readout)


def _open_shared(reference: str, shared: SharedFolder, device: str, precision: str) -> OpenedModel:
    quiet_libraries()
    backbone = placed(load_shared(shared), device, precision)
    center = None if shared.center is None else read_center(shared.center)
    return _tuned(reference, backbone, shared.path, center, shared.readout)


def _tuned(
    reference: str,
    backbone: Backbone,
    adapter: Path,
    center: Float64[np.ndarray, " d"] | None,
    readout: Path | None,
) -> OpenedModel:
    """A model with the adapter, the centre and the folder of the readout that belong to it."""
    if center is not None and len(center) != backbone.width:
        raise DataError(
            "this centre belongs to another model", where=reference,
            expected=f"{backbone.width} dimensions", got=len(center),
        )  # fmt: skip
    identity = _identity(backbone, read_about(adapter), center)
    found = None if readout is None else Readout.load(readout, backbone.width)
    return OpenedModel(reference, backbone, center, identity, found)


def _identity(
    backbone: Backbone, about: Mapping[str, object] | None, center: Float64[np.ndarray, " d"] | None
) -> str:
    spec = backbone.spec
    return model_identity(spec.family, spec.source, spec.revision, spec.settings(), about, center)
