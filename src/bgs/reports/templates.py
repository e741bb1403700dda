"""The packaged jinja2 templates; everything inserted is escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bgs._optional import require

if TYPE_CHECKING:
    from jinja2 import Template


def template(name: str) -> Template:
    """A template of this package; a missing variable is an error.

    Raises:
        MissingExtraError: jinja2 is not installed.
    """
    require("jinja2", "report")
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("bgs.reports", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
