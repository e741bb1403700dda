"""Every command of `bgs` as one page of Markdown: help, arguments, options and an example, from the program itself."""

from __future__ import annotations

from collections.abc import Iterator

import click
import typer

from bgs.cli.main import app

INTRODUCTION = """# Commands

What `--help` says, of every command. Bad input is one line and exit code 2. `bgs --quiet COMMAND` prints errors only.
`--json FILE` writes what a command found as JSON (`-`: to standard output).
"""


def command_reference() -> str:
    """The page."""
    root = typer.main.get_command(app)
    return "\n".join([INTRODUCTION, *_described(click.Context(root, info_name="bgs"), level=2)])


def _described(context: click.Context, level: int) -> Iterator[str]:
    command = context.command
    if context.parent is not None:
        yield from _section(context, level)
    for name in command.list_commands(context) if isinstance(command, click.Group) else ():
        inner = command.get_command(context, name)
        assert inner is not None
        yield from _described(
            click.Context(inner, info_name=name, parent=context), level + (context.parent is not None)
        )


def _section(context: click.Context, level: int) -> Iterator[str]:
    """One command. A group has no options of its own, only a summary."""
    command = context.command
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"{'#' * level} {context.command_path}\n"
    yield f"{_paragraphs(command.help or '')}\n"
    yield f"```text\n{context.command_path} {usage}\n```\n"
    rows = [record for parameter in command.get_params(context) if (record := _row(parameter, context))]
    if not isinstance(command, click.Group):
        yield "| | |\n|---|---|"
        yield from (f"| `{name}` | {_cell(text)} |" for name, text in rows)
    yield ""
    example = (command.epilog or "").removeprefix("Example: ")
    yield f"```bash\n{example}\n```\n"


def _row(parameter: click.Parameter, context: click.Context) -> tuple[str, str] | None:
    record = parameter.get_help_record(context)
    return None if record is None or parameter.name == "help" else record


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _cell(text: str) -> str:
    """Text inside a table: what would end a cell or be read as a tag is written out."""
    text = " ".join(text.split())
    for sign, written in (("&", "&amp;"), ("<", "&lt;"), ("|", "&#124;"), ("*", "&#42;"), ("_", "&#95;")):
        text = text.replace(sign, written)
    return text
