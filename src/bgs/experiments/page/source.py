"""What a page is made from: results on disk, the study for its pictures, and the words for those who judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bgs._errors import BgsError
from bgs._files import legible, read_json
from bgs._numbers import plain
from bgs.evaluation import Metric
from bgs.experiments.analyses import FORM, fingerprint
from bgs.experiments.applicable import NotApplicable
from bgs.experiments.conditions import Condition
from bgs.experiments.experiment_data import ExperimentData
from bgs.experiments.results import ProtocolResults, ResultsTable, SeedMean
from bgs.experiments.showcase import Showcase, showcase
from bgs.reports import OBSERVERS, PEOPLE, Estimate, Vocabulary
from bgs.reports.palette import Role

_AGAIN = "delete it, then `bgs experiment` makes it anew"
#: The protocol that sentences speak about, if it was measured.
_HEADLINE = "held-out-pairs"
_ROLES: dict[str, Role] = {
    Condition.BASE.value: "base", Condition.HYBRID.value: "tuned", "captions": "captions",
}  # fmt: skip


class AnalysisFailed(BgsError):
    """An analysis that is on record as failed; the message is what it failed with."""


@dataclass(frozen=True)
class Source:
    """All that the sections of a page ask for.

    Attributes:
        data: the experiment; for its settings, captions and pictures.
        table: its results.
    """

    data: ExperimentData
    table: ResultsTable

    @cached_property
    def words(self) -> Vocabulary:
        """What those who judged are called."""
        return OBSERVERS if self.data.simulated else PEOPLE

    @property
    def models(self) -> list[str]:
        """Models by name."""
        return list(self.data.config.models)

    @property
    def headline(self) -> ProtocolResults:
        """Results of the protocol that sentences speak about."""
        protocols = self.table.protocols
        return protocols[_HEADLINE] if _HEADLINE in protocols else list(protocols.values())[-1]

    def having(self, *conditions: str) -> list[str]:
        """Models that have finished cells of all these conditions.

        Raises:
            NotApplicable: none has.
        """
        found = [m for m in self.models if all(name in self.headline.models[m] for name in conditions)]
        if not found:
            raise NotApplicable(f"no model has finished cells of the conditions {', '.join(conditions)}")
        return found

    def result(self, name: str) -> dict[str, Any]:
        """What an analysis found.

        Raises:
            NotApplicable: it does not apply, was left out or has not been run.
            AnalysisFailed: it failed.
        """
        if getattr(self.data.config.analyses, name) is None:
            raise NotApplicable(f"this experiment leaves it out (key analyses.{name})")
        path = self.data.folder.analyses / f"{name}.json"
        if not path.is_file():
            raise NotApplicable("it has not been run yet")
        found = read_json(path, _AGAIN)
        if found.get("form") != FORM:
            raise NotApplicable("its result is of another version of bgs; bgs experiment makes it anew")
        if "not_applicable" in found:
            raise NotApplicable(found["not_applicable"])
        if "error" in found:
            with legible(path, _AGAIN):
                raise AnalysisFailed(found["error"]["message"])
        with legible(path, _AGAIN):
            result: dict[str, Any] = found["result"]
            known = found.get("sha256")  # results of older versions hold no hash to tell by
            if known is not None and known != fingerprint(result):
                raise ValueError("other values than were written")
        return result

    def by_model(self, result: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Model -> what was found, of those that it applies to, and a note on each of the others."""
        models = {name: found for name, found in result["models"].items() if name in self.models}
        notes = (
            f"{m}: not applicable: {r['not_applicable']}." for m, r in models.items() if "not_applicable" in r
        )
        return {m: r for m, r in models.items() if "not_applicable" not in r}, tuple(notes)

    def called(self, model: str, text: str) -> str:
        """A label of a model's row: with the model's name where there are several."""
        return text if len(self.models) == 1 else f"{model}, {text}"

    def tuned(self, model: str) -> str:
        """How sentences call a tuned model."""
        return "the tuned model" if len(self.models) == 1 else f"tuned {model}"

    def cause(self, model: str) -> str:
        """What was done to a model, as it begins a sentence."""
        return "Tuning" if len(self.models) == 1 else f"Tuning {model}"

    def base(self, model: str) -> str:
        """How sentences call a model before training."""
        return "the base model" if len(self.models) == 1 else f"base {model}"

    def label(self, condition: str) -> str:
        """How figures and tables call a condition."""
        return f"tuned on {self.words.judges}" if condition == Condition.HYBRID else condition

    @cached_property
    def shown(self) -> Showcase:
        """Held-out clips through everybody's eyes, for the first model that has a tuned cell."""
        for model in self.models:
            if self.data.find(model, Condition.BASE) and self.data.find(model, Condition.HYBRID):
                return showcase(self.data, model, self.words.judges)
        raise NotApplicable("no model has both a finished base cell and a finished hybrid cell")


def role(condition: str) -> Role:
    """The role that gives a condition its colour."""
    return _ROLES.get(condition, "control")


def estimate(label: str, figure: SeedMean | Metric, role: Role = "") -> Estimate:
    """A row of a figure; each of several seeds is a point."""
    if isinstance(figure, Metric):
        return Estimate.of(label, figure, role)
    mean, seeds = figure.mean, tuple(figure.seeds.values())
    return Estimate(label, mean.value, mean.low, mean.high, seeds if len(seeds) > 1 else (), role)


def seeds_text(figure: SeedMean) -> str:
    """Each seed's value, for a table: ``.452 .442 .443``."""
    return " ".join(plain(value, 3) for value in figure.seeds.values())


def p_text(value: float | None) -> str:
    """A p or q, for a table."""
    if value is None or value != value:
        return "–"
    return "< .001" if value < 0.001 else plain(value, 3)
