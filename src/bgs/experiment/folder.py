"""The folder of an experiment: its configuration, data, shared embeddings, cells, comparisons, results."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import yaml

from bgs._errors import BgsError, ConfigError
from bgs._files import write_json, write_text
from bgs.datasets import load_dataset
from bgs.evaluation import select_protocol
from bgs.experiment.config import ExperimentConfig
from bgs.experiment.progress import print_once
from bgs.experiment.provenance import git_commit, hardware, provenance
from bgs.experiment.simulated import write_simulated
from bgs.experiment.study import Study, new_study
from bgs.judgments import split_validation
from bgs.training.run_folder import require_same

#: Sections that may change between two calls: no cell depends on them.
_FREE = {"analyses", "report"}


class ExperimentFolder:
    """Where an experiment keeps what it makes; every file is written whole.

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
        """See that the folder is new, or an experiment of this configuration.

        Raises:
            BgsError: it holds something else.
            ConfigError: it holds an experiment of another configuration (the first differing key is named).
        """
        if self.config.is_file():
            if not self._begun():  # nothing was made from it yet: it may still be corrected
                return
            before = _binding(yaml.safe_load(self.config.read_text(encoding="utf-8")))
            require_same(before, _binding(config.model_dump(mode="json")), "experiment", self.config)
        elif self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise BgsError(
                "output folder is not empty", where=self.path, expected="a new folder or an experiment"
            )

    def open(self, config: ExperimentConfig, mirror: Path | None = None) -> Study:
        """Begin an experiment, or go on with it; simulated data are made first.

        Raises:
            BgsError: see :meth:`check`; the data cannot be loaded, or are others than those it was begun with.
        """
        self.check(config)
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
        """What the cells load their data by: the simulated folder, or what the configuration names."""
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
        write_json(
            self.provenance,
            provenance(
                data=study.dataset.name, data_hashes=_data_hashes(study), data_files=dict(study.dataset.hashes),
                hardware=hardware(), git_commit=git_commit(), **study.dataset.about_trials(),
            ),
        )  # fmt: skip

    def require_same_data(self, study: Study) -> None:
        """See that data are those that the experiment was begun with.

        Raises:
            BgsError: they are others, or nothing says which they were.
        """
        if not self.provenance.is_file():
            raise BgsError("nothing was begun here", where=self.path, expected=self.provenance.name)
        before = json.loads(self.provenance.read_text(encoding="utf-8"))["data_hashes"]
        hashes = _data_hashes(study)
        changed = [name for name, value in hashes.items() if before[name] != value]
        if changed:
            raise ConfigError(
                f"the {changed[0]} are not those that this experiment was begun with", where=self.provenance,
                expected=before[changed[0]][:12], got=hashes[changed[0]][:12], hint="take a new folder",
            )  # fmt: skip


def _data_hashes(study: Study) -> dict[str, str]:
    return {"stimuli": study.stimuli.hash(), "trials": study.trials.hash()}


def _binding(config: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key not in _FREE}


def load_experiment_study(config: ExperimentConfig, data: str, mirror: Path | None = None) -> Study:
    """The study that all cells share; judgments from ratings are drawn once, with the first seed.

    Raises:
        BgsError: the data cannot be loaded, or there is nothing in them to train or to evaluate on.
    """
    model = next(iter(config.models))
    settings = config.training_config(model, config.conditions[0], config.seeds[0], data)
    dataset = load_dataset(data, mirror=mirror, options=settings.judgments.options())
    print_once(*dataset.notes)
    study = new_study(settings, dataset)
    split_validation(study.stimuli.train, settings.validation.fraction, settings.seed)
    for protocol in config.evaluation.protocols:
        select_protocol(protocol, study.stimuli, study.trials)
    return study
