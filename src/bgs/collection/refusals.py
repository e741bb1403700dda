"""What the server refuses, each with the page that the participant then sees."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a request is refused; the page knows a text for each."""

    #: All blocks are done or in somebody's hands.
    FULL = "full"
    #: The participant has done as many blocks as one person may do.
    DONE = "done"
    #: The participant was excluded.
    EXCLUDED = "excluded"
    #: The block was abandoned past its lease, and somebody else has it.
    RELEASED = "released"
    #: The token is forged, too old, or of another study.
    TOKEN = "token"
    #: Nothing is recorded before consent.
    CONSENT = "consent"
    #: The block has no such trial.
    TRIAL = "trial"
    #: Another answer to this trial is stored: the first one counts.
    ANSWERED = "answered"
    #: The answer does not fit the trial that was shown.
    MISMATCH = "mismatch"
    #: More requests than a person makes.
    BUSY = "busy"
    #: Some answers are not stored yet.
    INCOMPLETE = "incomplete"
    #: The block was added by a later batch, which this server knows once it is started again.
    OUTDATED = "outdated"


#: HTTP status of each.
STATUS = {
    Reason.FULL: 410, Reason.DONE: 410, Reason.EXCLUDED: 403, Reason.RELEASED: 409, Reason.TOKEN: 401, Reason.CONSENT: 403,
    Reason.TRIAL: 404, Reason.ANSWERED: 409, Reason.MISMATCH: 422, Reason.INCOMPLETE: 409, Reason.BUSY: 429,
    Reason.OUTDATED: 429,  # the page waits, and sends again
}  # fmt: skip


class Refused(Exception):
    """A request that cannot be done as things are.

    Attributes:
        reason: why.
        details: for the page, such as the trials that lack an answer.
    """

    def __init__(self, reason: Reason, **details: object) -> None:
        super().__init__(reason.value)
        self.reason, self.details = reason, details
