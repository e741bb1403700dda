"""What all presentations share: the experiment, its results table, and the names of models and judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from bgs._numbers import plain
from bgs.evaluation import Metric
from bgs.experiments.chapters.chapter import NotApplicable
from bgs.experiments.conditions import Condition
from bgs.experiments.results import Level, ProtocolResults, ResultsTable, SeedMean
from bgs.experiments.showcase import Showcase, showcase
from bgs.reports import OBSERVERS, PEOPLE, Estimate, Vocabulary
from bgs.reports.palette import Role

if TYPE_CHECKING:
    from bgs.experiments.experiment import Experiment

_ROLES: dict[str, Role] = {
    Condition.BASE.value: "base", Condition.HYBRID.value: "tuned", "captions": "captions",
}  # fmt: skip


@dataclass(frozen=True)
class Context:
    """What presentations need besides the result of their chapter.

    Attributes:
        experiment: source of settings, captions and pictures.
        table: its results table.
    """

    experiment: Experiment
    table: ResultsTable

    @cached_property
    def words(self) -> Vocabulary:
        """What those who judged are called."""
        return OBSERVERS if self.experiment.simulated else PEOPLE

    @property
    def models(self) -> list[str]:
        """Names of the models."""
        return list(self.experiment.config.models)

    @property
    def headline(self) -> ProtocolResults:
        """Results of the protocol that sentences report."""
        return self.table.protocols[self.experiment.config.headline]

    def levels(self, model: str) -> dict[str, Level]:
        """Condition -> level of a model, under the protocol that sentences report."""
        return self.headline.models[model]

    def having(self, *conditions: str) -> list[str]:
        """Models that have finished cells of all these conditions.

        Raises:
            NotApplicable: none has.
        """
        found = [m for m in self.models if all(name in self.levels(m) for name in conditions)]
        if not found:
            raise NotApplicable(f"no model has finished cells of the conditions {', '.join(conditions)}")
        return found

    def called(self, model: str, text: str) -> str:
        """The label of a model's row, preceded by the model's name where there are several models."""
        return text if len(self.models) == 1 else f"{model}, {text}"

    def tuned(self, model: str) -> str:
        """The name of a tuned model in sentences."""
        return "the tuned model" if len(self.models) == 1 else f"tuned {model}"

    def cause(self, model: str) -> str:
        """What was done to a model, as the subject of a sentence."""
        return "Tuning" if len(self.models) == 1 else f"Tuning {model}"

    def base(self, model: str) -> str:
        """The name of a model before training in sentences."""
        return "the base model" if len(self.models) == 1 else f"base {model}"

    def label(self, condition: str) -> str:
        """The name of a condition in figures and tables."""
        return f"tuned on {self.words.judges}" if condition == Condition.HYBRID else condition

    @property
    def shown_model(self) -> str:
        """The model whose clips and triplets are shown: the first that has a base and a tuned cell.

        Raises:
            NotApplicable: none has.
        """
        for model in self.having(Condition.BASE.value, Condition.HYBRID.value):
            if self.experiment.find(model, Condition.BASE) and self.experiment.find(model, Condition.HYBRID):
                return model
        raise NotApplicable("no model has both a finished base cell and a finished hybrid cell")

    @cached_property
    def shown(self) -> Showcase:
        """Held-out clips as judges, captions, base and tuned model see them."""
        return showcase(self.experiment, self.shown_model, self.words.judges)


def capital(text: str) -> str:
    """A phrase as it begins a sentence."""
    return text[:1].upper() + text[1:]


def reasons(not_applicable: Mapping[str, str]) -> tuple[str, ...]:
    """A note on each model to which a result does not apply."""
    return tuple(f"Not applicable to {model} because {why}." for model, why in not_applicable.items())


def role(condition: str) -> Role:
    """The role of a condition, which determines its colour."""
    return _ROLES.get(condition, "control")


def estimate(label: str, figure: Metric, role: Role = "") -> Estimate:
    """A row of a figure; with several seeds, each seed's value is a point."""
    seeds = tuple(figure.seeds.values()) if isinstance(figure, SeedMean) else ()
    return Estimate(label, figure.value, figure.low, figure.high, seeds if len(seeds) > 1 else (), role)


def seeds_text(figure: SeedMean) -> str:
    """Each seed's value, as a table shows it: ``.452 .442 .443``."""
    return " ".join(plain(value, 3) for value in figure.seeds.values())


def p_text(value: float | None) -> str:
    """A p or q, as a table shows it."""
    if value is None or value != value:
        return "–"
    return "< .001" if value < 0.001 else plain(value, 3)
