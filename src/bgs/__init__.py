"""bgs: teach encoders to see social video the way people do, and measure how well they do.

Importing this package loads nothing heavy: public names are resolved on first use.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

#: Public name -> the module that defines it.
_PUBLIC = {
    "BgsError": "bgs._errors",
    "RDM": "bgs.judgments",
    "Dataset": "bgs.datasets",
    "Embeddings": "bgs.embeddings",
    "Evaluation": "bgs.api.evaluating",
    "Geometry": "bgs.judgments",
    "Model": "bgs.api.model",
    "PairCounts": "bgs.judgments",
    "Run": "bgs.api.training",
    "StimulusSet": "bgs.stimuli",
    "Study": "bgs.api.collecting",
    "TrialOptions": "bgs.judgments",
    "Trials": "bgs.judgments",
    "audit": "bgs.api.auditing",
    "benchmark": "bgs.api.benchmarking",
    "browse": "bgs.api.browsing",
    "calibrate": "bgs.api.describing",
    "choice_model_rdm": "bgs.judgments",
    "design": "bgs.api.designing",
    "detect_regions": "bgs.api.masks",
    "draw_phase_clips": "bgs.api.clips",
    "evaluate": "bgs.api.evaluating",
    "experiment": "bgs.api.experiments",
    "human_rdm": "bgs.judgments",
    "import_judgments": "bgs.datasets",
    "index": "bgs.api.indexing",
    "load_backbone": "bgs.backbones",
    "load_dataset": "bgs.datasets",
    "load_model": "bgs.api.model",
    "load_run": "bgs.api.training",
    "model_rdm": "bgs.evaluation",
    "open_index": "bgs.library",
    "ordinal_embedding": "bgs.judgments",
    "plant": "bgs.api.planting",
    "real_quickstart": "bgs.api.quickstarts",
    "report": "bgs.api.experiments",
    "similar": "bgs.api.indexing",
    "share": "bgs.api.sharing",
    "select": "bgs.api.selecting",
    "simulated_quickstart": "bgs.api.quickstarts",
    "train": "bgs.api.training",
}
#: Packages that resolve as attributes.
_PACKAGES = (
    "backbones",
    "benchmarks",
    "collection",
    "datasets",
    "detectors",
    "evaluation",
    "experiments",
    "judgments",
    "library",
    "objective",
    "reports",
    "runs",
    "simulation",
    "stimuli",
    "training",
)
__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return import_module(f"bgs.{name}")
    if name not in _PUBLIC:
        raise AttributeError(f"module 'bgs' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, *_PACKAGES])
