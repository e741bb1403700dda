"""The Hugging Face hub: downloads named files of a repository, uploads a folder; every failure is one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from bgs._errors import BgsError
from bgs._optional import require


def download(name: str, revision: str | None, first: str, others: Callable[[Path], list[str]]) -> Path:
    """Folder in the hub's cache with some files of a model, all of one commit.

    Only named files are downloaded, once. Of a commit that is in the cache nothing is asked of the hub, which then need not be
    reachable; with ``HF_HUB_OFFLINE=1`` nothing is asked at all.

    Args:
        name: ``owner/name``.
        revision: branch, tag or commit; None is the main branch.
        first: a file that names the others.
        others: names them, given its path.

    Raises:
        BgsError: no such repository, revision or file; no access; or the hub cannot be reached and the files are not here.
    """
    where = f"hub:{name}" + (f"@{revision}" if revision else "")
    hub = _hub()
    with _one_line(where, f"a model that `bgs share` wrote, with {first}"):
        path = Path(hub.hf_hub_download(name, first, revision=revision))
    commit = path.parent.name
    for file in others(path):
        with _one_line(where, f"the file {file}, which {first} names"):
            hub.hf_hub_download(name, file, revision=commit)
    return path.parent


def upload(folder: Path, name: str, private: bool, replaced: Sequence[str]) -> str:
    """Upload a folder as a model repository, which is created if there is none.

    Args:
        folder: what to upload.
        name: ``owner/name``.
        private: whether a new repository is.
        replaced: files that are removed there if the folder does not have them; all others stay.

    Returns:
        The commit.

    Raises:
        BgsError: no token, no right to write there, or the hub cannot be reached.
    """
    hub = _hub()
    where = f"hub:{name}"
    with _one_line(where, "a repository that you may write to"):
        api = hub.HfApi()
        api.create_repo(name, repo_type="model", private=private, exist_ok=True)
        done = api.upload_folder(
            repo_id=name, folder_path=folder, commit_message="Shared by bgs", delete_patterns=list(replaced)
        )
    return str(done.oid)


def require_token(name: str) -> None:
    """Check, before anything is written, that there is a token with which to write to the hub.

    Raises:
        BgsError: there is none, or the hub is switched off.
    """
    hub = _hub()
    if _part("constants").HF_HUB_OFFLINE:
        raise BgsError("the hub is switched off", where=f"hub:{name}", hint="unset HF_HUB_OFFLINE")
    if hub.get_token() is None:
        raise BgsError(
            "no token for the hub", where=f"hub:{name}", expected="a token that may write",
            hint="run `hf auth login`, or set HF_TOKEN",
        )  # fmt: skip


def _hub() -> ModuleType:
    hub = require("huggingface_hub", "train")
    _part("utils").disable_progress_bars()  # of many small files; what is written is said at the end
    return hub


@contextmanager
def _one_line(where: str, expected: str) -> Iterator[None]:
    """Failures of the hub's client as one line that says what to do."""
    errors = _part("errors")
    try:
        yield
    except errors.GatedRepoError as error:
        raise BgsError("this repository is gated", where=where, hint="ask for access on its page") from error
    except errors.RepositoryNotFoundError as error:
        raise BgsError(
            "no such repository on the hub, or a private one without a token", where=where, expected=expected,
            hint="check the name; `hf auth login` for a private one",
        ) from error  # fmt: skip
    except errors.RevisionNotFoundError as error:
        raise BgsError("no such revision", where=where, expected="a branch, tag or commit") from error
    except errors.RemoteEntryNotFoundError as error:
        raise BgsError("a file is missing there", where=where, expected=expected) from error
    except (errors.HFValidationError, ValueError) as error:
        raise BgsError(f"the hub refuses this: {_line(error)}", where=where) from error
    except errors.HfHubHTTPError as error:
        raise BgsError(_refusal(error), where=where, expected=expected, hint=_advice(error)) from error
    except (errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError, OSError) as error:
        raise _unreachable(error, where) from error
    except Exception as error:
        # Its client raises errors of its transport, which are of other packages in other versions.
        if type(error).__module__.partition(".")[0] not in ("httpx", "httpx2", "httpcore", "requests"):
            raise
        raise _unreachable(error, where) from error


def _part(name: str) -> ModuleType:
    """A module of the hub's client, which imports none of its own before it is asked."""
    return require(f"huggingface_hub.{name}", "train")


def _unreachable(error: BaseException, where: str) -> BgsError:
    if (
        isinstance(error, OSError) and error.errno is not None and error.filename is not None
    ):  # a full disk, say
        return BgsError(
            f"cannot use the hub's cache: {error.strerror}", where=error.filename, hint="set HF_HOME"
        )
    if _part("constants").HF_HUB_OFFLINE:
        return BgsError(
            "not in the cache, and the hub is switched off", where=where,
            hint="unset HF_HUB_OFFLINE and load it once; or copy the folder here and use shared:FOLDER",
        )  # fmt: skip
    return BgsError(
        f"cannot reach the hub at {_part('constants').ENDPOINT}", where=where, got=_line(error),
        hint="check the network or HF_ENDPOINT; without them, copy the folder here and use shared:FOLDER",
    )  # fmt: skip


def _status(error: Exception) -> int | None:
    return getattr(getattr(error, "response", None), "status_code", None)


def _refusal(error: Exception) -> str:
    said = getattr(error, "server_message", None) or _line(error)
    return f"the hub answers {_status(error) or 'with an error'}: {said}"


def _advice(error: Exception) -> str | None:
    if _status(error) in (401, 403):
        return "the token may not do this: `hf auth login` with one that may"
    return "try again later" if (_status(error) or 0) >= 500 else None


def _line(error: BaseException) -> str:
    deepest = error.__cause__ or error
    return " ".join(str(deepest).split())[:160] or type(deepest).__name__
