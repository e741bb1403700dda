"""Single runs: a study, one model tuned on it or cross-validated, its embeddings and attention maps.

Used by the commands, the Python interface and the grid of an experiment; independent of the grid.
"""

from typing import TYPE_CHECKING

from bgs._lazy import lazy

if TYPE_CHECKING:
    from bgs.runs.cross_validation import CrossValidation, cross_validate
    from bgs.runs.embedder import Embedder, embed_stimuli
    from bgs.runs.run import run_training
    from bgs.runs.run_folder import RunFolder
    from bgs.runs.study import Study, load_study

__all__ = [
    "CrossValidation",
    "Embedder",
    "RunFolder",
    "Study",
    "cross_validate",
    "embed_stimuli",
    "load_study",
    "run_training",
]

__getattr__ = lazy(
    __name__,
    {
        "cross_validation": ("CrossValidation", "cross_validate"),
        "embedder": ("Embedder", "embed_stimuli"),
        "run": ("run_training",),
        "run_folder": ("RunFolder",),
        "study": ("Study", "load_study"),
    },
)
