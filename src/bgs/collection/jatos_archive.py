"""A study archive of JATOS (``.jzip``): a folder of files, and a ``.jas`` file that describes the study.

The format is that of JATOS 3 (``StudyDeserializer``, version 3 of the study model). Ids follow from the study: importing it
again offers to replace it.
"""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from bgs.collection.study_folder import StudyFolder

#: Kinds of links that JATOS gives out. Runs of ``Jatos``, from its own pages, are previews.
_WORKERS = ("Jatos", "PersonalSingle", "PersonalMultiple", "GeneralSingle", "GeneralMultiple")


def assets_name(study: StudyFolder) -> str:
    """Name of the folder of files, and of the archive."""
    name = re.sub(r"[^a-z0-9]+", "-", study.path.resolve().name.lower()).strip("-")
    return f"{name[:40] or 'study'}-{study.hash[:8]}"


def redirect(study: StudyFolder) -> str | None:
    """Where JATOS sends those who completed; None where the study has no such address."""
    codes = study.settings.codes
    return None if codes.return_url is None or codes.completed is None else codes.return_url + codes.completed


def pack(folder: Path, assets: str, study: StudyFolder) -> None:
    """Turn the folder ``assets`` within ``folder`` into an archive beside it."""
    with zipfile.ZipFile(folder / f"{assets}.jzip", "w") as archive:
        text = json.dumps({"version": "3", "data": _described(study, assets)}, ensure_ascii=False)
        archive.writestr(f"{assets}.jas", text)
        for path in sorted((folder / assets).rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
    shutil.rmtree(folder / assets)


def _described(study: StudyFolder, assets: str) -> dict[str, Any]:
    title = study.settings.title
    component = {
        "uuid": _uuid(study, "component"), "title": title, "htmlFilePath": "index.html", "reloadable": True,
        "active": True, "comments": "", "jsonData": None,
    }  # fmt: skip
    batch = {
        "uuid": _uuid(study, "batch"), "title": "Default", "active": True, "maxActiveMembers": None,
        "maxTotalMembers": None, "maxTotalWorkers": None, "allowedWorkerTypes": list(_WORKERS), "comments": None,
        "jsonData": None,
    }  # fmt: skip
    return {
        "uuid": _uuid(study, "study"), "title": title, "description": "Odd-one-out judgments on video clips",
        "groupStudy": False, "linearStudy": False, "dirName": assets, "comments": "", "jsonData": None,
        "endRedirectUrl": redirect(study), "componentList": [component], "batchList": [batch],
    }  # fmt: skip


def _uuid(study: StudyFolder, part: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"bgs:{study.hash}:{part}"))
