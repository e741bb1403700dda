"""Training from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bgs._config import merge, read_settings, validate
from bgs._errors import ConfigError
from bgs._files import read_json
from bgs.api.evaluating import Evaluation
from bgs.api.model import Model, load_model
from bgs.datasets import Dataset
from bgs.embeddings import Embeddings
from bgs.evaluation import Result
from bgs.runs.run_folder import RunFolder
from bgs.training import TrainingConfig, load_config

if TYPE_CHECKING:
    from bgs.runs import CrossValidation


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        folder: its folder on disk.
        device: where :attr:`model` is loaded.
    """

    folder: RunFolder
    device: str = field(default="auto", compare=False)

    @property
    def path(self) -> Path:
        """Path of the run folder."""
        return self.folder.path

    @cached_property
    def config(self) -> TrainingConfig:
        """The resolved configuration."""
        return load_config(self.folder.config)

    @cached_property
    def evaluation(self) -> Evaluation:
        """The tuned model on held-out stimuli, beside the base model and the noise ceiling."""
        found = read_json(self.folder.evaluation)
        return Evaluation(tuple(Result.from_json(result) for result in found.values()), ("tuned", "base"))

    @cached_property
    def base(self) -> Embeddings:
        """Embeddings of all stimuli before training."""
        return Embeddings.load(self.folder.embeddings("base"))

    @cached_property
    def tuned(self) -> Embeddings:
        """Embeddings of all stimuli after training."""
        return Embeddings.load(self.folder.embeddings("tuned"))

    @cached_property
    def model(self) -> Model:
        """The tuned model, loaded on first access."""
        return load_model(f"run:{self.path}", device=self.device)

    @property
    def epochs(self) -> list[dict[str, Any]]:
        """The training log, one entry per epoch: losses, learning rate, validation."""
        return self.folder.read_metrics()

    def __str__(self) -> str:
        return f"{self.path}\n{self.evaluation}"

    def _repr_html_(self) -> str:
        return self.evaluation._repr_html_()


def load_run(path: str | Path, *, device: str = "auto") -> Run:
    """Load a finished run of ``bgs train`` or :func:`train`.

    Raises:
        BgsError: the folder holds no run, or an unfinished one.
    """
    folder = RunFolder(path)
    if folder.is_shared or not folder.evaluation.is_file():
        raise folder.unfinished()
    return Run(folder, device)


def train(
    model: Model | str | None = None,
    data: Dataset | str | Path | None = None,
    *,
    out: str | Path,
    config: str | Path | None = None,
    overrides: Sequence[str] = (),
    mirror: str | Path | None = None,
    **settings: Any,
) -> Run | CrossValidation:
    """Tune an encoder on human judgments, and evaluate base and tuned model on held-out stimuli.

    ``bgs.train("text:minilm", "garcia-isik-2025", out="runs/minilm", epochs=30)`` is
    ``bgs train CONFIG --out runs/minilm`` with these keys in CONFIG. Called again with the same settings, an interrupted
    run is resumed and gives the same numbers as an uninterrupted one.

    Args:
        model: a model or its reference; the key ``model``. A fresh copy is loaded and tuned; the given model is unchanged.
        data: a data set, its name or folder; the key ``data``.
        out: run folder to write.
        config: a YAML file with more keys.
        overrides: ``key.sub=value``; these replace values in the file.
        mirror: folder with a mirror of the authors' repositories.
        settings: further keys of a training configuration (:class:`bgs.training.TrainingConfig`), which take precedence:
            ``epochs=30, lora={"rank": 4}``.

    Returns:
        The run; with ``cross_validation``, the pooled results.

    Raises:
        BgsError: invalid settings, data or folder; these are checked before anything is written.
    """
    from bgs.backbones.processes import joined
    from bgs.runs import cross_validate, run_training

    dataset = data if isinstance(data, Dataset) else None
    with joined() as processes:
        with processes.together():
            asked = _asked(model, data, config, overrides, settings)
        if asked.cross_validation is not None:
            return cross_validate(asked, out, mirror=mirror, dataset=dataset)
        run_training(asked, out, mirror=mirror, dataset=dataset)
    return Run(RunFolder(out), asked.device)


def _asked(
    model: Model | str | None,
    data: Dataset | str | Path | None,
    config: str | Path | None,
    overrides: Sequence[str],
    settings: Mapping[str, Any],
) -> TrainingConfig:
    """The configuration that the arguments of :func:`train` make together."""
    given = merge(read_settings(config, overrides), settings)
    if model is not None:
        given["model"] = model.reference if isinstance(model, Model) else model
    if isinstance(model, Model):
        given.setdefault("device", str(model.backbone.device))
    if data is not None:
        given["data"] = data.reference if isinstance(data, Dataset) else str(data)
    if isinstance(data, Dataset) and given.get("judgments"):
        raise ConfigError(
            "these trials are already loaded",
            where="judgments",
            hint="bgs.load_dataset(…, options=TrialOptions(…))",
        )
    return validate(TrainingConfig, given, where=config or "settings")
