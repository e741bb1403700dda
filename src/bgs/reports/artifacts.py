"""Writes the contents of a page as files for a paper: figures as SVG and PNG, tables as CSV and LaTeX."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

from bgs._files import write_bytes, write_text
from bgs._numbers import plain
from bgs.evaluation import Metric
from bgs.reports.opening import QUESTION, Opening
from bgs.reports.page import Cell, FigureBlock, Page, Section, Table, TripletBlock
from bgs.reports.pictures import media_type, stacked_strips
from bgs.reports.rendering import draw
from bgs.reports.triplets import CHOOSERS, chooser_names
from bgs.reports.vocabulary import Vocabulary

_SUFFIX = {"image/png": "png", "image/jpeg": "jpg", "image/svg+xml": "svg"}
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "−": "$-$", "–": "--", "≤": r"$\leq$", "≥": r"$\geq$", "²": r"\textsuperscript{2}", "ρ": r"$\rho$",
}  # fmt: skip


def write_artifacts(page: Page, folder: str | Path) -> tuple[Path, ...]:
    """Write every figure and table of a page into ``folder``, each atomically.

    ``figures/opening-1.jpg``, ``tables/opening.csv`` and ``figures/headline.svg`` of the first screen; for each section
    ``figures/KEY-1.svg`` and ``.png`` (a picture given as bytes is copied), ``figures/KEY-triplets-1-1.jpg`` (three
    strips, one below the other), ``tables/KEY-1.csv`` and ``.tex`` (booktabs), ``tables/KEY-triplets-1.csv`` and
    ``.tex``. In a CSV a metric fills three columns: value, low and high; undefined numbers are empty.

    Returns:
        The files, in the order of the page.

    Raises:
        MissingExtraError: matplotlib or Pillow is not installed.
        BgsError: a file cannot be written.
    """
    root = Path(folder)
    written = [] if page.opening is None else _opening(page.opening, root, page.words)
    if page.headline is not None:
        written += _figure(page.headline.figure, root / "figures" / "headline")
    for section in page.sections:
        written += _section(section, root, page.words)
    return tuple(written)


def table_csv(table: Table) -> str:
    """Comma-separated values at full precision."""
    wide = [any(isinstance(row[k], Metric) for row in table.rows) for k in range(len(table.header))]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    header: list[str] = []
    for name, metric in zip(table.header, wide, strict=True):
        header += [name, f"{name} low", f"{name} high"] if metric else [name]
    writer.writerow(header)
    for row in table.rows:
        writer.writerow(
            [cell for value, metric in zip(row, wide, strict=True) for cell in _raw(value, metric)]
        )
    return buffer.getvalue()


def table_latex(table: Table, label: str) -> str:
    """A ``table`` environment with booktabs rules; every special character escaped."""
    columns = "".join("r" if numeric else "l" for numeric in table.numeric)
    lines = [" & ".join(latex(cell) for cell in row) + r" \\" for row in table.rows]
    body = "\n".join([" & ".join(latex(name) for name in table.header) + r" \\", r"\midrule", *lines])
    return (
        "% needs \\usepackage{booktabs}\n\\begin{table}\n\\centering\n"
        f"\\caption{{{latex(table.caption)}}}\n\\label{{tab:{label}}}\n"
        f"\\begin{{tabular}}{{{columns}}}\n\\toprule\n{body}\n\\bottomrule\n\\end{{tabular}}\n\\end{{table}}\n"
    )


def latex(cell: Cell) -> str:
    """A cell as LaTeX text; an interval in brackets is protected from being read as an optional argument."""
    if isinstance(cell, Metric):
        text = cell.words()
    elif isinstance(cell, float):
        text = plain(cell, 3)
    else:
        text = "" if cell is None else cell if isinstance(cell, str) else f"{cell:,}"
    escaped = "".join(_LATEX.get(letter, letter) for letter in text)
    return f"{{{escaped}}}" if escaped.startswith("[") else escaped


def _opening(opening: Opening, root: Path, words: Vocabulary) -> list[Path]:
    block = TripletBlock(QUESTION, opening.rule, (opening.triplet,))
    tables = _table(_choices(block, words), root / "tables" / "opening")
    return [*tables, *_strips(block, root / "figures", "opening")]


def _section(section: Section, root: Path, words: Vocabulary) -> list[Path]:
    written: list[Path] = []
    for k, block in enumerate(section.figures, 1):
        written += _figure(block, root / "figures" / f"{section.key}-{k}")
    for k, table in enumerate(section.tables, 1):
        written += _table(table, root / "tables" / f"{section.key}-{k}")
    for k, triplets in enumerate(section.triplets, 1):
        name = f"{section.key}-triplets-{k}"
        written += _table(_choices(triplets, words), root / "tables" / name)
        written += _strips(triplets, root / "figures", name)
    return written


def _figure(block: FigureBlock, stem: Path) -> list[Path]:
    if isinstance(block.figure, bytes):
        path = stem.with_name(f"{stem.name}.{_SUFFIX[media_type(block.figure)]}")
        return [_write(path, block.figure)]
    paths = [stem.with_name(f"{stem.name}.{form}") for form in ("svg", "png")]
    for path in paths:
        draw(block.figure, path)
    return paths


def _table(table: Table, stem: Path) -> list[Path]:
    texts = {"csv": table_csv(table), "tex": table_latex(table, stem.name)}
    paths = {form: stem.with_name(f"{stem.name}.{form}") for form in texts}
    for form, text in texts.items():
        write_text(paths[form], text)
    return list(paths.values())


def _choices(block: TripletBlock, words: Vocabulary) -> Table:
    """The clip that each chooser left out, one row per triplet."""
    rows = tuple(
        (
            *(clip.name for clip in triplet.clips),
            *(triplet.clips[triplet.odd[who]].name if who in triplet.odd else None for who in CHOOSERS),
            triplet.note,
        )
        for triplet in block.triplets
    )
    chosen = (f"left out by {name}" for name in chooser_names(words).values())
    return Table(f"{block.title}. {block.sentence}", ("clip 1", "clip 2", "clip 3", *chosen, "note"), rows)


def _strips(block: TripletBlock, folder: Path, name: str) -> list[Path]:
    written = []
    for k, triplet in enumerate(block.triplets, 1):
        picture = stacked_strips([clip.frames for clip in triplet.clips if clip.frames is not None])
        if picture is not None:  # without clips on this machine, the table holds everything
            written.append(_write(folder / f"{name}-{k}.jpg", picture))
    return written


def _raw(value: Cell, metric: bool) -> list[object]:
    if isinstance(value, Metric):
        return [_number(value.value), _number(value.low), _number(value.high)]
    cell = _number(value) if isinstance(value, float) else "" if value is None else value
    return [cell, "", ""] if metric else [cell]


def _number(value: float) -> object:
    return "" if math.isnan(value) else repr(float(value))


def _write(path: Path, data: bytes) -> Path:
    write_bytes(path, data)
    return path
