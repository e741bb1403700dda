"""Writes what docs/heider-simmel.md says of tuning: from verbs to choices, from choices to choices, and both in sequence.

    bgs experiment configs/heider-simmel-verbs.yaml --out experiments/heider-simmel-verbs      # -twins, -vit, -vit-lora
    python reproduce/heider_simmel_figures.py

Reads the finished cells and analyses of experiments/heider-simmel-verbs*, cross-validates on the choices (in
runs/heider-simmel; a second call reads what is finished), and writes tables, a figure and docs/results/heider_simmel.json.
What the folders no longer have is kept from that file; what was never measured is listed on the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from heider_simmel_grid import ROOT
from heider_simmel_measured import Measured, measure
from heider_simmel_names import names_of, ordered
from heider_simmel_page import page_parts, summary_text
from heider_simmel_verbs import Line
from page_tables import between

from bgs._files import read_json, read_text, write_json, write_text
from bgs.evaluation import Metric
from bgs.reports import Estimate, ForestFigure, ForestPanel, ForestRow, draw
from bgs.reports.palette import Role

README, PAGE = ROOT / "README.md", ROOT / "docs/heider-simmel.md"
RESULTS, FIGURE = ROOT / "docs/results/heider_simmel.json", ROOT / "docs/figures/heider-simmel.svg"

#: State that the figure shows -> whose colour it has.
_ROLES: dict[str, Role] = {
    "frozen": "base",
    "linear transform": "captions",
    "LoRA": "tuned",
    "trained in full": "tuned",
}


def figure(lines: Sequence[Line], ceiling: Metric) -> ForestFigure:
    """Encoders as rows, the best first, each above its random twin: frozen, transform, network trained."""
    rows = tuple(
        ForestRow(name, tuple(estimates(lines, encoder)), chance=0.0)
        for encoder, name in names_of(ordered(lines)).items()
    )
    axis = "Spearman correlation with people, 95\u00a0% interval"
    return ForestFigure((ForestPanel("From verbs to choices", axis, rows, ceiling.value, "noise ceiling"),))


def estimates(lines: Sequence[Line], encoder: str) -> Iterator[Estimate]:
    """The states of an encoder that a figure shows."""
    own = {line.state: line for line in lines if line.encoder == encoder}
    for state, role in _ROLES.items():
        if state in own:
            yield Estimate.of(state, own[state].rsa, role)


def main() -> None:
    """Measure, keep, draw, write."""
    measured = measure(Measured.from_json(read_json(RESULTS)) if RESULTS.is_file() else None)
    write_json(RESULTS, measured.to_json())
    draw(figure(measured.verbs, measured.ceiling), FIGURE)
    write_text(README, between(read_text(README), "heider-simmel", summary_text(measured.verbs)))
    page = read_text(PAGE)
    for name, text in page_parts(measured).items():
        page = between(page, name, text)
    write_text(PAGE, page)


if __name__ == "__main__":
    main()
