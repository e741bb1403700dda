"""Chooses the pull of a transform towards the identity, which depends on the numbers of clips and dimensions."""

from __future__ import annotations

from collections.abc import Callable

from bgs._errors import ConfigError
from bgs._progress import note, progress_bar
from bgs.training import Trainer, TrainingConfig

#: Strengths to choose from.
PULLS = (0.0001, 0.001, 0.01, 0.1, 1.0)
#: Proportion of the training clips that the choice is validated on where the run itself validates on none.
VALIDATED = 0.2

NewTrainer = Callable[[TrainingConfig], Trainer]


def with_pull(config: TrainingConfig, pull: float) -> TrainingConfig:
    """The configuration with this pull."""
    assert config.transform is not None
    return config.model_copy(update={"transform": config.transform.model_copy(update={"pull": pull})})


def validated_pulls(config: TrainingConfig, new_trainer: NewTrainer) -> dict[float, float]:
    """Pull -> RSA on validation clips, which the transform was not trained on.

    Args:
        config: of a run with a transform; its pull is not read.
        new_trainer: configuration -> a trainer with a transform that starts anew.

    Raises:
        ConfigError: the training clips have too few judgments to leave a fifth of them out.
    """
    if not config.validation.fraction:
        once = {"fraction": VALIDATED, "every": config.epochs, "patience": None}
        config = config.model_copy(update={"validation": config.validation.model_copy(update=once)})
    found = {}
    with progress_bar() as bar:
        task = bar.add_task("choosing the pull", total=len(PULLS) * config.epochs)
        for pull in PULLS:
            try:
                trainer = new_trainer(with_pull(config, pull))
            except ConfigError as error:
                raise ConfigError(
                    f"the pull of the transform cannot be chosen: {error.what}", where="transform.pull",
                    expected=error.expected, got=error.got, hint="set transform.pull to a number, such as 0.1",
                ) from None  # fmt: skip
            value = trainer.run(lambda _: bar.advance(task)).best_value
            assert value is not None
            found[pull] = value
    return found


def with_best_pull(config: TrainingConfig, new_trainer: NewTrainer) -> TrainingConfig:
    """The configuration with the pull of the highest validation RSA; of equal ones the weakest.

    Raises:
        ConfigError: see :func:`validated_pulls`.
    """
    found = validated_pulls(config, new_trainer)
    best = max(found, key=found.__getitem__)
    tried = ", ".join(f"{pull:g} {value:.3f}" for pull, value in found.items())
    note(f"transform.pull: {best:g}, chosen by RSA on training clips left out ({tried})")
    return with_pull(config, best)
