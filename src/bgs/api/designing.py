"""Trial schedules and their forecast, from Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bgs._errors import ConfigError, DataError
from bgs._files import read_json
from bgs._numbers import counted
from bgs._optional import require_all
from bgs._progress import note
from bgs._typing import Bool, Float
from bgs.collection.design import (
    Coverage,
    DesignSettings,
    Schedule,
    make_schedule,
    people_ensemble,
    read_schedule,
    write_schedule,
)
from bgs.collection.design.planning import allowed_pairs, sides
from bgs.collection.earlier_schedules import keep_schedule
from bgs.collection.forecast import (
    Cost,
    CostSettings,
    Existing,
    Forecast,
    FoundCurve,
    Range,
    calibrated_worlds,
    cost_of,
    forecast,
)
from bgs.collection.schedule_table import ABOUT, SCHEDULE
from bgs.datasets import Dataset, load_dataset
from bgs.embeddings import Embeddings
from bgs.simulation import WORLDS
from bgs.stimuli import StimulusSet
from bgs.views.design import design_views, found_view
from bgs.views.displayable import Displayable

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True, repr=False)
class Design(Displayable):
    """A trial schedule and its forecast; displays as tables.

    Attributes:
        schedule: the trials.
        settings: how they were made.
        coverage: how often pairs are shown together, in ``before``, too.
        cost: participants, minutes and money.
        forecast: what the judgments will be worth, with those of ``before``, from SIMULATED studies; None if not asked for.
        existing: what judgments that exist already say; None without any.
        stimuli: name of the data set.
        notes: what else to know, one sentence each.
        before: the schedule to which this one is added; None if it is the first.
        found: learning curves on real judgments that exist already.
    """

    schedule: Schedule
    settings: DesignSettings
    coverage: Coverage
    cost: Cost
    forecast: Forecast | None
    existing: Existing | None
    stimuli: str
    notes: tuple[str, ...] = ()
    before: Schedule | None = None
    found: tuple[FoundCurve, ...] = ()

    @property
    def whole(self) -> Schedule:
        """All blocks: those before, then the new ones."""
        return self.schedule if self.before is None else self.before.followed_by(self.schedule)

    def _views(self) -> Sequence[RenderableType]:
        views = design_views(self.schedule, self.coverage, self.cost, self.forecast, self.existing)
        return [*views, *(view for curve in self.found for view in ("", found_view(curve)))]

    def to_json(self) -> dict[str, Any]:
        """JSON types only, as ``bgs design --json`` and ``schedule.json`` have them."""
        parts = {"forecast": self.forecast, "existing": self.existing}
        return {
            "stimuli": self.stimuli,
            "clips": len(self.schedule.stimulus_ids),
            "trials": len(self.schedule),
            "settings": self.settings.to_json(),
            "coverage": self.coverage.to_json(),
            "cost": self.cost.to_json(),
            **{name: part.to_json() for name, part in parts.items() if part is not None},
            "found": [curve.to_json() for curve in self.found],
            "notes": list(self.notes),
        }

    def save(self, folder: str | Path) -> None:
        """Write ``schedule.csv`` and ``schedule.json`` to a study folder, atomically; existing ones are replaced.

        Those that somebody may have answered are kept under other names, see :mod:`bgs.collection.earlier_schedules`. Blocks
        ``before`` stay as they are, and ``schedule.json`` keeps what it said of them.

        Raises:
            ConfigError: participants have come, and this is another schedule than theirs.
        """
        if self.before is None:
            _require_not_begun(Path(folder))
            kept = keep_schedule(Path(folder))
            if kept is not None:
                note(
                    f"the schedule that this one replaces is kept as {kept}; answers to it need it as {SCHEDULE}"
                )
        about = self.to_json()
        earlier = Path(folder) / ABOUT
        if self.before is not None and earlier.exists():
            about["before"] = read_json(earlier)
        write_schedule(folder, self.whole, about)


def design(
    data: Dataset | str | Path | int,
    settings: DesignSettings | None = None,
    *,
    cost: CostSettings | None = None,
    judgments: Dataset | str | Path | None = None,
    embeddings: Embeddings | str | Path | None = None,
    studies: int = 8,
    append: bool = False,
    learning_curve: str | Path | None = None,
    mirror: str | Path | None = None,
    **options: Any,
) -> Design:
    """Make a schedule of odd-one-out trials, and forecast what it will cost and yield.

    Args:
        data: the clips: a study folder, data set or its name; or their number, for planning.
        settings: how to make the schedule; or give its fields as keywords: ``trials=5000, checks=.05``.
        cost: time and pay; None uses the defaults.
        judgments: judgments that exist already, of these or other clips. Simulated people are made as reliable as these
            people; with ``adaptive``, triplets are those whose answers they foretell least.
        embeddings: current positions of the clips for ``adaptive``, as ``bgs ordinal`` writes them; by default they are
            fitted to ``judgments``.
        studies: simulated studies in each world, at least 2; 0: no forecast.
        append: add blocks to the schedule of the study folder, which may be served already.
        learning_curve: folder of an experiment with that chapter: what a real encoder gained from real judgments.
        mirror: folder with a mirror of the authors' repositories.
        **options: fields of :class:`bgs.collection.design.DesignSettings`.

    Raises:
        ConfigError, DataError: see :func:`bgs.collection.design.make_schedule`; or the judgments are too few.
    """
    settings = replace(settings, **options) if settings else DesignSettings(**options)
    if studies and studies < 2:
        raise ConfigError(
            "too few simulated studies", where="studies", expected="at least 2, or 0 for none", got=studies
        )
    curves = () if learning_curve is None else _found_curves(learning_curve, mirror)
    dataset = None if isinstance(data, int) else _loaded(data, mirror)
    stimuli = _numbered(data) if isinstance(data, int) else _stimuli_of(dataset)
    judged = None if judgments is None else _loaded(judgments, mirror)
    parts = sides(settings, len(stimuli), stimuli.test)
    people = _people(settings, stimuli, judged, embeddings)
    before = _schedule_of(data, stimuli) if append else None
    first = 1 if before is None else before.n_blocks + 1
    schedule = make_schedule(settings, stimuli.ids, stimuli.test, people, first)
    whole = schedule if before is None else before.followed_by(schedule)
    asked = whole.unanswered()
    notes = _notes(settings, people is not None)
    existing, found = None, None
    if judged is not None:
        existing = _existing(judged, schedule)
        if existing is None:
            notes += _unreliable(judged, needed=studies > 0)
    if studies:
        worlds = WORLDS
        if existing is not None and judged is not None:
            worlds = calibrated_worlds(judged.need_trials(), existing.reliability.value, settings.seed)
        held = stimuli.test if stimuli.test.any() else None
        found = forecast(asked, held=held, worlds=worlds, studies=studies, seed=settings.seed)
    return Design(
        schedule=schedule,
        settings=settings,
        coverage=whole.coverage(allowed_pairs(parts, len(stimuli))),
        cost=cost_of(schedule, cost or CostSettings()),
        forecast=found,
        existing=existing,
        stimuli=f"{data} clips" if dataset is None else dataset.name,
        notes=notes,
        before=before,
        found=curves,
    )


def _found_curves(folder: str | Path, mirror: str | Path | None) -> tuple[FoundCurve, ...]:
    from bgs.api.found_curves import found_curves

    return found_curves(folder, mirror)


def _require_not_begun(folder: Path) -> None:
    if not (folder / "study.sqlite").exists():
        return
    require_all("collect", "collect")
    from bgs.collection.opening import participants_of

    came = participants_of(folder)  # whatever its schedule and clips were
    if came:
        raise ConfigError(
            "the study has begun, and its schedule cannot be replaced", where=folder, got=counted(came, "participant"),
            hint="`--append` adds blocks; `--out` writes elsewhere",
        )  # fmt: skip


def _schedule_of(data: Dataset | str | Path | int, stimuli: StimulusSet) -> Schedule:
    if not isinstance(data, str | Path):
        raise ConfigError("append adds to a study folder", expected="a path", got=type(data).__name__)
    return read_schedule(data, stimuli.ids)


def _loaded(data: Dataset | str | Path, mirror: str | Path | None) -> Dataset:
    return data if isinstance(data, Dataset) else load_dataset(data, mirror=mirror)


def _stimuli_of(dataset: Dataset | None) -> StimulusSet:
    assert dataset is not None
    return dataset.stimuli


def _numbered(n: int) -> StimulusSet:
    width = len(str(n))
    return StimulusSet(ids=tuple(f"clip-{i + 1:0{width}d}" for i in range(n)))


def _notes(settings: DesignSettings, informed: bool) -> tuple[str, ...]:
    if settings.method != "adaptive":
        return ()
    if not informed:
        return ("adaptive without judgments or embeddings: all triplets are balanced random",)
    return (
        "adaptive triplets are not a random sample: estimate distances by `bgs ordinal`, not by shares kept together",
    )


def _people(
    settings: DesignSettings,
    stimuli: StimulusSet,
    judged: Dataset | None,
    embeddings: Embeddings | str | Path | None,
) -> Float[np.ndarray, "k n n"] | None:
    """(k, n, n) distances in log odds for an adaptive design; NaN for clips that are not known."""
    if settings.method != "adaptive":
        return None
    if embeddings is not None:
        known = embeddings if isinstance(embeddings, Embeddings) else Embeddings.load(embeddings)
        return _placed(_ordinal_distances(known)[None], known.stimulus_ids, stimuli)
    if judged is None:
        return None
    return _placed(people_ensemble(judged.need_trials(), settings.seed), judged.stimuli.ids, stimuli)


def _ordinal_distances(known: Embeddings) -> Float[np.ndarray, "n n"]:
    from scipy.spatial.distance import pdist, squareform

    if known.details.get("distance") != "euclidean":
        raise DataError(
            "distances of these embeddings are not in log odds", where="embeddings", expected="a file of `bgs ordinal`",
            got=known.source, hint="give judgments instead",
        )  # fmt: skip
    distances: Float[np.ndarray, "n n"] = squareform(pdist(known.values.astype(np.float64)))
    return distances


def _placed(
    rdms: Float[np.ndarray, "k m m"], ids: Sequence[str], stimuli: StimulusSet
) -> Float[np.ndarray, "k n n"]:
    """The same distances in the order of ``stimuli``.

    Raises:
        DataError: fewer than three clips are known.
    """
    index = {name: k for k, name in enumerate(ids)}
    position = np.array([index.get(name, -1) for name in stimuli.ids], dtype=np.int64)
    known: Bool[np.ndarray, " n"] = position >= 0
    if known.sum() < 3:
        raise DataError(
            "judgments or embeddings of other clips", expected="at least three of the clips to be judged",
            got=int(known.sum()),
        )  # fmt: skip
    placed = np.full((len(rdms), len(position), len(position)), np.nan)
    here = np.flatnonzero(known)
    placed[:, here[:, None], here] = rdms[:, position[here][:, None], position[here]]
    return placed


def _existing(judged: Dataset, schedule: Schedule) -> Existing | None:
    """What judgments say of the schedule; None where their reliability is not between 0 and 1."""
    from bgs.evaluation import rsa_ceiling, select_protocol

    trials = judged.need_trials()
    found = rsa_ceiling(select_protocol("all", judged.stimuli, trials))[0]["rsa_reliability"]
    if not 0 < found.value < 1:
        return None
    measured = Range(found.value, max(found.low, 0.0), found.high)
    return Existing.of(judged.name, judged.simulated, trials, measured, schedule.unanswered())


def _unreliable(judged: Dataset, needed: bool) -> tuple[str, ...]:
    """A note that reliability is not known yet; for a forecast, which starts from it, that is an error."""
    text = "the reliability of these judgments cannot be estimated"
    if not needed:
        return (f"{text} from so few",)
    raise DataError(
        text, where=judged.name, expected="0 to 1, from pairs judged by two people in different triplets",
        hint="no forecast (`--studies 0`), or more judgments",
    )  # fmt: skip
