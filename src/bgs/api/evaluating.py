"""Evaluation from Python: results that display as a table and convert to a data frame, a plot or JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bgs import evaluation
from bgs._errors import DataError, listed
from bgs._optional import require
from bgs.datasets import REGISTRY, Dataset, load_dataset
from bgs.embeddings import Embeddings
from bgs.evaluation import Metric, Result
from bgs.judgments import RDM
from bgs.reports import Estimate, ForestFigure, ForestPanel, ForestRow, draw, render
from bgs.runs.origins import provenance
from bgs.views.displayable import Displayable
from bgs.views.evaluation import result_view

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType

#: The metrics plotted for each protocol, their labels, axes and chance levels.
_PLOTTED = (
    ("rsa_spearman", "RSA", "Spearman correlation, 95 % interval", None),
    ("odd_one_out_3afc", "odd one out", "proportion of trials, 95 % interval", 1 / 3),
)


@dataclass(frozen=True, repr=False)
class Evaluation(Displayable, Mapping[str, Result]):
    """Results by protocol; displays as tables of values beside their noise ceilings.

    Attributes:
        results: one per protocol.
        names: labels of the evaluated embeddings and of those compared with.
    """

    results: tuple[Result, ...]
    names: tuple[str, str] = ("this", "other")

    @cached_property
    def _by_protocol(self) -> dict[str, Result]:
        return {result.protocol: result for result in self.results}

    def __getitem__(self, protocol: str) -> Result:
        if protocol not in self._by_protocol:
            raise KeyError(
                f"no result for the protocol {protocol!r}; there are: {', '.join(self._by_protocol)}"
            )
        return self._by_protocol[protocol]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_protocol)

    def __len__(self) -> int:
        return len(self.results)

    def _views(self) -> Sequence[RenderableType]:
        return [result_view(result, self.names) for result in self.results]

    def to_json(self) -> dict[str, Any]:
        """Protocol -> :meth:`bgs.evaluation.Result.to_json`."""
        return {result.protocol: result.to_json() for result in self.results}

    def to_frame(self) -> pd.DataFrame:
        """One row per value: protocol, model, metric, value, interval, p, n and unit.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        frame = require("pandas", "frames").DataFrame
        return frame([row for result in self.results for row in self._rows(result)])

    def _rows(self, result: Result) -> Iterator[dict[str, Any]]:
        this, other = self.names
        groups = (
            (this, result.metrics),
            (other, result.against_metrics),
            (f"{this} − {other}", result.differences),
        )
        for model, metrics in groups:
            for name, metric in metrics.items():
                of = "people" if "ceiling" in name or "reliability" in name else model
                yield {"protocol": result.protocol, "model": of, "metric": name, **_row(metric)}

    def figure(self) -> ForestFigure:
        """A figure specification of values with their intervals, for :func:`bgs.reports.draw`."""
        panels = tuple(
            ForestPanel(label, axis, tuple(self._row(result, key, chance) for result in self.results))
            for key, label, axis, chance in _PLOTTED
            if all(key in result.metrics for result in self.results)
        )
        simulated = any(result.provenance.get("simulated") for result in self.results)
        return ForestFigure(panels, "SIMULATED: no human data." if simulated else "")

    def _row(self, result: Result, key: str, chance: float | None) -> ForestRow:
        estimates = [Estimate.of(self.names[0], result.metrics[key], "tuned")]
        if result.against_metrics:
            estimates.insert(0, Estimate.of(self.names[1], result.against_metrics[key], "base"))
        if key == "rsa_spearman" and "rsa_ceiling" in result.metrics:
            estimates.append(Estimate.of("noise ceiling", result.metrics["rsa_ceiling"]))
        return ForestRow(result.protocol, tuple(estimates), chance)

    def plot(self, path: str | Path | None = None) -> Plot:
        """Draw :meth:`figure`, optionally into an SVG or PNG file; notebooks display the returned plot.

        Raises:
            MissingExtraError: matplotlib is not installed.
        """
        figure = self.figure()
        if path is not None:
            draw(figure, path)
        return Plot(figure)


@dataclass(frozen=True)
class Plot:
    """A figure that notebooks display."""

    figure: ForestFigure

    def _repr_svg_(self) -> str:
        return render(self.figure, "svg").decode("utf-8")

    def _repr_png_(self) -> bytes:
        return render(self.figure, "png")


def _row(metric: Metric) -> dict[str, Any]:
    return {
        "value": metric.value, "low": metric.low, "high": metric.high, "p": metric.p, "n": metric.n, "unit": metric.unit,
    }  # fmt: skip


