"""Tables of a data set."""

from __future__ import annotations

from collections import Counter

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bgs.datasets import REGISTRY, Dataset, DatasetCard
from bgs.datasets.description import rating_ranges
from bgs.datasets.links import ClipSearch
from bgs.judgments import Trials
from bgs.stimuli import StimulusSet
from bgs.views.console import bytes_text, facts, table


def dataset_view(dataset: Dataset, first: int) -> Group:
    """The contents of a data set, with its ``first`` stimuli and trials."""
    stimuli = dataset.stimuli
    parts: list[RenderableType] = [facts(dataset.name, _summary(dataset)), ""]
    if first:
        parts.append(_stimuli(stimuli, first))
    if stimuli.ratings:
        parts.append(_ratings(stimuli))
    if dataset.trials is not None and first:
        parts.append(_trials(dataset.trials, stimuli, first))
    return Group(*parts)


def fetched_view(card: DatasetCard, folder: object, clips: object | None) -> Table:
    """What was fetched, where it lies and under what terms; ``clips`` is the folder of clips, if there is one."""
    files = (*card.files, *(() if clips is None else card.clips))
    size = bytes_text(sum(file.size for file in files))
    rows = [
        ("files", f"{len(files):,} file{'s' * (len(files) != 1)}, {size}, SHA-256 verified"),
        ("source", card.source),
        ("folder", folder),
        ("licence", card.licence),
        ("please cite", card.citation),
    ]
    if clips is not None:
        rows.insert(3, ("clips", clips))
    return facts(card.name, rows)


def search_view(name: str, search: ClipSearch, folder: object) -> Group:
    """The clips of a data set that were found in a folder, and those that were not."""
    total = len(search.found) + len(search.missing) + len(search.refused)
    parts: list[RenderableType] = [
        Text(f"{name}: {len(search.found)} of {total} clips found in {folder} and remembered.")
    ]
    if search.refused:
        parts.append(table("Not taken", ("clip", "reason"), search.refused))
    if search.missing:
        parts.append(table(f"{len(search.missing)} missing", ("clip",), [(n,) for n in search.missing]))
    return Group(*parts)


def _summary(dataset: Dataset) -> list[tuple[str, object]]:
    stimuli = dataset.stimuli
    rows: list[tuple[str, object]] = []
    if dataset.name in REGISTRY:
        rows.append(("holds", REGISTRY[dataset.name].description))
    if dataset.simulated:
        rows.append(("SIMULATED", "clips or judgments: no human data"))
    rows.append(("stimuli", f"{len(stimuli):,}{_split(stimuli)}"))
    if stimuli.captions is not None:
        numbers = [len(captions) for captions in stimuli.captions]
        rows.append(("captions", f"{sum(numbers):,}, {min(numbers)} to {max(numbers)} per stimulus"))
    if stimuli.videos is not None:
        rows.append(("clips", f"{len(stimuli) - stimuli.videos.count(None):,} of {len(stimuli):,}"))
    for name, values in stimuli.labels.items():
        common = Counter(values).most_common(6)
        rows.append((name, ", ".join(f"{count} {value or '(none)'}" for value, count in common)))
    if dataset.trials is not None:
        rows.append(
            (
                "trials",
                f"{len(dataset.trials):,} by {len(set(dataset.trials.participant.tolist())):,} participants",
            )
        )
    else:
        rows.append(("trials", "none"))
    rows += [("folder", dataset.folder), ("licence", dataset.licence), ("please cite", dataset.citation)]
    return rows


def _split(stimuli: StimulusSet) -> str:
    if stimuli.split is None:
        return ", no split"
    return f", {int(stimuli.train.sum())} train and {int(stimuli.test.sum())} test"


def _stimuli(stimuli: StimulusSet, first: int) -> Table:
    rows = [
        (name, stimuli.split[i] if stimuli.split else "–", _description(stimuli, i))
        for i, name in enumerate(stimuli.ids[:first])
    ]
    return table("First stimuli", ("stimulus", "split", "first caption or labels"), rows)


def _description(stimuli: StimulusSet, position: int) -> str:
    if stimuli.captions is not None and stimuli.captions[position]:
        return stimuli.captions[position][0]
    return ", ".join(f"{name}: {values[position]}" for name, values in stimuli.labels.items())


def _ratings(stimuli: StimulusSet) -> Table:
    rows = [
        (name, of.known, *(f"{figure:.2f}" for figure in (of.least, of.mean, of.greatest)))
        for name, of in rating_ranges(stimuli).items()
    ]
    return table("Ratings", ("rating", "known", "least", "mean", "greatest"), rows, numbers=(1, 2, 3, 4))


def _trials(trials: Trials, stimuli: StimulusSet, first: int) -> Table:
    rows = []
    for i in range(min(first, len(trials))):
        names = [stimuli.ids[position] for position in trials.stimuli[i]]
        odd = int(trials.odd[i])
        rows.append((trials.participant[i], names[odd], " + ".join(names[k] for k in range(3) if k != odd)))
    return table("First trials", ("participant", "odd one out", "kept together"), rows)
