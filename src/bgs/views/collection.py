"""Table of a study's progress."""

from __future__ import annotations

from rich.console import RenderableType

from bgs.collection.progress import Progress
from bgs.views.console import table


def progress_view(found: Progress) -> RenderableType:
    """Counts, of how many, and what they mean."""
    rows = [
        ("blocks complete", _of(found.complete, found.blocks)),
        ("blocks in somebody's hands", f"{found.active:,}"),
        ("blocks abandoned, to be given out again", f"{found.abandoned:,}"),
        ("blocks free", f"{found.free:,}"),
        ("answers that count", _of(found.answers, found.planned)),
        ("pairs of clips seen", _of(found.pairs, found.pairs_planned)),
        ("participants", f"{found.participants:,}"),
        ("of these agreed", f"{found.consented:,}"),
        *([("of these SIMULATED observers", f"{found.simulated:,}")] if found.simulated else []),
        *((f"excluded: {why}", f"{count:,}") for why, count in sorted(found.excluded.items())),
        ("median time of a choice", "–" if found.rt_ms is None else f"{found.rt_ms / 1000:.1f} s"),
    ]
    return table("Progress of the study", ("", "count"), rows, numbers=(1,))


def _of(count: int, whole: int) -> str:
    return f"{count:,} of {whole:,} ({count / whole:.0%})" if whole else "0"
