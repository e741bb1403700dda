"""The formats that `bgs data import` reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from bgs._errors import ConfigError, DataError
from bgs._files import foreign_damage_as_error
from bgs.judgments.readers.index_triplets import read_index_triplets
from bgs.judgments.readers.jatos import read_jatos
from bgs.judgments.readers.jspsych import read_jspsych
from bgs.judgments.readers.mapping import read_mapped, read_qualtrics
from bgs.judgments.readers.meadows import read_meadows
from bgs.judgments.readers.published import read_published
from bgs.judgments.readers.reading import ReaderInputs, Reading
from bgs.judgments.readers.salmon import read_salmon


@dataclass(frozen=True)
class Format:
    """A format of judgments.

    Attributes:
        name: what ``--from`` takes.
        what: what the files are.
        endings: of the files; others are refused.
        read: reader of one file.
        uses: what it can use beside the files: "ids", "mapping".
        anchored: whether it holds anchored comparisons, which are not odd-one-out trials.
    """

    name: str
    what: str
    endings: tuple[str, ...]
    read: Callable[[Path, ReaderInputs], list[Reading]]
    uses: tuple[str, ...] = ()
    anchored: bool = False


_SPREADSHEETS = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm")

FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format("jspsych", "jsPsych JSON of the plugin odd-one-out", (".json", ".jsonl", ".txt"), read_jspsych),
        Format(
            "jatos", "results exported from JATOS, text or archive",
            (".txt", ".json", ".jsonl", ".zip", ".jzip", ".jrzip"), read_jatos,
        ),
        Format("published", "the column names of Garcia & Isik", (".csv", ".tsv", ".txt"), read_published, ("ids",)),
        Format("meadows", "Meadows annotations of a triplet-choice task", (".csv", ".tsv", ".txt"), read_meadows),
        Format(
            "salmon", "Salmon responses: anchored comparisons", (".csv", ".tsv", ".txt"), read_salmon, ("ids",),
            anchored=True,
        ),
        Format("triplets", "index triplets as THINGS uses them", (".npy", ".txt", ".csv"), read_index_triplets, ("ids",)),
        Format("table", "CSV or Excel, one row a trial", _SPREADSHEETS, read_mapped, ("mapping",)),
        Format("qualtrics", "CSV or Excel, one row a person", _SPREADSHEETS, read_qualtrics, ("mapping",)),
    )
}  # fmt: skip


def find_format(name: str) -> Format:
    """The format of this name.

    Raises:
        ConfigError: there is none.
    """
    if name in FORMATS:
        return FORMATS[name]
    close = get_close_matches(name, FORMATS, n=1)
    raise ConfigError(
        "unknown format", where=f"--from {name}", expected=", ".join(FORMATS),
        hint=f"did you mean {close[0]}?" if close else None,
    )  # fmt: skip


def read_judgments(path: Path, kind: Format, inputs: ReaderInputs) -> list[Reading]:
    """Read one file.

    Raises:
        DataError: it is missing, of another kind, or holds something that cannot be read; file, row and column are named.
        ConfigError: the mapping file cannot be used.
    """
    if not path.is_file():
        raise DataError("no such file", where=path, expected=f"{kind.what} ({', '.join(kind.endings)})")
    if path.suffix.lower() not in kind.endings:
        raise DataError(
            f"not a file of --from {kind.name}", where=path, expected=" or ".join(kind.endings),
            got=path.suffix or "no ending",
        )  # fmt: skip
    with foreign_damage_as_error(path, f"cannot be read by --from {kind.name}"):
        return kind.read(path, inputs)
