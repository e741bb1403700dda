"""Imports every module of bgs and every public name: each loads, or names the extra that it needs.

Usage: ``python -E import_all.py [PACKAGE ...]``, where packages are to look as if they were not installed. Runs on
the base install alone. Prints what needs an extra; exit code 1 where an import fails for another reason, or where a
part fails that is to work without any extra.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pkgutil import walk_packages

from hidden_packages import hide

#: These need no extra (CONTRIBUTING.md).
BASE = (
    "bgs._", "bgs.cli", "bgs.collection.design", "bgs.collection.forecast", "bgs.datasets", "bgs.embeddings", "bgs.evaluation",
    "bgs.judgments", "bgs.reports", "bgs.simulation", "bgs.stimuli",
)  # fmt: skip


def imports() -> Iterator[tuple[str, Callable[[], object]]]:
    """Name -> what imports it: every module, then the public names of those that load."""
    import bgs

    names = ["bgs", *(module.name for module in walk_packages(bgs.__path__, "bgs."))]
    for name in names:
        yield name, lambda name=name: import_module(name)
    for name in names:
        module = sys.modules.get(name)
        for public in getattr(module, "__all__", ()):
            yield f"{name}.{public}", lambda module=module, public=public: getattr(module, public)


def fault(load: Callable[[], object]) -> tuple[str, bool]:
    """Why something does not load, empty where it does; and whether the reason is an extra."""
    from bgs._errors import MissingExtraError
    from bgs._optional import missing_extra

    try:
        load()
    except MissingExtraError as error:
        return str(error), True
    except ModuleNotFoundError as error:
        missing = missing_extra(error)
        return str(missing or error), missing is not None
    except Exception as error:
        return f"{type(error).__name__}: {error}", False
    return "", False


def main(hidden: list[str]) -> int:
    hide(hidden)
    wrong = loaded = 0
    for name, load in imports():
        reason, extra = fault(load)
        expected = extra and not name.startswith(BASE)
        loaded += not reason
        wrong += bool(reason) and not expected
        if reason:
            print(f"{'' if expected else 'WRONG: '}{name}: {reason}")
    print(f"{loaded} modules and public names load")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
