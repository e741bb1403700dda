"""The cost model: how many encodings, FLOPs and bytes an epoch takes, the least that any procedure could, and what was measured.

F is one forward pass of a clip. A backward pass takes F for the gradient of activations, and F for that of weights where all
are trained; adapters take next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from page_tables import table

from parts.rows import Row
from parts.table import number

if TYPE_CHECKING:
    from bgs.training import FullGeometry, PerTrial

#: Bytes of a trial and of a pair in the target: four and two indices of 8 bytes; a dissimilarity and a count of 4.
TRIAL_BYTES, PAIR_BYTES = 4 * 8, 2 * 8 + 2 * 4


@dataclass(frozen=True)
class Study:
    """N clips, T trials, an RSA term in some updates with so many clips, of which some have a gradient; b clips a micro-batch."""

    clips: int
    trials: int
    rsa_updates: int = 6
    rsa_clips: int = 24
    rsa_gradient_clips: int = 6
    micro_batch: int = 32

    @property
    def target_bytes(self) -> int:
        """Trials, and all pairs of clips."""
        return self.trials * TRIAL_BYTES + self.clips * (self.clips - 1) // 2 * PAIR_BYTES

    @property
    def per_trial_encodings(self) -> int:
        """An epoch of the published procedure."""
        return 3 * self.trials + self.rsa_updates * self.rsa_clips

    def per_trial_forwards(self, backward: int = 2) -> int:
        """Its FLOPs, in F; ``backward`` is what a backward pass takes."""
        without = self.rsa_updates * (self.rsa_clips - self.rsa_gradient_clips)
        return (1 + backward) * (self.per_trial_encodings - without) + without

    def full_forwards(self, backward: int = 2) -> int:
        """FLOPs of a full-geometry update, in F: a forward pass, and one with a backward pass, which replays the first but for
        the last micro-batch."""
        return (2 + backward) * self.clips - min(self.micro_batch, self.clips)

    def least_forwards(self, backward: int = 2) -> int:
        """FLOPs that no exact gradient over all clips can do without: each clip forwards and backwards once."""
        return (1 + backward) * self.clips


@dataclass(frozen=True)
class Network:
    """A vision transformer over clips of ``frames`` × ``size``²."""

    name: str
    frames: int
    size: int
    width: int
    depth: int
    patch: int = 16
    tubelet: int = 2
    mlp_ratio: int = 4

    @property
    def tokens(self) -> int:
        """Number of patches of a clip."""
        return self.frames // self.tubelet * (self.size // self.patch) ** 2

    @property
    def forward_flops(self) -> int:
        """F: two for a multiplication and an addition, of matrix products; norms and softmax are left out."""
        block = 2 * self.tokens * self.width**2 * (4 + 2 * self.mlp_ratio) + 4 * self.tokens**2 * self.width
        patches = 2 * self.tokens * self.width * self.tubelet * 3 * self.patch**2
        return self.depth * block + patches

    @property
    def clip_bytes(self) -> int:
        """Of its decoded frames."""
        return 3 * self.frames * self.size**2


#: What the published study optimises in an epoch, and encoders that appear in the table.
PUBLISHED = Study(160, 12_380)
NETWORKS = (Network("tiny-videomae 8×64²", 8, 64, 128, 4), Network("VideoMAE-B 16×224²", 16, 224, 768, 12))


def epoch_encodings(method: FullGeometry | PerTrial) -> int:
    """Clips encoded in an epoch; a second pass that replays the first is not counted again."""
    clips = len(method.positions)
    if not hasattr(method, "settings"):
        return clips
    settings, updates = method.settings, method.updates_per_epoch
    study = Study(
        clips, method.trials_per_epoch, min(settings.rsa_updates, updates), min(settings.rsa_clips, clips)
    )
    return study.per_trial_encodings


def model(rows: Sequence[Row]) -> str:
    """The cost model as tables: costs of the published study, and what the model foretells beside what was measured."""
    head = ["an epoch of the published study", "full-geometry", "per-trial", "floor"]
    checked = ["foretold and measured", "foretold", "measured"]
    return f"{table(head, _costs(PUBLISHED))}\n\n{table(checked, _checks({row.key: row for row in rows}))}"


def _costs(study: Study) -> list[list[str]]:
    n, encodings = study.clips, study.per_trial_encodings
    forwards, of_adapters = (
        [way(backward) for way in (study.full_forwards, study.per_trial_forwards, study.least_forwards)]
        for backward in (2, 1)
    )
    judged = f"{TRIAL_BYTES} T + {PAIR_BYTES} P = {study.target_bytes / 1e6:.2f} MB"
    lines = [
        ["encodings", f"N = {n:,}", f"3T + 6 · 24 = {encodings:,}", f"N = {n:,}"],
        ["FLOPs, all weights trained", *_equal("4N − b", "9T + 6 · (3 · 6 + 18)", "3N", values=forwards)],
        ["FLOPs, adapters", *_equal("3N − b", "6T + 6 · (2 · 6 + 18)", "2N", values=of_adapters)],
        ["bytes of trials and pairs", judged, judged, judged],
    ]  # fmt: skip
    for network in NETWORKS:
        flops = [f"{number(value * network.forward_flops / 1e12)} TFLOPs" for value in forwards]
        read = [
            f"{number(passes * network.clip_bytes / 1e9)} GB"
            for passes in (2 * n - study.micro_batch, encodings, n)
        ]
        one = f"F = {number(network.forward_flops / 1e9)} GFLOPs, {network.clip_bytes / 1e6:.2f} MB of frames a clip"
        lines += [[f"{network.name} ({one}): all weights", *flops], [f"{network.name}: frames read", *read]]
    return lines


def _equal(*formulas: str, values: Sequence[int]) -> list[str]:
    return [f"{formula} = {value:,} F" for formula, value in zip(formulas, values, strict=True)]


def _checks(found: Mapping[str, Row]) -> list[list[str]]:
    """Rows of the model whose measurement is there."""
    lines = []
    for key in ("a: clips", "a: captions"):
        if key in found and found[key].more:
            numbers = found[key].more
            study = Study(numbers["encodings"]["full-geometry"], numbers["trials"])
            ratio = study.per_trial_forwards(1) / study.full_forwards(1)
            lines.append(
                [
                    f"judgments a second of `{key}`, adapters",
                    f"{number(ratio)} ×",
                    f"{number(found[key].figure.median)} ×",
                ]
            )
    if "d: clips" in found:
        lines.append(
            ["exponent of clips, where encoding dominates", "1", number(found["d: clips"].figure.median)]
        )
    if "d: memory" in found and found["d: memory"].more:
        trials, peaks = (found["d: memory"].more[key] for key in ("trials", "MB"))
        foretold = (trials[-1] - trials[0]) * TRIAL_BYTES / 1e6
        what = f"memory of {trials[-1]:,} trials over that of {trials[0]:,}: at least their bytes, then those of chunks"
        lines.append([what, f"≥ {number(foretold)} MB", f"{number(peaks[-1] - peaks[0])} MB"])
    return lines
