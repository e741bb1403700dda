"""What a pack of frames lacks is decoded into it, by one process at a time."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from math import prod
from pathlib import Path

from bgs._errors import DataError
from bgs._files import LOCK, make_folder
from bgs._lock import locked
from bgs._progress import note
from bgs.stimuli.decode_pool import Outcome, decode_all
from bgs.stimuli.decoding import Decoder, check_file
from bgs.stimuli.frame_pack import FramePack, add_records
from bgs.stimuli.sampling import Sampling, Span
from bgs.stimuli.unreadable import UnreadableClip

SPACE_HINT = "`bgs cache clear` frees space; BGS_CACHE names a folder elsewhere"


@dataclass(frozen=True)
class PackBuilder:
    """Clips that are wanted, and how they are decoded.

    Attributes:
        folder: of the pack.
        files: content -> a file of that content, and the stretch of it that is wanted.
        counts: content -> stimuli with that content.
        sampling, decoder: see :func:`bgs.stimuli.decoding.decode`.
        workers: decoding threads; None is one for each core.
        report: called with the number of stimuli done.
        hash_of: SHA-256 of a file as it is now; None if it cannot be read.
    """

    folder: Path
    files: dict[str, tuple[Path, Span | None]]
    counts: Counter[str]
    sampling: Sampling
    decoder: Decoder
    workers: int | None
    report: Callable[[int], None]
    hash_of: Callable[[Path], str | None]

    def complete_pack(self, failed: int) -> tuple[FramePack, tuple[str, ...]]:
        """A pack with every clip, decoded if need be, and what there is to say of it.

        Args:
            failed: stimuli without a readable file, to be reported with the clips that are there.
        """
        pack = FramePack.open(self.folder)
        missing = pack.missing(self.files, self.sampling.shape)
        if not missing:
            self.report(failed + self.counts.total())
            return pack, ()
        with locked(make_folder(self.folder) / LOCK, on_wait=_tell):
            pack = FramePack.open(self.folder)
            # While this run waited, another may have decoded some.
            missing = pack.missing(missing, self.sampling.shape)
            damaged = [clip for clip in missing if clip in pack.records]
            self.report(failed + self.counts.total() - sum(self.counts[clip] for clip in missing))
            self._decode(missing)
            pack = FramePack.open(self.folder)
        what = f"the frames of {len(damaged)} of {len(self.files)} clips were damaged"
        return pack, (f"{what}: they were decoded again ({self.folder})",) if damaged else ()

    def _decode(self, clips: list[str]) -> None:
        size = prod(self.sampling.shape)
        _check_space(self.folder, len(clips) * size)
        paths, spans = zip(*(self.files[clip] for clip in clips), strict=True) if clips else ((), ())
        with closing(decode_all(paths, self.sampling, self.decoder, self.workers, spans)) as decoded:
            outcomes = ((clips[i], self._lasting(outcome, clips[i])) for i, outcome in decoded)
            for clip in add_records(self.folder, outcomes, size):
                self.report(self.counts[clip])

    def _lasting(self, outcome: Outcome, clip: str) -> Outcome:
        """What is true of a clip by its content.

        Raises:
            DataError: the file has gone since it was looked up, as with a network drive, or has changed: nothing is kept of that.
        """
        path, _ = self.files[clip]
        hint = "clips decoded so far are kept; run the same command again"
        if isinstance(outcome, str):
            try:
                check_file(path)
            except UnreadableClip as error:
                raise DataError(f"it went away: {error.reason}", where=path, hint=hint) from None
        now = self.hash_of(path)
        if now is not None and not clip.startswith(now):
            raise DataError("it changed while it was read", where=path, hint=hint)
        return outcome


def _tell(holder: str) -> None:
    note(f"waiting for {holder}, which is decoding clips into the same frame cache")


def _check_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DataError(
            "the disk is too full for these frames", where=folder,
            expected=f"{needed / 1e6:,.0f} MB", got=f"{free / 1e6:,.0f} MB free", hint=SPACE_HINT,
        )  # fmt: skip
