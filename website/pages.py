"""Pages of the site that do not lie in docs/: the references, generated, and files from elsewhere in the repository."""

from __future__ import annotations

import posixpath
import re
import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).parent))
from call_reference import call_reference
from command_reference import command_reference

ROOT = Path(__file__).parents[1]
#: File of the repository -> its address on the site. Links to it are changed, so that they work here and in a checkout.
ELSEWHERE = {
    "README.md": "overview.md",
    "CHANGELOG.md": "changes.md",
    "CITATION.cff": "CITATION.cff",
    "CONTRIBUTING.md": "contributing.md",
    "src/bgs/backbones/weights/README.md": "tiny-videomae.md",
}
_SOURCES = {page: source for source, page in ELSEWHERE.items()}
#: The target of a Markdown link or picture, and its anchor.
_LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)([^)#\s]+)((?:#[^)\s]*)?)(?=\))")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List every decision below their overview."""
    reference = next(part["Reference"] for part in config.nav if "Reference" in part)
    pages = sorted(path.name for path in (ROOT / "docs/decisions").glob("0*.md"))
    reference[:] = [
        {"Decisions": [part["Decisions"], *(f"decisions/{name}" for name in pages)]}
        if "Decisions" in part
        else part
        for part in reference
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages."""
    for source, page in ELSEWHERE.items():
        files.append(File.generated(config, page, abs_src_path=str(ROOT / source)))
    files.append(File.generated(config, "commands.md", content=command_reference()))
    files.append(File.generated(config, "calls.md", content=call_reference()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links say where a file lies in the repository; here they lead to its place on the site."""
    return relinked(markdown, page.file.src_uri)


def relinked(markdown: str, page: str) -> str:
    """``markdown`` of ``page`` (relative to docs/), with links as the site needs them."""
    here = posixpath.dirname(_SOURCES.get(page, f"docs/{page}"))

    def target(link: re.Match[str]) -> str:
        file = posixpath.normpath(posixpath.join(here, link[1]))
        there = ELSEWHERE.get(file, file.removeprefix("docs/") if file.startswith("docs/") else None)
        if there is None:
            return link[0]  # mkdocs says that it leads nowhere
        return posixpath.relpath(there, posixpath.dirname(page) or ".") + link[2]

    return _LINK.sub(target, markdown)
