"""What a model says of single clips, as objects that print themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from bgs._errors import DataError
from bgs.evaluation.readout import AttributePrediction, Description, OddOneOut, Readout
from bgs.views.description import description_view, nothing_to_describe, odd_view, pieces_view
from bgs.views.displayable import Displayable

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True, repr=False)
class ClipDescription(Displayable):
    """A clip's predicted ratings; displays as a table. ``description["valence"]`` is one of them.

    Attributes:
        found: the predictions, and whether the clip is like those of the study.
        span: of a piece of a long video, its (start, end) in seconds after the first frame; None for a whole clip.
    """

    found: Description
    span: tuple[float, float] | None = None

    @property
    def file(self) -> str:
        """The clip; of a piece, the video that it is cut from."""
        return self.found.clip if self.span is None else self.found.clip.rpartition("#t=")[0]

    @property
    def far(self) -> bool:
        """Whether the clip is far from anything the model has seen."""
        return self.found.far

    def __getitem__(self, name: str) -> AttributePrediction:
        """The prediction of one rating.

        Raises:
            DataError: the study has no such rating.
        """
        by_name = {one.name: one for one in self.found.attributes}
        if name not in by_name:
            if not by_name:
                raise DataError(nothing_to_describe(self.found), where=name)
            raise DataError("no such rating", where=name, expected=", ".join(by_name))
        return by_name[name]

    def _views(self) -> Sequence[RenderableType]:
        return (description_view(self.found),)

    def to_json(self) -> dict[str, Any]:
        """JSON types only, as ``bgs describe --json`` writes them; start and end are null for a whole clip."""
        start, end = self.span or (None, None)
        return {"clip": self.found.clip, "start": start, "end": end} | self.found.to_json()


@dataclass(frozen=True, repr=False)
class ClipDescriptions(Displayable, Sequence[ClipDescription]):
    """Descriptions of several clips, in order; a long video is displayed as one table of its pieces.

    Attributes:
        each: one for every clip, or piece.
    """

    each: tuple[ClipDescription, ...]

    def __len__(self) -> int:
        return len(self.each)

    @overload
    def __getitem__(self, position: int) -> ClipDescription: ...
    @overload
    def __getitem__(self, position: slice) -> Sequence[ClipDescription]: ...

    def __getitem__(self, position: int | slice) -> ClipDescription | Sequence[ClipDescription]:
        return self.each[position]

    def _views(self) -> Iterator[RenderableType]:
        for file, group in groupby(self.each, lambda one: one.file):
            each = tuple(group)
            pieces = [(one.span, one.found) for one in each if one.span is not None]
            yield pieces_view(file, pieces) if pieces else description_view(each[0].found)

    def to_json(self) -> list[dict[str, Any]]:
        """JSON types only, as ``bgs describe --json`` writes them."""
        return [one.to_json() for one in self.each]


@dataclass(frozen=True, repr=False)
class OddChoice(Displayable):
    """Which of three clips people would choose as the odd one; displays as a table.

    Attributes:
        found: the choice, the distances, and the probabilities if the model was calibrated.
        reference: the model.
    """

    found: OddOneOut
    reference: str

    @property
    def odd(self) -> str:
        """The odd one: outside the closest pair; among tied pairs, the first in the given order counts."""
        return self.found.odd

    @property
    def probabilities(self) -> dict[str, float] | None:
        """Clip -> probability that people choose it; None if the model was not calibrated."""
        chances = self.found.probabilities
        return None if chances is None else dict(zip(self.found.clips, chances, strict=True))

    def _views(self) -> Sequence[RenderableType]:
        return (odd_view(self.found, self.reference),)

    def to_json(self) -> dict[str, Any]:
        """JSON types only, as ``bgs odd --json`` writes them."""
        return {"model": self.reference, **self.found.to_json()}


def calibrate(
    run: str | Path,
    *,
    folds: int | None = None,
    attributes: Sequence[str] | None = None,
    mirror: str | Path | None = None,
) -> Readout:
    """Fit what turns a run's embeddings into probabilities, ratings with intervals, and a flag for unfamiliar clips.

    ``bgs calibrate RUN``. ``bgs train`` does it by itself for a run with validation clips; other runs are trained again
    without each fold of their training clips, so that every figure comes from clips that a model has not seen.

    Args:
        run: folder of a finished run.
        folds: number of folds; by default none where there are validation clips, otherwise three.
        attributes: names of the ratings that :meth:`bgs.Model.describe` predicts; None: all of the study.
        mirror: folder with a mirror of the authors' repositories.

    Raises:
        BgsError: no finished run, its data cannot be read, or they hold too few judgments.
    """
    from bgs.runs.quiet import quiet_libraries
    from bgs.runs.reading_out import calibrate_run

    quiet_libraries()
    return calibrate_run(run, folds=folds, attributes=attributes, mirror=mirror)
