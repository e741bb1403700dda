"""Every command of `bgs` as one page of Markdown: help, arguments, options and an example, from the program itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from bgs.cli.main import app

INTRODUCTION = """# Commands

What `--help` says, of every command. Bad input is one line and exit code 2. `bgs --quiet COMMAND` prints errors only.
`--json FILE` writes what a command found as JSON (`-`: to standard output).
"""


def command_reference() -> str:
    """The page."""
    root = typer.main.get_command(app)
    return "\n".join([INTRODUCTION, *_described(root.context_class(root, info_name="bgs"), level=2)])


def _described(context: Any, level: int) -> Iterator[str]:
    """A command, and those within it (a group is known by ``commands``: typer's is not a ``click.Group``)."""
    command = context.command
    if context.parent is not None:
        yield from _section(context, level)
        level += 1
    for name, inner in getattr(command, "commands", {}).items():
        yield from _described(command.context_class(inner, info_name=name, parent=context), level)


def _section(context: Any, level: int) -> Iterator[str]:
    """One command. A group has no options of its own, only a summary."""
    command = context.command
    example = (command.epilog or "").removeprefix("Example: ")
    yield f"{'#' * level} {context.command_path}\n"
    yield f"{_paragraphs(command.help or '')}\n"
    if not hasattr(command, "commands"):
        usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
        rows = [
            _row(parameter, context) for parameter in command.get_params(context) if parameter.name != "help"
        ]
        yield f"```text\n{usage}\n```\n"
        yield from ("| | |\n|---|---|", *rows, "")
        yield f"```bash\n{example}\n```\n"


def _row(parameter: Any, context: Any) -> str:
    name, text = parameter.get_help_record(context)
    return f"| <code>{_cell(name)}</code> | {_cell(text)} |"


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _cell(text: str) -> str:
    """Text inside a table: what would end a cell or be read as a tag is written out."""
    text = " ".join(text.split())
    for sign, written in (("&", "&amp;"), ("<", "&lt;"), ("|", "&#124;"), ("*", "&#42;"), ("_", "&#95;")):
        text = text.replace(sign, written)
    return text
