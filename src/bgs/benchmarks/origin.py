"""The provenance of a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bgs.runs.origins import git_commit, provenance, sources


def row_origin(
    model: str,
    seeds: Sequence[int],
    data_hashes: Mapping[str, Mapping[str, str]],
    *,
    tuned: bool = False,
    **entries: Any,
) -> dict[str, Any]:
    """Command, date, versions and hashes.

    Args:
        model: the reference as the row gives it.
        seeds: of everything random.
        data_hashes: data set -> file -> SHA-256.
        tuned: whether it was tuned as well.
        entries: what else is known.
    """
    return provenance(
        command=f"bgs benchmark {model}" + (" --tune" if tuned else ""), date=datetime.now(UTC).date().isoformat(),
        seeds=list(seeds), data_hashes=data_hashes, sources=sources(), commit=git_commit(), **entries,
    )  # fmt: skip
