"""The folder of an experiment: its configuration, data, shared embeddings, cells, comparisons, results."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from bgs._errors import BgsError
from bgs._files import (
    damage_as_error,
    is_empty,
    read_json,
    remove_scraps,
    require_output,
    write_json,
    write_text,
)
from bgs._progress import note
from bgs._yaml import read_mapping
from bgs.datasets import REGISTRY, load_dataset
from bgs.experiments.config import ExperimentConfig
from bgs.experiments.simulated import write_simulated
from bgs.runs.origins import git_commit, hardware, provenance
from bgs.runs.resuming import require_same, require_same_origin
from bgs.runs.study import Study, new_study

#: Sections that may change between two calls: no cell depends on them.
_FREE = {"analyses", "report"}


class ExperimentFolder:
    """Where an experiment stores its files; every file is written atomically.

    ``experiment.yaml``, ``provenance.json``, ``data/`` (simulated), ``shared/*.safetensors``,
    ``cells/<model>/<condition>/seed-<k>/``, ``comparisons/``, ``analyses/<name>.json``, ``results.json``,
    ``report.html`` with ``report/``.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.config = self.path / "experiment.yaml"
        self.provenance = self.path / "provenance.json"
        self.data = self.path / "data"
        self.shared = self.path / "shared"
        self.cells = self.path / "cells"
        self.comparisons = self.path / "comparisons"
        self.analyses = self.path / "analyses"
        self.results = self.path / "results.json"
        self.report = self.path / "report.html"

    def check(self, config: ExperimentConfig) -> None:
        """Check that the folder is new, or holds an experiment of this configuration, with fewer models, conditions or seeds
        perhaps.

        Raises:
            BgsError: it holds something else.
            ConfigError: it holds an experiment of another configuration (the first differing key is named).
        """
        require_output(self.config)
        if self.config.is_file():
            if not self._begun():  # nothing was made from it yet: it may still be corrected
                return
            before, now = _binding(read_mapping(self.config), config.model_dump(mode="json"))
            require_same(before, now, "experiment", self.config)
        elif not is_empty(self.path):
            raise BgsError(
                "output folder is not empty", where=self.path, expected="a new folder or an experiment"
            )

    def open(self, config: ExperimentConfig, mirror: str | Path | None = None) -> Study:
        """Begin or resume an experiment, as the only process in its folder; simulated data are made first.

        Raises:
            BgsError: see :meth:`check`; the data cannot be loaded, or are others than those it was begun with.
        """
        self.check(config)
        remove_scraps(self.path)
        if config.simulate is None:
            study = load_experiment_study(config, str(config.data), mirror)
            self._write_config(config)
        else:
            self._write_config(config)
            self._simulate(config)
            study = load_experiment_study(config, self.data_reference(config))
        self._keep_provenance(study)
        return study

    def _begun(self) -> bool:
        return any(path.exists() for path in (self.data, self.shared, self.cells))

    def data_reference(self, config: ExperimentConfig) -> str:
        """Reference by which cells load their data: the simulated folder, or what the configuration names."""
        return str(self.data.resolve()) if config.simulate is not None else str(config.data)

    def _write_config(self, config: ExperimentConfig) -> None:
        if not self._begun():
            self.provenance.unlink(missing_ok=True)
        write_text(self.config, config.to_yaml())

    def _simulate(self, config: ExperimentConfig) -> None:
        assert config.simulate is not None
        if self.data.is_dir():
            return
        half = self.path / ".data.part"
        shutil.rmtree(half, ignore_errors=True)
        write_simulated(config.simulate, half)
        os.replace(half, self.data)

    def _keep_provenance(self, study: Study) -> None:
        if self.provenance.is_file():
            self.require_same_data(study)
            return
        data = study.dataset
        own = data.folder if data.name not in REGISTRY and data.folder != self.data.resolve() else None
        about = provenance(
            data=data.name, simulated=data.simulated, data_hashes=study.hashes(), data_files=dict(data.hashes),
            data_folder=None if own is None else str(own.resolve()), hardware=hardware(), git_commit=git_commit(),
            **data.about_trials(),
        )  # fmt: skip
        write_json(self.provenance, about)

    def found_data(self, config: ExperimentConfig) -> str:
        """Reference to the data from anywhere: a path in the configuration is relative to where the experiment was begun.

        That is on record; where it is not (an older version began it) or the folder has moved, the path is looked for
        from here and from every folder around the experiment. Whether these are the data, their hashes tell.
        """
        if config.data is None or config.data in REGISTRY:
            return self.data_reference(config)
        recorded = read_json(self.provenance).get("data_folder") if self.provenance.is_file() else None
        around = [str(above / config.data) for above in self.path.resolve().parents]
        places = [recorded or config.data, config.data, *around]
        return next((place for place in places if Path(place).is_dir()), config.data)

    def require_same_data(self, study: Study) -> None:
        """Check that the data are those with which the experiment was begun.

        Raises:
            BgsError: they are others, or nothing says which they were.
        """
        if not self.provenance.is_file():
            raise BgsError("no experiment was begun here", where=self.path, expected=self.provenance.name)
        with damage_as_error(self.provenance, "take a new folder"):
            before = dict(read_json(self.provenance)["data_hashes"])
        require_same_origin(before, study.hashes(), "experiment", self.provenance)


def _binding(before: dict[str, Any], now: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of two configurations what must be the same: a grid may grow, since its finished cells stay what they are."""
    free = _FREE | {key for key in ("models", "conditions", "seeds") if _contains(now[key], before.get(key))}
    return tuple({k: v for k, v in config.items() if k not in free} for config in (before, now))  # type: ignore[return-value]


def _contains(now: Any, before: Any) -> bool:
    if isinstance(before, dict):
        return all(now.get(name) == settings for name, settings in before.items())
    # All cells are evaluated with the first seed.
    return isinstance(before, list) and now[:1] == before[:1] and set(before) <= set(now)


def load_experiment_study(config: ExperimentConfig, data: str, mirror: str | Path | None = None) -> Study:
    """The study that all cells share; judgments from ratings are drawn once, with the first seed.

    Raises:
        BgsError: the data cannot be loaded, or there is nothing in them to train or to evaluate on.
    """
    model = next(iter(config.models))
    settings = config.training_config(model, config.conditions[0], config.seeds[0], data)
    dataset = load_dataset(data, mirror=mirror, options=settings.judgments.options())
    note(*dataset.notes)
    study = new_study(settings, dataset, mirror)
    study.to_train(settings)
    study.require_protocols(config.evaluation.protocols, "training.evaluation.protocols")
    return study
