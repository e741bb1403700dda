"""The audit of a data set, from Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bgs.datasets import Dataset, audit_dataset, load_dataset
from bgs.judgments.quality_rules import RuleSet, read_rules
from bgs.judgments.trial_audit import Audit
from bgs.views.audit import audit_view
from bgs.views.displayable import Displayable

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True, repr=False)
class DatasetAudit(Displayable):
    """An audit of a data set; displays as tables.

    Attributes:
        dataset: the data set.
        found: the full audit, including each participant.
    """

    dataset: Dataset
    found: Audit

    def _views(self) -> Sequence[RenderableType]:
        return (audit_view(self.dataset, self.found),)

    def to_json(self) -> dict[str, Any]:
        """JSON types only, as ``bgs data audit --json`` writes them."""
        about = {
            "dataset": self.dataset.name,
            "simulated": self.dataset.simulated,
            "hashes": dict(self.dataset.hashes),
        }
        return {**about, **self.found.to_json()}


def audit(
    data: Dataset | str | Path, *, mirror: str | Path | None = None, rules: RuleSet | str | Path | None = None
) -> DatasetAudit:
    """Audit a data set's trials: attention checks, duplicates, response times, coverage, agreement, leakage.

    Args:
        data: a data set, its name or folder.
        mirror: folder with a mirror of the authors' repositories.
        rules: rules of exclusion, or their YAML file (docs/quality-control.md); participants who break one are listed.

    Raises:
        ConfigError: the rules cannot be read.
        DataError: the data set is not available or has no trials.
    """
    chosen = read_rules(rules) if isinstance(rules, str | Path) else rules
    dataset = data if isinstance(data, Dataset) else load_dataset(data, mirror=mirror)
    return DatasetAudit(dataset, audit_dataset(dataset, chosen))
