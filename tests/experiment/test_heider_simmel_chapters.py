"""What reproduce/heider_simmel_chapters.py reads of a finished experiment."""

from __future__ import annotations

from bgs.experiments.chapters.kept import read
from bgs.experiments.chapters.transfer import TRANSFER
from bgs.experiments.chapters.variance import VARIANCE
from bgs.experiments.experiment import open_experiment
from reproduce_scripts import load_script

chapters = load_script("heider_simmel_chapters")


def test_lines_are_what_the_chapters_found(clip_experiment):
    experiment = open_experiment(clip_experiment[1])
    (moved,), (beyond,) = chapters.transfers([experiment]), chapters.variances([experiment])
    assert moved.state == beyond.state == "trained in full"
    found = read(experiment, TRANSFER).models["film"]
    assert moved.changes == {name: found.changes[name] for name in chapters.MEASURES}
    assert moved.references == found.references
    parts = read(experiment, VARIANCE).models["film"].partitions
    assert beyond.beyond == {
        name: parts[name].cross_validated["hybrid"] for name in ("low-level", "beyond-base")
    }
    assert beyond.alone == parts["low-level"].alone["hybrid"]
    assert beyond.verbs is None  # its ratings have another name
