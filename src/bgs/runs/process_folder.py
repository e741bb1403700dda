"""Where each of several processes keeps the run that they do together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
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
    with ExitStack() as held:
        with processes.together():
            if processes.is_first:
                held.enter_context(locked_folder(folder.path))
        if processes.size == 1:
            yield folder
            return
        contents = processes.exchange(_contents(folder.path) if processes.is_first else None)[0]
        if processes.is_first:
            yield folder
            return
        own = Path(held.enter_context(TemporaryDirectory(prefix="bgs-")))
        for file, kept in contents.items():
            make_folder((own / file).parent)
            write_bytes(own / file, kept)
        yield RunFolder(own)


def _contents(folder: Path) -> dict[str, bytes]:
    """Path within the run -> bytes of each file that it is resumed from."""
    files = (file for part in (folder, folder / "refit") for name in _RESUMED for file in part.glob(name))
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}
