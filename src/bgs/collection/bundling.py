"""A study as a folder that runs without our server: on a static host, or imported into JATOS."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from bgs._errors import BgsError, ConfigError
from bgs._files import atomic_folder, make_folder, require_new_folder, require_output, write_text
from bgs.collection import jatos_archive
from bgs.collection.bundle_texts import notes, readme
from bgs.collection.preparing import require_playable
from bgs.collection.serving import PAGE
from bgs.collection.study_folder import StudyFolder
from bgs.serving.clip_files import clip_name

Target = Literal["jatos", "static"]
#: Nothing from elsewhere, but for the saving service.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    "connect-src 'self'{service}; form-action 'none'; base-uri 'none'"
)


@dataclass(frozen=True)
class DataPipe:
    """A saving service that puts files into a component of the Open Science Framework; see https://pipe.jspsych.org.

    Attributes:
        experiment: its id there.
        every: answers in a file; None puts a whole block into one.
        conditions: take blocks in turn, by the service's condition assignment, rather than at random.
        service: address of its interface.

    Raises:
        ConfigError: the id or the number of answers cannot be meant.
    """

    experiment: str
    every: int | None = None
    conditions: bool = False
    service: str = "https://pipe.jspsych.org/api"

    def __post_init__(self) -> None:
        if not (self.experiment.isascii() and self.experiment.isalnum()):
            raise ConfigError(
                "not the id of an experiment", where="datapipe", expected="letters and digits", got=self.experiment
            )  # fmt: skip
        if self.every is not None and self.every < 1:
            raise ConfigError(
                "too few answers in a file", where="every", expected="at least 1", got=self.every
            )

    @property
    def origin(self) -> str:
        """Where the page sends answers, as its policy names it."""
        parts = urlsplit(self.service)
        return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True)
class Bundle:
    """What was written.

    Attributes:
        path: the folder.
        blocks, clips: how many it holds.
        notes: what to know before participants come, a sentence each.
    """

    path: Path
    blocks: int
    clips: int
    notes: tuple[str, ...]


def bundle(study: StudyFolder, out: Path, target: Target, pipe: DataPipe | None = None) -> Bundle:
    """Write a study as a folder that runs without our server; all of it or nothing.

    Args:
        study: to be written.
        out: new or empty folder.
        target: ``static`` writes the page for any web host; ``jatos`` an archive to be imported.
        pipe: saving service of a static host; without one, participants download their answers.

    Raises:
        BgsError: the page is not built, browsers do not play a clip, the folder holds something, or cannot be written.
    """
    if target == "jatos" and pipe is not None:
        raise ConfigError(
            "DataPipe is for static hosts", where="datapipe", hint="JATOS itself saves the answers"
        )
    if not (PAGE / "bundle.html").is_file():
        raise BgsError("the page is not built", where=PAGE, hint="`make web` builds it (needs Node)")
    require_new_folder(out)
    require_output(out / "index.html")
    require_playable(study.clips)
    saving = _saving(study, target, pipe)
    found = described(study, saving)
    with atomic_folder(out) as part:
        if target == "static":
            service = "" if pipe is None else f" {pipe.origin}"
            policy = _POLICY.format(service=service)
            _write_page(
                part, study, found, f'<meta http-equiv="Content-Security-Policy" content="{policy}" />'
            )
        else:
            assets = jatos_archive.assets_name(study)
            _write_page(part / assets, study, found, '<script src="jatos.js"></script>')
            jatos_archive.pack(part, assets, study)
        write_text(part / "README.txt", readme(study, saving))
    return Bundle(out, len(found["blocks"]), len(found["clips"]), notes(study, saving))


def participant_name(study: StudyFolder, source: str, participant: str) -> str:
    """What a participant of a bundle is called in its results: a hash, so that recruitment ids are not saved.

    It is no secret: whoever has the bundle and a list of ids can match them.
    """
    text = "\n".join((study.hash, source, participant))
    return f"p-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def described(study: StudyFolder, saving: dict[str, Any]) -> dict[str, Any]:
    """``study.json``: what the server would know, and how answers leave the browser. Clips are named by their place."""
    settings, blocks = study.settings, study.schedule.blocks
    shown = [name for trials in blocks.values() for trial in trials for name in trial.stimuli]
    shown += [name for triplet in settings.practice for name in triplet]
    place = {name: k for k, name in enumerate(dict.fromkeys(shown))}
    codes = settings.codes.model_dump()
    if saving.get("redirects"):
        codes["completed"] = None  # JATOS knows it, and participants' browsers do not
    return {
        **settings.texts(),
        "hash": study.hash,
        "consent_version": settings.consent.version,
        "allowed_failures": settings.attention.allowed_failures,
        "allowed_unplayed": settings.playback.allowed_unplayed,
        "codes": codes,
        "saving": saving,
        "clips": [{"id": name, "url": f"clips/{clip_name(name, study.clips[name])}"} for name in place],
        "practice": [[place[name] for name in triplet] for triplet in settings.practice],
        "blocks": [
            {
                "name": name,
                "trials": [[*(place[each] for each in trial.stimuli), trial.kind] for trial in trials],
            }
            for name, trials in blocks.items()
        ],
    }


def _saving(study: StudyFolder, target: Target, pipe: DataPipe | None) -> dict[str, Any]:
    if target == "jatos":
        return {"kind": "jatos", "redirects": jatos_archive.redirect(study) is not None}
    return {"kind": "download"} if pipe is None else {"kind": "datapipe", **vars(pipe)}


def _write_page(folder: Path, study: StudyFolder, found: dict[str, Any], head: str) -> None:
    """The page, with a line in its head, its study and the clips."""
    page = (PAGE / "bundle.html").read_text(encoding="utf-8")
    assets, clips = make_folder(folder / "assets"), make_folder(folder / "clips")
    write_text(folder / "index.html", page.replace("<script", f"{head}\n    <script", 1))
    for asset in (PAGE / "assets").iterdir():
        if f"assets/{asset.name}" in page:
            shutil.copyfile(asset, assets / asset.name)
    for clip in found["clips"]:
        shutil.copyfile(study.clips[clip["id"]], clips / Path(clip["url"]).name)
    # Not indented: every participant loads it.
    write_text(
        folder / "study.json",
        json.dumps(found, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n",
    )
