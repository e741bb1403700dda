"""JATOS: exported results of a study that shows the plugin ``odd-one-out``.

Either the text of several results (one after the other, as *Export Results* writes plain text) or an archive (``.jrzip``,
``.jzip``, ``.zip``) with ``study_result_N/comp-result_M/data.txt``; see https://www.jatos.org/JATOS-Results-Archive-JRZIP.html.
The fields of a trial are those of :mod:`bgs.judgments.readers.jspsych`; a result whose trials do not name their participant is
named after its study result. In an archive, results of other components (no odd-one-out trial, or no JSON) are passed over and
counted. Nothing is unpacked onto the disk.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

from bgs._errors import DataError
from bgs._files import foreign_damage_as_error
from bgs.judgments.readers.json_documents import documents
from bgs.judgments.readers.jspsych import PLUGIN, read_jspsych, trials_in
from bgs.judgments.readers.reading import ReaderInputs, Reading

_DATA = re.compile(r"(?:^|.*/)(study_result_\d{1,20})/comp[-_]result_\d{1,20}/data\.txt")
#: Most bytes of text in an archive: beyond it, it is damaged or made to do harm.
MOST_BYTES = 2 << 30


def read_jatos(path: Path, inputs: ReaderInputs) -> list[Reading]:
    """Read results exported from JATOS.

    Raises:
        DataError: the archive is damaged or holds no result of the plugin; or see
            :func:`bgs.judgments.readers.jspsych.read_jspsych`.
    """
    if not zipfile.is_zipfile(path):
        if path.suffix.lower() in (".zip", ".jzip", ".jrzip"):
            raise DataError("not a ZIP archive, or a damaged one", where=path)
        return read_jspsych(path, inputs)
    texts = _data_texts(path)
    readings, others = [], 0
    for name, text in texts.items():
        inside = path / name
        found = list(documents(text, inside)) if text.lstrip()[:1] in ("[", "{") else []
        if not any(_has_ours(value) for _, value in found):
            others += 1
            continue
        match = _DATA.fullmatch(name)
        readings.append(trials_in(found, inside, match[1] if match else inside.parent.name))
    if not readings:
        raise DataError(
            f"no result with a trial of the plugin {PLUGIN!r}",
            where=path,
            got=f"{others} results of other components",
        )
    if others:
        readings[0].table.assumptions.insert(0, f"{path}: {others} results of other components passed over")
    return readings


def _data_texts(path: Path) -> dict[str, str]:
    """Name -> text of each result in an archive, in the order of their numbers."""
    with foreign_damage_as_error(path, "damaged or protected archive"), zipfile.ZipFile(path) as archive:
        entries = [entry for entry in archive.infolist() if _DATA.fullmatch(entry.filename)]
        if not entries:
            raise DataError(
                "not results of JATOS", where=path, expected="study_result_N/comp-result_M/data.txt in the archive",
                got=f"{len(archive.namelist())} other files",
            )  # fmt: skip
        if sum(entry.file_size for entry in entries) > MOST_BYTES:
            raise DataError(
                "too large for results", where=path, expected=f"at most {MOST_BYTES >> 30} GiB of text"
            )
        entries.sort(key=lambda entry: [int(number) for number in re.findall(r"\d+", entry.filename)[-2:]])
        return {entry.filename: _utf8(archive.read(entry), path / entry.filename) for entry in entries}


def _utf8(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError("not UTF-8 text", where=path, got=f"byte {error.start}: {error.reason}") from None


def _has_ours(value: Any) -> bool:
    if isinstance(value, list):
        return any(_has_ours(item) for item in value)
    if isinstance(value, dict):
        return value.get("trial_type") == PLUGIN or any(
            _has_ours(value.get(key)) for key in ("trials", "data")
        )
    return False
