"""Where each of several processes keeps the run that they do together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bgs._files import make_folder, write_bytes
from bgs._lock import locked_folder
from bgs.backbones.processes import Processes
from bgs.runs.run_folder import RunFolder

#: What a run is resumed from.
_RESUMED = ("config.yaml", "provenance.json", "metrics.jsonl", "checkpoint*.safetensors")


@contextmanager
def process_folder(processes: Processes, folder: RunFolder) -> Iterator[RunFolder]:
    """The folder of the run in the first process, which locks it; in the others a copy of what is resumed, removed at the end.

    All then do exactly the same, and no folder need be seen by two machines.

    Raises:
        BgsError: the folder is in use, or another process failed.
    """
    if processes.size == 1:
        with locked_folder(folder.path):
            yield folder
        return
    if processes.is_first:
        with _locked_together(processes, folder):
            processes.exchange(_contents(folder.path))
            yield folder
        return
    with processes.together():
        pass  # whether the first one could lock the folder
    contents = processes.exchange(None)[0]
    with TemporaryDirectory(prefix="bgs-") as name:
        for file, held in contents.items():
            make_folder((Path(name) / file).parent)
            write_bytes(Path(name) / file, held)
        yield RunFolder(name)


@contextmanager
def _locked_together(processes: Processes, folder: RunFolder) -> Iterator[None]:
    lock = locked_folder(folder.path)
    with processes.together():
        lock.__enter__()
    try:
        yield
    finally:
        lock.__exit__(None, None, None)


def _contents(folder: Path) -> dict[str, bytes]:
    """Path within the run -> bytes of each file that it is resumed from."""
    files = (file for part in (folder, folder / "refit") for name in _RESUMED for file in part.glob(name))
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}