def evaluate(
    embeddings: Embeddings,
    data: Dataset | RDM | str | Path,
    *,
    protocol: str | Sequence[str] | None = None,
    against: Embeddings | None = None,
    distance: str = "cosine",
    center: bool | None = None,
    permutations: int = 1000,
    seed: int = 0,
    names: tuple[str, str] = ("this", "other"),
    mirror: str | Path | None = None,
    allow_overlap: bool = False,
) -> Evaluation:
    """How well do embeddings predict human similarity judgments?

    Args:
        embeddings: one vector per stimulus; aligned with the data by id.
        data: a data set with odd-one-out trials, its name or folder; or just a human dissimilarity matrix, which gives
            correlations over all its pairs, without a noise ceiling.
        protocol: one or several of :data:`bgs.evaluation.PROTOCOLS`. None: both held-out protocols if the data set has a
            split, otherwise ``all``.
        against: other embeddings, for paired differences.
        distance: see :func:`bgs.evaluation.evaluate`.
        center: likewise.
        permutations: likewise.
        seed: likewise.
        names: labels of the two embeddings in tables.
        mirror: folder with a mirror of the authors' repositories.
        allow_overlap: evaluate although clips of this data set were used in training on another.

    Raises:
        DataError: a stimulus without embedding, no judgments for a protocol, or clips that were used in training on another
            data set.
        ConfigError: an unknown protocol or distance.
    """
    settings: dict[str, Any] = {
        "distance": distance, "center": center, "against": against, "permutations": permutations, "seed": seed,
    }  # fmt: skip
    if isinstance(data, RDM):
        result = evaluation.evaluate_rdm(embeddings, data, provenance=provenance(), **settings)
        return Evaluation((_with_training_note(result, (embeddings, against), data.stimulus_ids),), names)
    dataset = data if isinstance(data, Dataset) else load_dataset(data, mirror=mirror)
    trials = dataset.need_trials()
    protocols = _protocols(protocol, dataset)
    overlap = [] if allow_overlap else _overlap(embeddings, against, dataset, protocols)
    if overlap:
        raise DataError(
            f"{len(overlap)} clips were used in training: {listed(overlap)}", where=dataset.name,
            expected="clips new to the model", hint="allow_overlap=True, or --allow-overlap, evaluates it anyway",
        )  # fmt: skip
    about = provenance(
        data=dataset.name,
        data_hashes=dict(dataset.hashes),
        simulated=dataset.simulated,
        **dataset.about_trials(),
    )
    results = [
        evaluation.evaluate(embeddings, dataset.stimuli, trials, protocol=name, provenance=about, **settings)
        for name in protocols
    ]
    results = [
        _with_training_note(result, (embeddings, against), dataset.stimuli.ids, dataset.name)
        if result.protocol == "all" else result
        for result in results
    ]  # fmt: skip
    return Evaluation(tuple(results), names)


def _with_training_note(
    result: Result, models: Sequence[Embeddings | None], ids: Sequence[str], data: str | None = None
) -> Result:
    """The result, with a warning where a model was trained on the evaluated stimuli.

    Args:
        result: of an evaluation that holds nothing out.
        models: whose records of training are read.
        ids: evaluated stimuli.
        data: name of their data set; None for a matrix alone, whose ids are compared with those of every training set.
    """
    warnings = []
    for model in models:
        known = {} if model is None else model.trained_on()
        seen = {name for trained, names in known.items() if data in (None, trained) for name in names}
        shared = len(seen.intersection(ids))
        if model is not None and shared:
            warnings.append(
                f"{shared:,} of these {len(ids):,} stimuli were used to train {model.source}: not a held-out result"
            )
    return replace(result, warnings=[*result.warnings, *warnings])


def _overlap(
    embeddings: Embeddings, against: Embeddings | None, dataset: Dataset, protocols: Sequence[str]
) -> list[str]:
    """Stimuli that either model was trained on as part of another named data set, and held-out ones of this data set.

    An id of a named data set is the same clip in all of them; the same id in folders of your own may be another clip.
    Training on the data set itself is what protocols are for, but a fold, or a run that was tested on other data, was
    trained on clips that its split holds out.
    """
    stimuli, held_out = dataset.stimuli, any(name != "all" for name in protocols)
    own = {name for name, test in zip(stimuli.ids, stimuli.test, strict=True) if test and held_out}
    every = set(stimuli.ids) if dataset.name in REGISTRY else set()
    seen = {
        name
        for model in (embeddings, against)
        if model is not None
        for data, ids in model.trained_on().items()
        for name in (own if data == dataset.name else every if data in REGISTRY else set()).intersection(ids)
    }
    return [name for name in stimuli.ids if name in seen]


def _protocols(asked: str | Sequence[str] | None, dataset: Dataset) -> Sequence[str]:
    if asked is None:
        return ("held-out-trials", "held-out-pairs") if dataset.stimuli.test.any() else ("all",)
    return (asked,) if isinstance(asked, str) else tuple(asked)
