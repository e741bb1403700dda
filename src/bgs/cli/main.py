"""The `bgs` command: collects the subcommands and turns errors into one line and exit code 2."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from bgs import __version__
from bgs._errors import BgsError, shown
from bgs._optional import missing_extra
from bgs._progress import NoteHandler, be_quiet
from bgs.cli import (
    attention,
    benchmark,
    browse,
    cache,
    calibrate,
    collect,
    config,
    data,
    describe,
    design,
    embed,
    evaluate,
    experiment,
    index,
    masks,
    models,
    odd,
    ordinal,
    practice,
    quickstart,
    report,
    select,
    share,
    similar,
    simulate,
    train,
)
from bgs.training.stopping import Stopped, signals_stop_training

app = typer.Typer(
    name="bgs",
    help="Teach encoders to see social video the way people do, and measure how well they do.",
    epilog="Example: bgs evaluate --embeddings minilm.safetensors --data garcia-isik-2025",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(data.app, name="data")
app.add_typer(cache.app, name="cache")
app.add_typer(collect.app, name="collect")
app.add_typer(config.app, name="config")
app.add_typer(models.app, name="models")
app.add_typer(simulate.app, name="simulate")
for _command, _example, _summary in (
    (quickstart.quickstart, quickstart.EXAMPLE, "Run a whole study in miniature, on simulated data."),
    (select.select, select.EXAMPLE, "Choose clips for a study: a covering, or matched sets."),
    (design.design, design.EXAMPLE, "Make a trial schedule, and forecast what it will yield."),
    (practice.practice, practice.EXAMPLE, "Practise seeing what others see in silent clips."),
    (embed.embed, embed.EXAMPLE, "Embed every stimulus of a data set with a model."),
    (evaluate.evaluate, evaluate.EXAMPLE, "Measure how well embeddings predict human judgments."),
    (ordinal.ordinal, ordinal.EXAMPLE, "Embed stimuli from judgments alone."),
    (train.train, train.EXAMPLE, "Tune an encoder on human judgments, and measure it."),
    (calibrate.calibrate, calibrate.EXAMPLE, "Let a run say how sure it is."),
    (describe.describe, describe.EXAMPLE, "Predict ratings of a clip, with intervals."),
    (share.share, share.EXAMPLE, "Share a tuned model, as a folder or on the hub."),
    (odd.odd, odd.EXAMPLE, "Predict which of three clips is the odd one out."),
    (index.index, index.EXAMPLE, "Index a folder of videos, to find clips alike."),
    (similar.similar, similar.EXAMPLE, "Find the indexed clips that are most like one."),
    (browse.browse, browse.EXAMPLE, "Browse an index: a map of its clips, and what is near."),
    (masks.masks, masks.EXAMPLE, "Find regions of clips on which to measure attention."),
    (benchmark.benchmark, benchmark.EXAMPLE, "Measure encoders on every public data set, a row each."),
    (attention.attention, attention.EXAMPLE, "Measure and draw where a video model attends."),
    (experiment.experiment, experiment.EXAMPLE, "Train and compare a grid of models and conditions."),
    (report.report, report.EXAMPLE, "Write the report of an experiment."),
):
    app.command(epilog=_example, short_help=_summary)(_command)


def _print_version(wanted: bool) -> bool:
    if wanted:
        typer.echo(f"bgs {__version__}")
        raise typer.Exit
    return wanted


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Print only errors, and the JSON of `--json -`.")
    ] = False,
) -> None:
    be_quiet(quiet)


@contextmanager
def _as_bgs_errors() -> Iterator[None]:
    """Convert exceptions that a user can act on (missing package, file, memory) to BgsError; any other is a bug."""
    try:
        yield
    except ModuleNotFoundError as error:
        missing = missing_extra(error)
        if missing is None:
            raise
        raise missing from error
    except BrokenPipeError:
        raise
    except OSError as error:
        raise BgsError(f"cannot read or write: {error.strerror or error}", where=error.filename) from error
    except MemoryError as error:
        raise BgsError(f"not enough memory: {error or 'this needs more than is available'}") from error


@contextmanager
def _notes_on_stderr() -> Iterator[None]:
    logger, handler = logging.getLogger("bgs"), NoteHandler()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        be_quiet(False)  # do not silence the rest of this process


#: Of the click that typer brings with it, or uses.
_UsageError: Any = typer.BadParameter.__mro__[1]


def _run(argv: Sequence[str] | None) -> None:
    """Run a command and exit; a faulty command line becomes a :class:`BgsError`."""
    try:
        code = app(args=list(argv) if argv is not None else None, standalone_mode=False)
    except typer.Abort:
        print("Aborted!", file=sys.stderr)
        sys.exit(1)
    except _UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # which prints the help
            error.show()
            sys.exit(2)
        context = getattr(error, "ctx", None)
        hint = None if context is None else f"`{context.command_path} --help`"
        raise BgsError(error.format_message().rstrip(".").replace("Value error, ", ""), hint=hint) from None
    sys.exit(code if isinstance(code, int) else 0)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line. A :class:`BgsError` becomes one line on stderr and exit code 2."""
    if isinstance(
        sys.stdout, io.TextIOWrapper
    ):  # what the encoding of the terminal lacks, such as half a character, is escaped
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with _notes_on_stderr(), _as_bgs_errors(), signals_stop_training():
            try:
                _run(argv)
            finally:
                sys.stdout.flush()
    except BrokenPipeError:  # the reader of the output (`| head`) has closed the pipe
        _discard_output()
        sys.exit(1)
    except Stopped as stopped:  # with a checkpoint
        if not _process():
            print(f"bgs: {stopped}", file=sys.stderr)
        _discard_output()
        sys.exit(stopped.status)
    except BgsError as error:
        # List every unreadable clip; the line below names only the first few.
        for name, reason in getattr(error, "failures", ()):
            print(f"  {shown(str(name))}: {shown(reason)}", file=sys.stderr)
        print(f"bgs: {_process()}{error}", file=sys.stderr)
        _discard_output()
        sys.exit(2)


def _process() -> str:
    """Which of several processes says so; the first one, and one alone, need not be named."""
    rank = os.environ.get("RANK", "0")
    return "" if rank == "0" or os.environ.get("WORLD_SIZE", "1") == "1" else f"process {rank}: "


def _discard_output() -> None:
    """Discard buffered output, so that Python does not retry writing it (to a full disk, say) at exit and complain."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
