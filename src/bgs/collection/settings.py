"""``study.yaml``: what participants read, what they are paid, and when a block goes back."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from bgs._config import Settings
from bgs.collection.plain_text import Line

#: Minutes of a lease at most: a hundred years.
_MINUTES = 60 * 24 * 36525
#: Ends of a scale: beyond it, differences and means overflow.
FARTHEST = 1e300


class ConsentSettings(Settings):
    """What participants agree to before anything is recorded."""

    version: Line = Field("1", min_length=1, max_length=64)
    """Recorded with every participant; change it with the text."""
    text: str = Field(
        "I am 18 or older and take part of my own free will. I can stop at any time.", min_length=1
    )
    """Shown above the two buttons; blank lines separate paragraphs."""


class CodeSettings(Settings):
    """Completion codes, which stay on the server until they are due."""

    completed: str | None = None
    """Given once every answer is stored."""
    no_consent: str | None = None
    """Given to those who do not agree."""
    failed_attention: str | None = None
    """Given, once every answer is stored, to those who failed too many attention checks."""
    incompatible: str | None = None
    """Given to those whose device does not play the clips."""
    return_url: str | None = Field(None, pattern=r"^https://")
    """Address to which the code is appended, for example ``https://app.prolific.com/submissions/complete?cc=``."""


class AttentionSettings(Settings):
    """Trials in which one clip is shown twice."""

    allowed_failures: int = Field(1, ge=0)
    """More failed checks than these exclude a participant, whose block goes to somebody else."""


class PlaybackSettings(Settings):
    """Trials whose clips could not be played."""

    allowed_unplayed: float = Field(0.2, ge=0, le=1)
    """Above this share of a block's trials, it ends with the code for incompatible devices and goes to somebody else. An
    attention check that was not played is none passed: with those failed, no more than allowed_failures."""


class BreakSettings(Settings):
    """Pauses."""

    every: int = Field(30, ge=1)
    """Trials between pauses."""


class PrivacySettings(Settings):
    """What is stored of a participant beyond the answers. Names are always hashed."""

    user_agent: bool = False
    """Store the browser's name and version."""


class LimitSettings(Settings):
    """Bounds for what one session may send."""

    requests_per_minute: int = Field(240, ge=1, le=100_000)
    """Per session; joining is counted for all together, 20 times as many."""
    hours: float = Field(24.0, gt=0, le=24 * 30)
    """Age at which a session's token is no longer accepted."""


class ScaleSettings(Settings):
    """The scale of a rating in ``stimuli.csv``."""

    low: float = Field(ge=-FARTHEST, le=FARTHEST)
    """Its lower end."""
    high: float = Field(ge=-FARTHEST, le=FARTHEST)
    """Its upper end."""
    low_label: str = Field("", max_length=60)
    """What the lower end means, such as unpleasant."""
    high_label: str = Field("", max_length=60)
    """What the upper end means."""

    @model_validator(mode="after")
    def _ends_differ(self) -> ScaleSettings:
        if not self.low < self.high:
            raise ValueError("low must be below high")
        return self


class StudySettings(Settings):
    """A study: ``study.yaml`` in its folder."""

    title: str = Field("Which clip is the odd one out?", min_length=1, max_length=200)
    """Shown in the title bar and on the first page."""
    language: str = Field("en", pattern=r"^[a-zA-Z-]{2,12}$")
    """Of the texts below, for screen readers."""
    instructions: str = (
        "You will see three short silent clips. Two of them show similar social situations.\n\n"
        "Choose the clip that is the odd one out. There is no right answer: we want to know what you see."
    )
    """Shown before practice; blank lines separate paragraphs."""
    debrief: str = "Thank you! Your choices will help to find out how people see social interaction."
    """Shown with the completion code."""
    contact: str = ""
    """Name or e-mail address for questions, on every page."""
    practice: tuple[tuple[str, str, str], ...] = ()
    """Triplets of stimulus ids shown first; these answers are not stored."""
    scales: dict[str, ScaleSettings] = Field(default_factory=dict)
    """Practice mode: ratings to be placed, columns of stimuli.csv, each with low, high, low_label and high_label. By default
    valence, arousal and dominance, each over the range of its values."""
    lease_minutes: float = Field(60.0, gt=0, le=_MINUTES)
    """A block without an answer for so long may go to somebody else."""
    blocks_per_participant: int = Field(1, ge=1)
    """How many blocks one person may do, one after the other."""
    consent: ConsentSettings = ConsentSettings()
    """What participants agree to."""
    codes: CodeSettings = CodeSettings()
    """Completion codes."""
    attention: AttentionSettings = AttentionSettings()
    """Attention checks."""
    playback: PlaybackSettings = PlaybackSettings()
    """Clips that cannot be played."""
    breaks: BreakSettings = BreakSettings()
    """Pauses."""
    privacy: PrivacySettings = PrivacySettings()
    """What is stored."""
    limits: LimitSettings = LimitSettings()
    """Bounds."""

    def texts(self) -> dict[str, Any]:
        """What the page shows of it."""
        return {
            "title": self.title, "language": self.language, "consent": self.consent.text,
            "instructions": self.instructions, "debrief": self.debrief, "contact": self.contact,
            "break_every": self.breaks.every,
        }  # fmt: skip

    @model_validator(mode="after")
    def _codes_differ(self) -> StudySettings:
        codes = self.codes
        given = [codes.completed, codes.no_consent, codes.failed_attention, codes.incompatible]
        known = [code for code in given if code is not None]
        if len(set(known)) < len(known):
            raise ValueError("codes: two of them are the same, so that they do not tell participants apart")
        return self
