"""Ground truth of simulated judgments on disk, for checking analyses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bgs._errors import DataError
from bgs._files import write_json
from bgs.simulation.analytic_ceiling import AnalyticCeiling
from bgs.simulation.judging import SimulatedJudgments
from bgs.simulation.observers import ObserverSettings

#: File beside ``trials.csv``.
TRUTH = "observers.json"


@dataclass(frozen=True)
class Truth:
    """Ground truth of simulated judgments.

    Attributes:
        trials: :meth:`bgs.judgments.Trials.hash` of the table it belongs to.
        seed: seed of the simulation.
        settings: settings of the observers.
        observers: name -> rating column -> weight, scaled so that the mean weights have length 1.
        careless: names of observers who answered at random.
        ceilings: see :func:`bgs.simulation.analytic_ceilings`.
    """

    trials: str
    seed: int
    settings: ObserverSettings
    observers: dict[str, dict[str, float]]
    careless: tuple[str, ...]
    ceilings: dict[str, AnalyticCeiling]


def write_truth(
    path: str | Path, judged: SimulatedJudgments, ceilings: Mapping[str, AnalyticCeiling]
) -> None:
    """Write ``observers.json``; :func:`read_truth` reads it."""
    latents, population = judged.settings.latents, judged.population
    value = {
        "simulated": "SIMULATED observers; no person judged anything",
        "trials": judged.trials.hash(),
        "seed": judged.seed,
        "settings": judged.settings.to_json(),
        "careless": list(judged.careless),
        "ceilings": {name: ceiling.to_json() for name, ceiling in ceilings.items()},
        "observers": {
            name: dict(zip(latents, weights, strict=True))
            for name, weights in zip(population.names, population.weights.tolist(), strict=True)
        },
    }
    write_json(path, value)


def read_truth(path: str | Path) -> Truth:
    """Read what :func:`write_truth` wrote.

    Raises:
        DataError: the file cannot be read or has another format.
    """
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
        return Truth(
            trials=value["trials"],
            seed=value["seed"],
            settings=ObserverSettings.from_json(value["settings"]),
            observers=value["observers"],
            careless=tuple(value["careless"]),
            ceilings={name: AnalyticCeiling.from_json(item) for name, item in value["ceilings"].items()},
        )
    except OSError as error:
        raise DataError(f"cannot read: {error.strerror}", where=path) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            "not the ground truth of simulated judgments",
            where=path,
            expected="a file written by `bgs simulate`",
        ) from error
