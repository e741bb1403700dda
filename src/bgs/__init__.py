"""bgs: teach encoders to see social video the way people do, and measure how well they do.

Importing this package loads nothing heavy: public names are resolved on first use.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "BgsError": "bgs._errors",
    "Embeddings": "bgs.embeddings",
    "StimulusSet": "bgs.stimuli",
    "Trials": "bgs.judgments",
    "PairCounts": "bgs.judgments",
    "Geometry": "bgs.judgments",
    "human_rdm": "bgs.judgments",
    "choice_model_rdm": "bgs.judgments",
    "ordinal_embedding": "bgs.judgments",
    "load_dataset": "bgs.datasets",
    "evaluate": "bgs.evaluation",
    "load_backbone": "bgs.backbones",
}
__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'bgs' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
