"""What researchers read about a bundle: its README, and what is different without a server."""

from __future__ import annotations

from typing import Any

from bgs.collection.study_folder import StudyFolder

_STEPS = {
    "download": (
        "Put the files of this folder on a web host with https, and send participants its address.",
        "Each participant downloads a file of answers in the end, and sends it to you.",
        "bgs data import *.json --from jspsych --out results",
    ),
    "datapipe": (
        "At https://pipe.jspsych.org, activate data collection for experiment {experiment}.",
        "Put the files of this folder on a web host with https, and send participants its address.",
        "Download the files from the OSF: bgs data import *.json --from jspsych --out results",
    ),
    "jatos": (
        "In JATOS: Import Study, with the .jzip file of this folder.",
        "Study Links: a General Single link gives each participant a block of their own.",
        "Results, Export Results: bgs data import RESULTS --from jatos --out results",
    ),
}


def readme(study: StudyFolder, saving: dict[str, Any]) -> str:
    """``README.txt``: three steps, and the notes."""
    steps = [step.format_map(saving) for step in _STEPS[saving["kind"]]]
    lines = [study.settings.title, "", *(f"{k}. {step}" for k, step in enumerate(steps, start=1)), ""]
    return "\n".join([*lines, *(f"- {note}" for note in notes(study, saving)), ""])


def notes(study: StudyFolder, saving: dict[str, Any]) -> tuple[str, ...]:
    """What is different without a server, a sentence each."""
    settings, found = study.settings, []
    if saving["kind"] == "jatos":
        found.append(
            "a block goes to one person; one that was abandoned stays taken until bgs-block-N is removed from the batch session"
        )
    elif saving.get("conditions"):
        found.append(
            f"DataPipe counts the blocks: set its number of conditions to {len(study.schedule.blocks)}"
        )
    else:
        found.append(
            "each browser draws its block at random: two people may get the same one, and some blocks nobody"
        )
    readable = [
        name for name, code in settings.codes.model_dump(exclude={"return_url"}).items() if code is not None
    ]
    if saving.get("redirects"):
        readable.remove("completed")
    if readable:
        found.append(f"whoever reads the page's files can read these codes: {', '.join(readable)}")
    if settings.blocks_per_participant > 1:
        found.append("everybody does one block: blocks_per_participant needs `bgs collect serve`")
    return tuple(found)
