"""Writes what docs/heider-simmel.md says of tuning: from verbs to choices, from choices to choices, and both in sequence.

    bgs experiment configs/heider-simmel-verbs.yaml --out experiments/heider-simmel-verbs      # -twins, -vit, -vit-lora
    python reproduce/heider_simmel_figures.py

Reads the finished cells of experiments/heider-simmel-verbs*, cross-validates on the choices (in runs/heider-simmel; a second call
resumes), and writes tables, a figure and docs/results/heider_simmel.json.
"""

from __future__ import annotations

from pathlib import Path

from heider_simmel_choices import from_choices
from heider_simmel_forest import figure
from heider_simmel_page import choices_table, summary_table, verbs_table
from heider_simmel_verbs import from_verbs
from page_tables import between

from bgs._files import write_json, write_text
from bgs.reports import draw

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGE, RESULTS = ROOT / "docs/heider-simmel.md", ROOT / "docs/results/heider_simmel.json"
FIGURE = ROOT / "docs/figures/heider-simmel.svg"


def main() -> None:
    lines, ceiling = from_verbs()
    choices = from_choices()
    draw(figure(lines, ceiling), FIGURE)
    write_text(README, between(README.read_text(encoding="utf-8"), "heider-simmel", summary_table(lines)))
    page = between(PAGE.read_text(encoding="utf-8"), "verbs", verbs_table(lines))
    write_text(PAGE, between(page, "choices", choices_table(choices)))
    from_cv = {name: one.to_json() for name, one in choices.items()}
    from_lines = [one.to_json() for one in lines]
    write_json(RESULTS, {"verbs": from_lines, "ceiling": ceiling.to_json(), "choices": from_cv})


if __name__ == "__main__":
    main()
