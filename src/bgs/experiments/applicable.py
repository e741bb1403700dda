"""What does not apply to an experiment, and why: no failure, and said in plain words."""

from __future__ import annotations

from bgs._errors import BgsError


class NotApplicable(BgsError):
    """An analysis, or a part of a report, that this experiment has nothing for; the message is the reason."""
