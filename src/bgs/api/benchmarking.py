"""The benchmark from Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bgs._errors import ConfigError
from bgs._files import require_output
from bgs._progress import note
from bgs.backbones.catalogue import with_setting
from bgs.benchmarks.people import PEOPLE, measure_people
from bgs.benchmarks.row import Row, read_row, row_path
from bgs.benchmarks.tracks import TRACKS, Track

#: Of the random twin's weights.
TWIN = "weights=random&seed=0"


def benchmark(
    model: str,
    *,
    out: str | Path = "benchmark",
    name: str | None = None,
    tune: bool = False,
    twin: bool = False,
    again: bool = False,
    tracks: Sequence[Track] | None = None,
    mirror: str | Path | None = None,
    ratings: str | Path | None = None,
    device: str = "auto",
) -> list[Row]:
    """Measure an encoder on every public data set that it can read, and write a row.

    A row that is there is kept if it says as much as is asked for, so that an interrupted call can be repeated.

    Args:
        model: reference of the encoder (:func:`bgs.backbones.load_backbone`); ``people:`` is the behaviour-only reference.
        out: folder of the rows.
        name: of the row and its file; by default, from the reference.
        tune: also tune it by the standard recipe, a linear transform trained on training clips.
        twin: also measure its random twin, as a row of its own.
        again: measure although there is a row.
        tracks: what to measure; by default :data:`bgs.benchmarks.TRACKS`.
        mirror: as in :func:`bgs.load_dataset`.
        ratings: table of the ratings of ``phase-genset``.
        device: as in :func:`bgs.load_model`.

    Returns:
        The row, and that of the twin.

    Raises:
        BgsError: the model cannot be loaded, no data set can be measured, or the folder cannot be written.
    """
    from bgs.benchmarks.entrant import measure_model

    named, tracks = name or default_name(model), tracks or TRACKS
    require_output(row_path(out, named))
    wanted = [(named, model, None), *([(f"{named}-random", twin_of(model), named)] if twin else [])]
    rows = []
    for row_name, reference, of in wanted:
        path = row_path(out, row_name)
        known = read_row(path) if path.is_file() and not again else None
        if known is not None and (known.tuned or not tune or known.kind == "people"):
            note(f"{path} is kept (again=True, or --again, measures it again)")
            rows.append(known)
            continue
        if model == PEOPLE:
            row = measure_people(row_name, tracks=tracks, mirror=mirror)
        else:
            row = measure_model(
                reference, row_name, tune=tune, tracks=tracks, twin_of=of, mirror=mirror, ratings=ratings, device=device
            )  # fmt: skip
        row.save(out)
        rows.append(row)
    return rows


def twin_of(model: str) -> str:
    """The reference of a model's random twin.

    Raises:
        ConfigError: it has none.
    """
    if model.partition(":")[0] in ("pixels", "motion", "features", "lookup", "scratch", "run", "people"):
        raise ConfigError("no random twin", where=model, expected="an encoder with pretrained weights")
    return with_setting(model, TWIN)


def default_name(model: str) -> str:
    """A name for the row: the reference without family or folder, its settings with dashes."""
    rest = model.partition(":")[2] or model.partition(":")[0]
    name, _, settings = rest.partition("?")
    stem = Path(name).stem if model.startswith("features:") else Path(name).name
    family = model.partition(":")[0]
    stem = f"{family}-{stem}" if family in ("pixels", "motion", "scratch") else stem
    return "-".join([stem, *(part.replace("=", "") for part in settings.split("&") if part)])
