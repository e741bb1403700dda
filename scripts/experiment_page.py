"""Writes the report of an experiment as a Markdown page of the docs: `make paper` (two experiments, about an hour).

`python scripts/experiment_page.py experiments/minilm docs/paper-text-minilm.md`: what lies between the markers of the page
is replaced; figures go into `docs/figures/<name of the page>/`. Of data that are not simulated, nothing that belongs to the
data set is written: no clip, no caption, no id.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from page_tables import between

from bgs._files import write_text
from bgs.experiments.cells import Cell
from bgs.experiments.experiment import Experiment, open_experiment
from bgs.experiments.page import experiment_page, read_results
from bgs.reports import Page, Section, Table, draw
from bgs.reports.write import cell_text, paragraphs

#: Chapters that show clips, and columns that name them.
WITH_CLIPS, NAMING = {"map", "triplets"}, {"clips that have most of it"}


def markdown(page: Page, figures: Path, link: str, show_clips: bool) -> str:
    """The page without its provenance; its figures are drawn into a folder that ``link`` leads to."""
    parts = [f"> {page.banner}"] if page.banner else []
    parts += paragraphs(page.lead)
    for section in page.sections:
        parts += _section(section, figures, link, show_clips or section.key not in WITH_CLIPS, show_clips)
    return "\n\n".join(parts)


def _section(section: Section, figures: Path, link: str, pictured: bool, naming: bool) -> list[str]:
    parts = [f"### {section.title}", *paragraphs(section.sentence)]
    parts += [f"*{note}*" for note in section.notes]
    for number, block in enumerate(section.figures if pictured else (), 1):
        if isinstance(block.figure, bytes):
            continue  # pictures of clips: in the report
        name = f"{section.key}-{number}.svg"
        draw(block.figure, figures / name)
        parts.append(f"![{block.caption}]({link}/{name})")
    parts += [_table(table, naming) for table in section.tables]
    method = " ".join(paragraphs(section.method))
    return [*parts, f"<sub>{method}</sub>"]


def _table(table: Table, naming: bool) -> str:
    kept = [k for k, name in enumerate(table.header) if naming or name not in NAMING]
    rule = "|" + "|".join("--:" if table.numeric[k] else "---" for k in kept) + "|"
    rows = [[table.header[k] for k in kept], *([cell_text(row[k]) for k in kept] for row in table.rows)]
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([f"**{table.caption}**", "", lines[0], rule, *lines[1:]])


def cost(data: Experiment) -> str:
    """What it took, and where it came from."""
    seconds = sum(_seconds(cell) for cell in data.cells)
    about = json.loads(data.folder.provenance.read_text(encoding="utf-8"))
    hashes = ", ".join(f"`{name}` {value[:12]}" for name, value in about["data_hashes"].items())
    return (
        f"{len(data.cells)} cells, {seconds / 60:.0f} minutes of training and evaluation; commit {about['git_commit'][:10]}, "
        f"seeds {', '.join(map(str, data.config.seeds))}. Data (SHA-256): {hashes}."
    )


def _seconds(cell: Cell) -> float:
    return float(json.loads(cell.marker.read_text(encoding="utf-8"))["seconds"])


def main() -> None:
    """Read, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiment", type=Path)
    parser.add_argument("page", type=Path)
    settings = parser.parse_args()
    mirror = os.environ.get("BGS_DATA_MIRROR")
    data = open_experiment(settings.experiment, Path(mirror) if mirror else None)
    page = experiment_page(data, *read_results(data))
    name = settings.page.stem
    text = markdown(
        page,
        settings.page.parent / "figures" / name,
        f"figures/{name}",
        data.simulated,
    )
    text += f"\n\n{cost(data)}"
    write_text(settings.page, between(settings.page.read_text(encoding="utf-8"), "report", text))


if __name__ == "__main__":
    main()
