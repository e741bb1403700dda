"""Files are regular and whole or not written; folders belong to one process at a time; damage is one line."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bgs import BgsError
from bgs._files import (
    append_text,
    atomic_path,
    damage_as_error,
    is_empty,
    read_json,
    read_text,
    remove_scraps,
    require_output,
    write_json,
    write_tensors,
    write_text,
)
from bgs._lock import locked, locked_folder


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_link_stays_and_its_target_is_written(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    for link, target in (("link", "real/file"), ("dangling", "real/new")):
        (tmp_path / link).symlink_to(target)
    write_text(tmp_path / "real/file", "old")
    for link, target in (("link", "real/file"), ("dangling", "real/new")):
        write_text(tmp_path / link, "new")
        append_text(tmp_path / link, "er")
        assert (tmp_path / link).is_symlink()
        assert (tmp_path / target).read_text() == "newer"
    assert names(tmp_path / "real") == {"file", "new"}


def _device(folder: Path) -> Path:
    path = folder / "device"
    try:
        os.mknod(
            path, 0o666 | 0o020000, os.makedev(1, 7)
        )  # a /dev/full of our own, so that losing it is no loss
    except (PermissionError, AttributeError):
        pytest.skip("only root makes devices, and not on every system")
    return path


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def _link_to_device(folder: Path) -> Path:
    (folder / "link").symlink_to("/dev/full")
    return folder / "link"


def _loop(folder: Path) -> Path:
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    return folder / "a"


@pytest.mark.parametrize("make", [_device, _pipe, _link_to_device, _loop, lambda folder: folder])
def test_what_is_no_regular_file_is_left_alone(tmp_path: Path, make) -> None:
    path = make(tmp_path)
    before, there = path.lstat(), names(tmp_path)
    for write in (lambda: write_json(path, {}), lambda: append_text(path, "x"), lambda: require_output(path)):
        with pytest.raises(BgsError, match="cannot write: not a regular file"):
            write()
    assert (path.lstat().st_mode, path.lstat().st_ino) == (before.st_mode, before.st_ino)
    assert names(tmp_path) == there


@pytest.mark.parametrize("name", ["nul\0.json", "x" * 300, "file/below.json"])
def test_names_that_no_file_can_have(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BgsError, match="cannot write") as caught:
        write_json(tmp_path / name, {})
    assert str(caught.value).isprintable()
    assert names(tmp_path) == {"file"}


def test_suffixes(tmp_path: Path) -> None:
    assert require_output(tmp_path / "a.html", (".html", ".htm")) == tmp_path / "a.html"
    for name, found in (("a.npy", ".npy"), ("a", "no suffix")):
        with pytest.raises(BgsError, match=rf"unsupported file type; expected \.html or \.htm, got {found}"):
            require_output(tmp_path / name, (".html", ".htm"))


def test_a_full_disk_is_one_line_and_keeps_what_was_there(tmp_path: Path) -> None:
    write_text(tmp_path / "file", "old")

    def write() -> None:
        with atomic_path(tmp_path / "file") as part:
            part.write_text("half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(BgsError, match="file: cannot write: No space left on device"):
        write()
    assert (tmp_path / "file").read_text() == "old"
    assert names(tmp_path) == {"file"}


#: The system's own refusal, in a process of its own: no file may grow beyond a few bytes.
_SMALL_DISK = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
import numpy as np
from bgs import BgsError
from bgs._files import append_text, write_bytes, write_tensors
for write in (
    lambda: write_bytes(sys.argv[1] + "/bytes", bytes(100_000)),
    lambda: write_tensors(sys.argv[1] + "/tensors", {"a": np.zeros(100_000)}, {}),
    lambda: append_text(sys.argv[1] + "/text", "x" * 100_000),
):
    try:
        write()
    except BgsError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limits on file sizes")
def test_what_the_system_refuses_is_one_line_for_every_writer(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SMALL_DISK, str(tmp_path)], capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 3, done.stdout
    assert all("cannot write" in line and "large" in line for line in lines), lines
    assert names(tmp_path) == {"text"}


def test_tensors_of_both_kinds(tmp_path: Path) -> None:
    import torch
    from safetensors.numpy import load_file

    values = np.arange(6.0).reshape(2, 3)
    for name, tensor in (("a", values), ("b", torch.as_tensor(values))):
        write_tensors(tmp_path / name, {"x": tensor}, {"k": "v"})
        np.testing.assert_array_equal(load_file(tmp_path / name)["x"], values)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "damaged: Expecting value"), (b"{", "damaged: Expecting"), (b"[1]", "damaged: not a JSON object but list"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8 text"), (b"\0" * 50, "damaged"), (b"[" * 100_000, "damaged"),
        (b"9" * 5000, "damaged"),
    ],
)  # fmt: skip
def test_damaged_json_is_one_line(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "a.json").write_bytes(data)
    with pytest.raises(BgsError, match=rf"a\.json: {message}") as caught:
        read_json(tmp_path / "a.json")
    assert str(caught.value).isprintable()


def test_what_cannot_be_read(tmp_path: Path) -> None:
    for name, message in (("none", "No such file"), ("", "Is a directory"), ("nul\0", "null byte")):
        with pytest.raises(BgsError, match=f"cannot read: .*{message}"):
            read_text(tmp_path / name)
    with (
        pytest.raises(BgsError, match=r"where: damaged: 'key' is missing \(try this\)"),
        damage_as_error("where", "try this"),
    ):
        {}["key"]


def test_what_a_killed_process_leaves(tmp_path: Path) -> None:
    assert is_empty(tmp_path / "new")
    assert is_empty(tmp_path)
    (tmp_path / ".config.yaml.abc.part").touch()
    (tmp_path / ".lock").touch()
    assert is_empty(tmp_path)
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner/.x.1.part").touch()
    (tmp_path / "inner/kept.part").touch()
    assert not is_empty(tmp_path)
    assert not is_empty(tmp_path / "inner/kept.part")
    remove_scraps(tmp_path)
    assert names(tmp_path) == {".lock", "inner"}
    assert names(tmp_path / "inner") == {"kept.part"}


#: Holds the lock of a folder until it is killed.
_HOLDER = """
import sys, time
from pathlib import Path
from bgs._lock import locked_folder
with locked_folder(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_folder_belongs_to_one_process_and_a_dead_one_lets_go(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    command = [sys.executable, "-c", _HOLDER, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        taken = rf"out: another process is using this folder: process {holder.pid} on "
        with pytest.raises(BgsError, match=taken), locked_folder(folder):
            pass
        holder.kill()
        holder.wait()
    assert names(folder) == {".lock"}  # it had no time to tidy up
    with locked_folder(folder):
        (folder / "file").touch()
    assert names(folder) == {"file"}


def test_a_folder_in_which_nothing_was_made_goes_again(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="failed"), locked_folder(tmp_path / "new"):
        raise ValueError("failed")
    assert names(tmp_path) == set()


def test_a_lock_can_be_waited_for(tmp_path: Path) -> None:
    with locked(tmp_path / "a"), locked(tmp_path / "b"):
        pass
    with locked(tmp_path / "a"):
        pass
    (tmp_path / "text").write_text("this is no lock")
    with pytest.raises(BgsError, match=r"cannot lock: .*delete this file"), locked(tmp_path / "text"):
        pass


#: Waits for the lock of a folder and says whether it was let go before.
_WAITER = """
import sys
from pathlib import Path
from bgs._lock import locked
folder = Path(sys.argv[1])
print("begun", flush=True)
with locked(folder / ".lock"):
    print("held", (folder / "let go").exists(), flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("killed", [True, False])
def test_who_waits_gets_the_lock_when_it_is_let_go_and_not_before(tmp_path: Path, killed: bool) -> None:
    """Also where the holder ends in peace and removes the file that the other one waits for."""

    def start(code: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", code, str(tmp_path)]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def said(process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        return process.stdout.readline()

    with start(_HOLDER) as holder:
        assert said(holder) == "held\n"
        with start(_WAITER) as waiter:
            assert said(waiter) == "begun\n"
            (tmp_path / "let go").touch()
            holder.kill() if killed else holder.communicate()
            assert said(waiter) == "held True\n"
            with (
                pytest.raises(BgsError, match=f"using this folder: process {waiter.pid} on "),
                locked_folder(tmp_path),
            ):
                pass


#: Holds the lock of a folder, with a child that lives on when this process is killed, until its stdin is closed.
_PARENT = """
import os, sys
from pathlib import Path
from bgs._lock import locked_folder
with locked_folder(Path(sys.argv[1])):
    if os.fork():
        print("held", flush=True)
    sys.stdin.read()
    os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_children_do_not_keep_the_lock_of_a_process_that_is_dead(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _PARENT, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "held\n"
        with pytest.raises(BgsError, match=f"process {parent.pid} on "), locked_folder(tmp_path):
            pass
        parent.kill()
        parent.wait()
        with locked_folder(tmp_path):
            pass


def test_what_can_be_a_lock(tmp_path: Path) -> None:
    (tmp_path / "first version").write_bytes(b"SQLite format 3\0" + bytes(8000))
    with locked(tmp_path / "first version"):
        assert (tmp_path / "first version").read_bytes().startswith(f" process {os.getpid()} on ".encode())
    assert (tmp_path / "first version").stat().st_size < 300
    (tmp_path / "folder").mkdir()
    with pytest.raises(BgsError, match="folder: cannot lock: Is a directory"), locked(tmp_path / "folder"):
        pass
    (tmp_path / "text").write_text("this is no lock")
    with pytest.raises(BgsError, match="cannot lock: this is not a lock file"), locked(tmp_path / "text"):
        pass
    assert (tmp_path / "text").read_text() == "this is no lock"


def test_json_is_written_as_it_was(tmp_path: Path) -> None:
    write_json(tmp_path / "deep/a.json", {"ä": [1, None]})
    assert json.loads((tmp_path / "deep/a.json").read_text(encoding="utf-8")) == {"ä": [1, None]}
