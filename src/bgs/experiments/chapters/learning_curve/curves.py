"""Learning curves: the same training on fewer judgments, measured on all that is held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field, field_validator

from bgs._codec import Number
from bgs._config import Settings
from bgs._errors import ConfigError, DataError
from bgs._progress import progress_bar
from bgs.evaluation import Metric, Result, evaluate
from bgs.experiments.chapters.chapter import NotApplicable
from bgs.experiments.chapters.learning_curve.enough import Enough, enough_for
from bgs.experiments.chapters.learning_curve.rated_subsets import rated_part_of
from bgs.experiments.chapters.learning_curve.subsets import Along, Part, part_of
from bgs.experiments.chapters.over_seeds import by_model
from bgs.experiments.conditions import Condition
from bgs.experiments.results import SeedMean

if TYPE_CHECKING:
    from bgs.experiments.experiment import Experiment
    from bgs.training import TrainingConfig


class LearningCurveSettings(Settings):
    """Training again on parts of the judgments among the training clips; what is held out stays whole."""

    condition: Condition = Condition.TRANSFORM_ONLY
    """What is trained, with the settings that the experiment has for it. Adapters take as long as a cell each time."""
    along: tuple[Along, ...] = ("trials", "participants", "clips")
    """What there is less of."""
    shares: tuple[float, ...] = Field((0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0), min_length=2)
    """How much of it is left."""
    draws: int = Field(5, ge=1)
    """Random parts of each size."""

    @field_validator("shares")
    @classmethod
    def _of_a_whole(cls, shares: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0 < share <= 1 for share in shares) or max(shares) < 1:
            raise ValueError("expected shares above 0 and up to 1, which is among them")
        return tuple(sorted(set(shares)))

    @field_validator("condition")
    @classmethod
    def _trained(cls, condition: Condition) -> Condition:
        if condition in (Condition.BASE, Condition.LANGUAGE_DISTILLATION, Condition.SHUFFLED):
            raise ValueError(f"nothing is learned from people under {condition}")
        return condition


@dataclass(frozen=True)
class Point:
    """One size of one curve; what are called seeds of a figure are draws.

    Attributes:
        share: how much was left.
        judgments: trials that were trained on, a mean over draws.
        rsa: held-out RSA.
        gain: its paired difference to the base model.
    """

    share: Number
    judgments: Number
    rsa: SeedMean
    gain: SeedMean


@dataclass(frozen=True)
class ModelCurves:
    """Curves of one model.

    Attributes:
        base: held-out RSA before training.
        ceiling: the noise ceiling.
        curves: what there was less of -> points, from few to all.
        enough: what there was less of -> the number of judgments that gives nearly all of the gain.
    """

    base: Metric
    ceiling: Metric | None
    curves: dict[str, tuple[Point, ...]]
    enough: dict[str, Enough]


@dataclass(frozen=True)
class LearningCurves:
    """Every model's curves, or why it has none; ``judged`` is what training had less of: judgments, or ratings."""

    models: dict[str, ModelCurves]
    not_applicable: dict[str, str]
    judged: str = "judgments"


def analyse(experiment: Experiment, settings: LearningCurveSettings) -> LearningCurves:
    """Train on every part, and measure on all that is held out.

    Raises:
        NotApplicable: there are too few judgments to leave any out, or their number is not known.
    """
    found = by_model(experiment, lambda model: _of_model(experiment, settings, model))
    return LearningCurves(*found, judged="ratings" if experiment.study.rdm is not None else "judgments")


def _of_model(experiment: Experiment, settings: LearningCurveSettings, model: str) -> ModelCurves:
    curves: dict[str, tuple[Point, ...]] = {}
    result: Result | None = None
    wanted = [(along, share) for along in settings.along for share in settings.shares]
    with progress_bar() as bar:
        task = bar.add_task("learning curve", total=len(wanted) * settings.draws)
        for along, share in wanted:
            judgments, found = list[int](), dict[int, Result]()
            for draw in range(settings.draws):
                measured = _trained(experiment, settings, model, along, share, draw)
                bar.advance(task)
                if measured is not None:
                    found[draw], number = measured
                    judgments.append(number)
            if found:
                result = next(iter(found.values()))
                curves[along] = (*curves.get(along, ()), _point(share, judgments, found))
    if result is None:
        raise NotApplicable("there are too few judgments to leave any out")
    enough = {along: _enough(points) for along, points in curves.items()}
    return ModelCurves(
        result.against_metrics["rsa_spearman"], result.metrics.get("rsa_ceiling"), curves, enough
    )


def _trained(
    experiment: Experiment, settings: LearningCurveSettings, model: str, along: Along, share: float, draw: int
) -> tuple[Result, int] | None:
    """What training on one part gives, and the number of its judgments."""
    from bgs.experiments.chapters.learning_curve.brief_run import tuned_on

    part = _part(experiment, model, along, share, draw)
    if part is None:
        return None
    evaluation, study = experiment.config.evaluation, experiment.study
    config = _config(experiment, settings, model, draw)
    base = experiment.base(model)[experiment.config.base_seed(model, experiment.config.seeds[0])]
    try:
        tuned = tuned_on(config, part.study, study.stimuli)
    except (ConfigError, DataError):  # too little to validate on
        if share == 1:
            raise
        return None
    result = evaluate(
        tuned, study.stimuli, study.trials, protocol=experiment.config.headline,
        distance=evaluation.distance, center=evaluation.center, against=base, permutations=0,
    )  # fmt: skip
    return result, part.judgments


def _part(experiment: Experiment, model: str, along: Along, share: float, draw: int) -> Part | None:
    seed, study = experiment.config.seeds[0], experiment.study
    if study.rdm is None:
        return part_of(study, along, share, seed + draw)
    reference = experiment.folder.data_reference(experiment.config)
    rated = experiment.config.training_config(model, Condition.BASE, seed, reference).ratings
    assert rated is not None
    return rated_part_of(study, rated, along, share, seed + draw, seed)


def _config(experiment: Experiment, settings: LearningCurveSettings, model: str, draw: int) -> TrainingConfig:
    """Of one training; a linear transform is trained on the embeddings that the experiment has kept already, where this
    gives the same: not if captions are drawn, or dropped out one by one."""
    reference = experiment.folder.data_reference(experiment.config)
    seed = experiment.config.seeds[0]
    config = experiment.config.training_config(model, settings.condition, seed, reference)
    transform = config.transform
    if transform is not None and transform.kind != "mlp" and not config.views and not transform.dropout:
        kept = experiment.base_path(model, seed)
        config = config.model_copy(update={"model": f"features:{kept}"})
    return config.model_copy(update={"seed": seed + draw})


def _point(share: float, judgments: Sequence[int], found: dict[int, Result]) -> Point:
    rsa = SeedMean.of({draw: result.metrics["rsa_spearman"] for draw, result in found.items()})
    gain = SeedMean.of({draw: result.differences["rsa_spearman"] for draw, result in found.items()})
    return Point(share, float(np.mean(judgments)), rsa, gain)


def _enough(points: Sequence[Point]) -> Enough:
    return enough_for(
        [point.judgments for point in points], [point.gain.value for point in points],
        [[point.gain.seeds.get(draw, np.nan) for point in points] for draw in points[-1].gain.seeds],
    )  # fmt: skip
